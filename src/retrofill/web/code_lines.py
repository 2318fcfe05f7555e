"""Code as pages show it: lines of pieces. Keywords are bold, comments lean, and what a parameter fills in is marked;
nothing else is, because colour says state.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PLAIN, KEYWORD, COMMENT, FILLED = "", "kw", "com", "filled"  # classes of the style sheet

_SQL = (
    "all alter and as asc between by case cast create cross date delete desc distinct drop else end exists false from full group "
    "having if in inner insert intersect interval into is join left like limit merge not null on or order outer over partition "
    "replace right select set table temp then true truncate union update using values view when where with"
)
_PYTHON = (
    "and as assert async await break class continue def del elif else except False finally for from global if import in is "
    "lambda None nonlocal not or pass raise return True try while with yield"
)
_SHELL = "case do done elif else esac exit export fi for function if in local return set then until while"
_FORMS = {"sql": (_SQL, "--", re.IGNORECASE), "python": (_PYTHON, "#", 0), "shell": (_SHELL, "#", 0)}
_TEXT = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_PARAMETER = r"\$\{\w+\}"
_MOST_CHARACTERS = (
    2_000  # of a line in which words are told apart: quotes that nothing closes cost its length each
)


class Piece(NamedTuple):
    """A stretch of a line, and how it looks."""

    kind: str
    text: str


def code_lines(code: str, task_type: str) -> list[list[Piece]]:
    """A line of pieces for each line of code.

    Args:
        task_type: decides what a keyword and a comment is; of an unknown type nothing is one.
    """
    return [_pieces(line, task_type) for line in code.splitlines()]


def _pieces(line: str, task_type: str) -> list[Piece]:
    words, comment, flags = _FORMS.get(task_type, ("", "", 0))
    if comment and line.lstrip().startswith(comment):
        return [Piece(COMMENT, line)]
    if not line:
        return [Piece(PLAIN, " ")]
    if len(line) > _MOST_CHARACTERS:
        return _in_text(line)
    keywords = frozenset(words.casefold().split() if flags else words.split())
    found: list[Piece] = []
    end = 0
    for match in _tokens(comment).finditer(line):
        text, kind = match[0], match.lastgroup or PLAIN
        if kind == "word":
            kind = KEYWORD if (text.casefold() if flags else text) in keywords else PLAIN
        if match.start() > end:
            found.append(Piece(PLAIN, line[end : match.start()]))
        found += _in_text(text) if kind == "text" else [Piece(kind, text)]
        end = match.end()
    if end < len(line):
        found.append(Piece(PLAIN, line[end:]))
    return _joined(found)


def _tokens(comment: str) -> re.Pattern[str]:
    rest = rf"|(?P<com>(?<!\S){re.escape(comment)}.*)" if comment else ""
    return re.compile(rf"(?P<text>{_TEXT})|(?P<filled>{_PARAMETER}){rest}|(?P<word>[A-Za-z_]\w*)")


def _in_text(text: str) -> list[Piece]:
    """Parameters stand in texts of SQL too."""
    parts = re.split(f"({_PARAMETER})", text)
    return [Piece(FILLED if n % 2 else PLAIN, part) for n, part in enumerate(parts) if part]


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours that look alike as one."""
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].kind == piece.kind != FILLED:
            found[-1] = Piece(piece.kind, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found
