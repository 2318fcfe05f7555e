"""A connection to a PostgreSQL server, as statements and transactions of the store use it.

Between the two there may be a pooler that gives every transaction another connection of its own. So nothing is
left behind in the server's session: settings are those of a transaction, locks end with it, statements are not
prepared, and nothing is listened for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import IntDumper

from retrofill.store.dialects import postgresql

_REFERRERS = """
    SELECT c.relname, a.attname FROM pg_constraint f
    JOIN pg_class c ON c.oid = f.conrelid
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f' AND f.confrelid = to_regclass(quote_ident($1)) ORDER BY c.relname
"""
_KEY = """
    SELECT a.attname FROM pg_constraint k CROSS JOIN unnest(k.conkey) WITH ORDINALITY AS c (number, position)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.number
    WHERE k.contype = 'p' AND k.conrelid = to_regclass(quote_ident($1)) ORDER BY c.position
"""
_NUMBERS = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text; SELECT pg_current_xact_id()::text"


class _TruthDumper(IntDumper):
    """Truth values are 0 and 1 in the ledger."""

    def dump(self, value: Any) -> Any:
        return super().dump(int(value))


class PostgresConnection:
    """One connection; what goes wrong is psycopg's error, which `Database` translates.

    Args:
        conninfo: a URL or libpq's keywords.
        settings: of every transaction, as PostgreSQL writes them.
    """

    def __init__(self, conninfo: str, settings: str) -> None:
        self._raw = psycopg.connect(
            conninfo,
            autocommit=True,
            prepare_threshold=None,
            cursor_factory=RawCursor,
            fallback_application_name="retrofill",
        )
        self._raw.adapters.register_dumper(bool, _TruthDumper)
        self._settings = settings
        self._others_commits = int.from_bytes(os.urandom(6))  # one that is made anew has missed something
        self._expected = 0  # the number of the server's next transaction, if nobody else writes
        self.number = 0  # of the transaction under way, or the last one

    @property
    def is_usable(self) -> bool:
        """Whether the server can still be reached through it, as far as is known."""
        return not self._raw.closed and not self._raw.broken

    @property
    def in_transaction(self) -> bool:
        return self._raw.info.transaction_status is not TransactionStatus.IDLE

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.Cursor[Any]:
        return self._raw.execute(postgresql(statement), values or None)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> psycopg.Cursor[Any]:
        listed = list(rows)
        cursor = self._raw.cursor()
        if len(listed) == 1:
            return cursor.execute(postgresql(statement), listed[0])
        cursor.executemany(postgresql(statement), listed)
        return cursor

    def write_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        with self._raw.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)

    def referrers(self, table: str) -> list[tuple[str, str]]:
        return self._raw.execute(_REFERRERS, (table,)).fetchall()

    def key_of(self, table: str) -> list[str]:
        return [row[0] for row in self._raw.execute(_KEY, (table,))]

    def others_commits(self) -> int:
        """Counted by the numbers that the server gives to transactions which write: somebody has drawn one."""
        return self._others_commits

    def damage(self) -> list[str]:
        """What the server has noticed: pages whose checksum is wrong, where it keeps checksums."""
        row = self._raw.execute(
            "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        return [f"the server has read {row[0]} damaged pages"] if row and row[0] else []

    # Transactions

    def begin_reading(self) -> None:
        """A view of one moment."""
        self._raw.execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {self._settings}")

    def begin_writing(self, lock: int) -> None:
        """A transaction that only one has at a time: whoever else wants `lock` waits, in a queue.

        Each statement sees what was committed before it, so all see what was committed before the lock was had.
        """
        answers = self._raw.execute(
            f"BEGIN; {self._settings}; SELECT pg_advisory_xact_lock({lock}); {_NUMBERS}"
        )
        *_, (following,), (own,) = _all(answers)
        self._others_commits += int(following) != self._expected
        self.number = int(own)
        self._expected = self.number + 1

    def commit(self) -> None:
        """Raises an error where something has failed in it: the server would roll it back without a word."""
        if self._raw.info.transaction_status is TransactionStatus.INERROR:
            raise psycopg.errors.InFailedSqlTransaction("a statement of the transaction has failed")
        self._raw.execute("COMMIT")

    def has_committed(self, number: int) -> bool | None:
        """What became of a transaction of somebody; None while it is under way."""
        row = self._raw.execute("SELECT pg_xact_status($1::xid8)", (str(number),)).fetchone()
        return None if row is None or row[0] == "in progress" else row[0] == "committed"

    def end_reading(self) -> None:
        self._raw.execute("COMMIT")

    def roll_back(self) -> None:
        self._raw.execute("ROLLBACK")

    def close(self) -> None:
        self._raw.close()


def _all(answers: psycopg.Cursor[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of all statements that were sent as one."""
    while True:
        if answers.description is not None:
            yield from answers.fetchall()
        if not answers.nextset():
            return
