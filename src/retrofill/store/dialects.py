"""What databases call differently. Statements are written once, in the words of SQLite, which reads them as they are.

`postgresql` says the same in the words of PostgreSQL: placeholders, ids as a table, hints at an index, and the
few functions that have another name. What has no counterpart is asked of the connection, which each store has
of its own kind. A statement keeps to what both understand: a truth value is compared (`paused = 1`), a row that
is there already is met by ON CONFLICT, a new id comes back by RETURNING.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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

    def later(self, statement: str, values: Sequence[Any] = ..., /) -> Callable[[], Any]:
        """A row, asked now; who calls for it only after the end of the transaction does not wait for it."""
        ...

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

    def now_ms(self) -> int:
        """By the clock that all who share the store go by."""
        ...

    def damage(self) -> list[str]:
        """What is wrong with the data as it is kept, a sentence each."""
        ...


_VALUES = {
    "value": "{}",
    "ids": "(SELECT CAST(e.value AS bigint) AS value FROM json_array_elements_text(CAST({} AS json)) e (value))",
    "limit": "LIMIT nullif({}, -1)",  # -1 is none
}
_NAMES = {"hint": "", "within": "strpos(", "joined": "string_agg(", "user": '"user"'}
_WORDS = re.compile(
    r"""'[^']*' | "[^"]*"                    # texts and quoted names stay
    | (?P<hint> [ ]INDEXED[ ]BY[ ]\w+ )      # its planner is told by settings (store.postgres)
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


# In SQLite it says in which order to look, whatever statistics say: first what stands before it.
_IN_ORDER = re.compile(r"\bCROSS JOIN (\w+)(?: (?!ON |INDEXED )(\w+))?( INDEXED BY \w+)? ON ")
_ENDS_CONDITION = re.compile(r"[()]| (?:WHERE|GROUP BY|ORDER BY|LIMIT|(?:CROSS |LEFT )?JOIN|UNION) ")


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

    return _WORDS.sub(say, _in_order(statement))


def _in_order(statement: str) -> str:
    """PostgreSQL keeps to an order where the second table is asked row by row of the first, behind a fence (OFFSET 0)."""
    found = _IN_ORDER.search(statement)
    if found is None:
        return statement
    table, name, hint = found[1], found[2] or found[1], found[3] or ""
    end = _end_of_condition(statement, found.end())
    asked = f"SELECT * FROM {table} {name}{hint} WHERE {statement[found.end() : end]} OFFSET 0"
    return f"{statement[: found.start()]}CROSS JOIN LATERAL ({asked}) {name}{_in_order(statement[end:])}"


def _end_of_condition(statement: str, begin: int) -> int:
    depth = 0
    for found in _ENDS_CONDITION.finditer(statement, begin):
        if depth == 0 and found[0] != "(":
            return found.start()
        depth += (found[0] == "(") - (found[0] == ")")
    return len(statement)


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
