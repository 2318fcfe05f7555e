"""What nearly every write transaction asks first, asked along with its begin: one round trip instead of five.

Whoever asks does not know: a statement that was asked ahead is answered from here, once, unless the transaction has
written to its table meanwhile. Such a statement has no values, reads one table, and gives one row or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.store.statements.clock import ANCHOR
from retrofill.store.statements.identity import WORD
from retrofill.store.statements.interventions import ANY_REMOVED_WAIT
from retrofill.store.statements.ledger import TERM
from retrofill.store.statements.revisions import LAST

if TYPE_CHECKING:
    from retrofill.store.postgres.wire import Wire

_ASKED = {
    "clock_anchor": ANCHOR,
    "identity": WORD,
    "lease": TERM,
    "removed_wait": ANY_REMOVED_WAIT,
}  # by table
_READING = "SELECT"  # how a statement begins that does not write
_NUMBER = "pg_current_xact_id()::text"


def _together(statements: Sequence[str]) -> str:
    """One statement that answers all; what each gives begins with a column of its number, null where it gives none."""
    places = range(len(statements))
    joined = " ".join(
        f"LEFT JOIN (SELECT {place} AS n{place}, * FROM ({statement}) s{place}) a{place} ON true"
        for place, statement in zip(places, statements, strict=True)
    )
    shown = ", ".join(f"a{place}.*" for place in places)
    return f"SELECT {_NUMBER}, last.*, {shown} FROM (SELECT 1) one CROSS JOIN ({LAST}) last {joined}"


_TOGETHER = _together(list(_ASKED.values()))


class Known:
    """The answer to a statement that was asked ahead."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows
        self.rowcount = len(rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)


class Foreknown:
    """Answers of one transaction at a time, by their statements."""

    def __init__(self) -> None:
        self._answers: dict[str, Known] = {}
        self._places: list[slice] | None = None  # of each answer in the row of all

    def read(self, wire: Wire) -> tuple[int, int, int]:
        """Ask and wait; the number of this transaction, of the last revision, and of the last one that decides something."""
        asked = wire.send(_TOGETHER)
        row = asked.fetchone()
        self._places = self._places or _places_in(asked.columns)
        parts = [row[place] for place in self._places]
        self._answers = {
            statement: Known([] if part[0] is None else [part[1:]])
            for statement, part in zip(_ASKED.values(), parts, strict=True)
        }
        return int(row[0]), row[1] or 0, row[2] or 0

    def answer(self, statement: str) -> Known | None:
        """What is known of it; a statement that writes makes what is known of its table unknown."""
        if not self._answers:
            return None
        if not statement.startswith(_READING):
            for table in _ASKED:
                if table in statement:
                    self.forget(table)
        return self._answers.pop(statement, None)

    def forget(self, table: str) -> None:
        if table in _ASKED:
            self._answers.pop(_ASKED[table], None)

    def forget_all(self) -> None:
        self._answers = {}


def _places_in(names: list[str]) -> list[slice]:
    begins = [names.index(f"n{place}") for place in range(len(_ASKED))]
    return [slice(begin, end) for begin, end in zip(begins, [*begins[1:], len(names)], strict=True)]
