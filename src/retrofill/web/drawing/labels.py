"""Names in boxes: how wide a text is in a wide system font, so that no font overflows, and where it is cut.

Names differ at both ends: the middle goes.
"""

from __future__ import annotations

_OWN = {
    **dict.fromkeys("ijl|.", 3.8),
    **dict.fromkeys("frt", 4.9),
    **dict.fromkeys("ckszxvy", 7.0),
    **dict.fromkeys("mwMW", 11.7),
    "_": 6.0,
}
_DIGIT, _LETTER, _CAPITAL, _WIDE = 7.65, 7.6, 9.0, 13.0
_LEAST = 3  # characters that are left at the beginning


def text_width(text: str) -> float:
    """Pixels of a text of 12 px."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> float:
    if character in _OWN:
        return _OWN[character]
    if character > "\u02ff":
        return _WIDE
    return _DIGIT if character.isdigit() else _CAPITAL if character.isupper() else _LETTER


def cut(text: str, most: float) -> str:
    """The text without so much of its middle that it fits into so many pixels."""
    if text_width(text) <= most:
        return text
    widths = [_character_width(character) for character in text]
    begin = end = len(text) // 2
    left = sum(widths) + _WIDE
    while left > most and (begin > _LEAST or end < len(text)):
        if begin > _LEAST and begin >= len(text) - end:
            begin -= 1
            left -= widths[begin]
        elif end < len(text):
            left -= widths[end]
            end += 1
        else:
            begin -= 1
            left -= widths[begin]
    return f"{text[:begin]}…{text[end:]}"


def in_lines(text: str, most: float, last: float) -> tuple[str, ...]:
    """A name on one or two lines, broken after an underscore.

    Args:
        most: pixels of a line; `last`: of the last one.
    """
    if text_width(text) <= min(most, last):
        return (text,)
    broken = [
        i + 1 for i, character in enumerate(text) if character == "_" and text_width(text[: i + 1]) <= most
    ]
    at = max(broken, default=0)
    return (text[:at], cut(text[at:], last)) if 0 < at < len(text) else (cut(text, last),)
