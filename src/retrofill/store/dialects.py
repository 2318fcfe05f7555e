"""What databases call differently. Statements are written once, in the words of SQLite, which reads them as they are.

`postgresql` says the same in the words of PostgreSQL: placeholders, ids as a table, hints at an index, and the
few functions that have another name. What has no counterpart is asked of the connection, which each store has
of its own kind. A statement keeps to what both understand: a truth value is compared (`paused = 1`), a row that
is there already is met by ON CONFLICT, a new id comes back by RETURNING.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Protocol

_DISTINCT_STATEMENTS = 1_000  # the texts of most are fixed; those with ids in them come and go


class Rows(Protocol):
    """What a statement answers."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """An open connection within a view or a transaction, whatever database it leads to."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows: ...

    def write_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert many rows the fastest way there is."""
        ...

    def referrers(self, table: str) -> list[tuple[str, str]]:
        """Tables and columns with a foreign key to it."""
        ...

    def key_of(self, table: str) -> list[str]:
        """The columns of its primary key, in their order."""
        ...

    def others_commits(self) -> int:
        """A number that differs once another connection has committed."""
        ...

    def damage(self) -> list[str]:
        """What is wrong with the data as it is kept, a sentence each."""
        ...


_VALUES = {
    "value": "{}",
    "ids": "(SELECT CAST(e.value AS bigint) AS value FROM json_array_elements_text(CAST({} AS json)) e (value))",
    "limit": "LIMIT nullif({}, -1)",  # -1 is none
}
_NAMES = {"hint": "", "order": "JOIN", "within": "strpos(", "joined": "string_agg(", "user": '"user"'}
_WORDS = re.compile(
    r"""'[^']*' | "[^"]*"                    # texts and quoted names stay
    | (?P<hint> [ ]INDEXED[ ]BY[ ]\w+ )      # its planner is told by settings (store.postgres)
    | (?P<order> \bCROSS[ ]JOIN\b )         # which only says in which order SQLite shall look
    | (?P<within> \binstr\( )
    | (?P<joined> \bgroup_concat\( )
    | (?P<most> \b(?:max|min)\( )
    | (?P<user> \buser\b )                  # unquoted, it is who is connected
    | (?P<keys> \bjson_each\(\w+,[ ]'\$\.\w+'\) )
    | (?P<ids> \bjson_each\(\?\d*\) )
    | (?P<limit> \bLIMIT[ ]\?\d* )
    | (?P<value> \?\d* )
    """,
    re.VERBOSE,
)


@lru_cache(_DISTINCT_STATEMENTS)
def postgresql(statement: str) -> str:
    """A statement in the words of PostgreSQL, with `$1`, `$2`, ... for its values."""
    numbers = count(1)

    def say(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        if kind in _VALUES:
            number = found[0].partition("?")[2].strip(")")
            return _VALUES[kind].format(f"${number or next(numbers)}")
        if kind == "keys":
            document, key = re.findall(r"\w+", found[0])[1:]
            return f"json_each(CAST({document} AS json) -> '{key}')"
        if kind == "most" and _has_comma(statement, found.end()):
            return (
                "greatest(" if found[0] == "max(" else "least("
            )  # of one row's values, not of one of many rows
        return _NAMES.get(kind, found[0])

    return _WORDS.sub(say, statement)


def _has_comma(statement: str, begin: int) -> bool:
    """Whether what stands from here to the closing parenthesis is more than one argument."""
    depth = 0
    for letter in statement[begin:]:
        if letter == "," and depth == 0:
            return True
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
    return False
