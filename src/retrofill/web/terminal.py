"""What a program has printed for a terminal, as HTML: colours stay, whatever else a terminal would do is left out.

`static/log.js` does the same in the browser; `tests/web/terminal.json` holds both to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
# Colours are SGR sequences; other sequences, titles of windows and what a lone ESC begins are left out.
_SEQUENCE = re.compile(
    r"\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
)
_STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "turned", 9: "struck"}
_ENDS = {21: "bold", 22: "bold dim", 23: "italic", 24: "under", 27: "turned", 29: "struck"}
_CUBE = (0, 95, 135, 175, 215, 255)
# As 16 colours are drawn on most terminals; a colour of 256 or of millions becomes the nearest of them.
_DRAWN = (
    (0, 0, 0), (205, 49, 49), (13, 188, 121), (229, 229, 16), (36, 114, 200), (188, 63, 188), (17, 168, 205), (229, 229, 229),
)  # fmt: skip


def painted(text: str) -> Markup:
    """One line: what a carriage return has written over is gone, control characters are seen as signs."""
    text = text.removesuffix("\r").rpartition("\r")[2]
    found, style, at = list[Markup](), dict[str, str](), 0
    for match in _SEQUENCE.finditer(text):
        found.append(_span(text[at : match.start()], style.values()))
        at = match.end()
        if match[1] is not None:
            _apply(match[1], style)
    return Markup("").join([*found, _span(text[at:], style.values())])


def _span(text: str, classes: Iterable[str]) -> Markup:
    if not text:
        return Markup("")
    shown = "".join(chr(0x2400 + ord(c)) if c < " " and c != "\t" else c for c in text)
    names = " ".join(sorted(classes))
    return Markup('<span class="{}">{}</span>').format(names, shown) if names else escape(shown)


def _apply(parameters: str, style: dict[str, str]) -> None:
    """One sequence: `style` maps what is styled to its class."""
    codes = [int(code[-9:]) if code else 0 for code in parameters.replace(":", ";").split(";")]
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            style.clear()
        elif code in _STYLES:
            style[_STYLES[code]] = f"t-{_STYLES[code]}"
        elif code in _ENDS:
            for name in _ENDS[code].split():
                style.pop(name, None)
        elif code in (38, 48):
            colour, at = _colour(codes, at)
            if colour is not None:
                style["ink" if code == 38 else "paper"] = f"t-{'' if code == 38 else 'on-'}{_NAMES[colour]}"
        elif code in (39, 49):
            style.pop("ink" if code == 39 else "paper", None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["ink"] = f"t-{_NAMES[code % 10]}"
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["paper"] = f"t-on-{_NAMES[code % 10]}"


def _colour(codes: list[int], at: int) -> tuple[int | None, int]:
    """One of the eight for a colour of 256 or of millions, and where the next code stands."""
    kind = codes[at] if at < len(codes) else None
    if kind == 5 and at + 1 < len(codes):
        return _of_256(codes[at + 1]), at + 2
    if kind == 2 and at + 3 < len(codes):
        return _nearest((codes[at + 1], codes[at + 2], codes[at + 3])), at + 4
    return None, len(codes)


def _of_256(number: int) -> int:
    if number < 16:
        return number % 8
    if number >= 232:
        grey = (min(number, 255) - 232) * 10 + 8
        return _nearest((grey, grey, grey))
    cube = number - 16
    return _nearest((_CUBE[cube // 36], _CUBE[cube // 6 % 6], _CUBE[cube % 6]))


def _nearest(colour: tuple[int, int, int]) -> int:
    return min(range(8), key=lambda i: sum((a - b) ** 2 for a, b in zip(colour, _DRAWN[i], strict=True)))
