"""SQL text taken apart: statements, and what can be said of one by its first words.

Understands quotes, comments (nested ones too) and dollar quoting; it does not parse SQL. What
is not closed goes on to the end, so that the database says what is wrong with it.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
    (?P<escaped> \b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) )
  | (?P<skip> '[^']*(?:'|\Z) | "[^"]*(?:"|\Z) | `[^`]*(?:`|\Z) | --[^\n]* )
  | (?P<comment> /\* )
  | (?P<dollar> (?<![\w$])\$(?:[A-Za-z_]\w*)?\$ )
  | (?P<end> ; )
  | (?P<word> \w+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_FIRST_WORDS = re.compile(r"[A-Za-z]+")
_LEADING = re.compile(r"\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/", re.DOTALL)
_TRANSACTION_WORDS = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"}
_ALONE = {("CREATE", "DATABASE"), ("DROP", "DATABASE"), ("ALTER", "SYSTEM")}
_EXCERPT = 100


def split(code: str) -> list[str]:
    """Statements in order, without the `;` between them; what holds only comments is left out.

    The body of an SQLite trigger stays in one piece.
    """
    found: list[str] = []
    start = position = 0
    depth = 0  # of BEGIN ... END in a trigger
    while match := _TOKEN.search(code, position):
        position = match.end()
        if match["comment"]:
            position = _after_comment(code, position)
        elif match["dollar"]:
            end = code.find(match["dollar"], position)
            position = len(code) if end < 0 else end + len(match["dollar"])
        elif match["word"]:
            depth = _depth_after(match["word"].upper(), depth, code[start : match.start()])
        elif match["end"] and depth == 0:
            found.append(code[start : match.start()])
            start = position
    found.append(code[start:])
    return [text.strip() for text in found if _after_leading(text) < len(text)]


def excerpt(statement: str) -> str:
    """The beginning of a statement on one line."""
    text = " ".join(statement[_after_leading(statement) :].split())
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def first_words(statement: str) -> tuple[str, ...]:
    """The first three words in capitals, comments left out."""
    text = statement[_after_leading(statement) :]
    return tuple(word.upper() for word in _FIRST_WORDS.findall(text[:200])[:3])


def controls_transactions(statements: list[str]) -> bool:
    """Whether the code begins and ends transactions itself."""
    return any(words[:1] and words[0] in _TRANSACTION_WORDS for words in map(first_words, statements))


def stands_alone(statement: str) -> bool:
    """Whether databases refuse this statement inside a transaction."""
    words = first_words(statement)
    if words[:1] in (("VACUUM",), ("CHECKPOINT",)) or words[:2] in _ALONE:
        return True
    return "CONCURRENTLY" in statement.upper() and words[:1] in (("CREATE",), ("DROP",), ("REINDEX",))


def _after_comment(code: str, position: int) -> int:
    """The end of a comment whose `/*` lies before `position`."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(code, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(code)


def _depth_after(word: str, depth: int, before: str) -> int:
    if word == "BEGIN" and depth == 0:
        words = first_words(before)
        return int(words[:1] == ("CREATE",) and "TRIGGER" in words)
    if depth and word == "CASE":
        return depth + 1
    return depth - 1 if depth and word == "END" else depth


def _after_leading(text: str) -> int:
    """Where blanks and comments at the beginning end."""
    position = 0
    while match := _LEADING.match(text, position):
        position = match.end()
    return position
