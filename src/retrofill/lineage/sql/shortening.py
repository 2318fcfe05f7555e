"""SQL text without what names no tables, so that it is read in a fraction of the time.

A list of columns between SELECT and its FROM becomes `*` where it holds no query, and rows after VALUES
become the first of them. Only the tables of what is left are meant: columns are read from the whole text.
"""

from __future__ import annotations

import re

from retrofill.domain.catalog.sql_lexing import lexing_of

_WORDS = r"(?P<word>(?<![\w$.@\#])(?:SELECT|(?:DISTINCT\s+)?FROM|INTO|TABLE|UNION|EXCEPT|INTERSECT|MINUS|VALUES)(?![\w$]))"
LONG = 400  # shorter texts are read as they are
WORTH = 40
_ROW_FOLLOWS = re.compile(r"\s*,\s*\(")


def shortened(text: str, dialect: str) -> str:
    """The statement without its plain lists of columns and its further rows."""
    if len(text) < LONG:
        return text
    cuts = sorted(_Cuts(text, dialect).find())
    parts, at = [], 0
    for start, end, instead in cuts:
        if start >= at:  # what lies in a list that goes is gone
            parts += [text[at:start], instead]
            at = end
    return "".join(parts) + text[at:]


class _Select:
    """A SELECT whose FROM is to come."""

    __slots__ = ("depth", "is_plain", "start")

    def __init__(self, depth: int, start: int) -> None:
        self.depth = depth
        self.start = start
        self.is_plain = True


class _Cuts:
    """One pass over a statement."""

    def __init__(self, text: str, dialect: str) -> None:
        self.text = text
        self.pattern = lexing_of(dialect).scanner(_WORDS, with_parentheses=True)
        self.open: list[_Select] = []
        self.depth = 0
        self.rows: tuple[int, int] | None = None  # depth of VALUES, and the end of its first row
        self.found: list[tuple[int, int, str]] = []

    def find(self) -> list[tuple[int, int, str]]:
        """Start and end of what goes, and what takes its place."""
        text, position = self.text, 0
        while match := self.pattern.match(text, position):
            start, position = match.end("skip"), match.end()
            kind = match.lastgroup
            if kind == "parenthesis":
                self._parenthesis(text[start], position)
            elif kind == "word":
                self._word(text[start:position].upper(), start, position)
            elif kind == "comment":
                return []  # a nested comment: rare enough
            elif kind == "dollar":
                end = text.find(text[start:position], position)
                position = len(text) if end < 0 else end + position - start
        return self.found

    def _word(self, word: str, start: int, end: int) -> None:
        if word == "SELECT":
            self.rows = None
            for select in self.open:
                select.is_plain = False
            self.open.append(_Select(self.depth, end))
        elif word == "VALUES":
            self.rows = (self.depth, 0)
        elif word.startswith("DISTINCT"):
            return  # IS DISTINCT FROM
        elif word == "FROM" and not self.text[:start].rstrip().endswith("("):
            self._from(start)
        elif self.open:  # INTO, TABLE, set operations, (FROM ...)
            self.open[-1].is_plain = False

    def _from(self, start: int) -> None:
        while self.open and self.open[-1].depth > self.depth:
            self.open.pop()
        if self.open and self.open[-1].depth == self.depth:
            select = self.open.pop()
            if select.is_plain and start - select.start > WORTH:
                self.found.append((select.start, start, " * "))

    def _parenthesis(self, character: str, end: int) -> None:
        if character == "(":
            self.depth += 1
            return
        self.depth -= 1
        while self.open and self.open[-1].depth > self.depth:
            self.open.pop()
        if self.rows is None or self.rows[0] != self.depth:
            return
        first = self.rows[1] or end
        self.rows = (self.depth, first)
        if not _ROW_FOLLOWS.match(self.text, end):
            self.rows = None
            if end > first:
                self.found.append((first, end, ""))
