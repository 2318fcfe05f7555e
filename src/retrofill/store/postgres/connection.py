"""A connection to a PostgreSQL server, as statements and transactions of the store use it.

Between the two there may be a pooler that gives every transaction another connection of its own. There nothing
is left behind in the server's session: settings are those of a transaction, and statements are not prepared. A
session of one's own is given both once. Locks end with their transaction in any case.

What a transaction writes is sent when something is asked, or with the commit, and then waited for (`wire`). So an error
may be raised by a later statement of the same transaction than the one that it is of.
What is asked first in nearly every transaction is asked along with its begin (`foreknown`), what is asked last along
with its end (`later`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import IntDumper

from retrofill.domain.errors import StoreUnavailableError
from retrofill.store.dialects import Rows, postgresql
from retrofill.store.postgres.foreknown import Foreknown
from retrofill.store.postgres.wire import Wire

_REFERRERS = """
    SELECT c.relname, a.attname FROM pg_constraint f
    JOIN pg_class c ON c.oid = f.conrelid
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f' AND f.confrelid = to_regclass(quote_ident(?)) ORDER BY c.relname
"""
_KEY = """
    SELECT a.attname FROM pg_constraint k CROSS JOIN unnest(k.conkey) WITH ORDINALITY AS c (number, position)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.number
    WHERE k.contype = 'p' AND k.conrelid = to_regclass(quote_ident(?)) ORDER BY c.position
"""
# After a crash a server gives numbers anew of transactions that it has lost, as does a replica that is promoted: what one
# says of a number is only true of transactions of the same life. Statistics are begun anew with each.
_LIFE = """
    (SELECT coalesce(extract(epoch FROM stats_reset), random())::text FROM pg_stat_archiver)
    || CASE WHEN pg_is_in_recovery() THEN '' ELSE ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8) END
"""
_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
_PATIENCE = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
_LIMITS_TRANSACTIONS = 170_000  # the version of a server from which on it can
_PREPARED_AFTER = 2  # times that a statement was asked


class _TruthDumper(IntDumper):
    """Truth values are 0 and 1 in the ledger."""

    def dump(self, value: Any) -> Any:
        return super().dump(int(value))


def patiently(conninfo: str) -> str:
    """What libpq is told, with how soon a server that does not answer is given up, where it says nothing of that.

    A connection that a firewall has forgotten would otherwise keep its thread for a quarter of an hour.
    """
    named = psycopg.conninfo.conninfo_to_dict(conninfo)
    left = {name: value for name, value in _PATIENCE.items() if name not in named}
    return psycopg.conninfo.make_conninfo(conninfo, **left)


class PostgresConnection:
    """One connection; what goes wrong is psycopg's error, which `Database` translates.

    Args:
        conninfo: a URL or libpq's keywords.
        settings: of every transaction, by name.
        longest_write_seconds: after which the server ends who writes, where it can.
    """

    def __init__(self, conninfo: str, settings: Mapping[str, str], longest_write_seconds: float = 0) -> None:
        self._raw = psycopg.connect(
            patiently(conninfo),
            autocommit=True,
            prepare_threshold=None,
            cursor_factory=RawCursor,
            fallback_application_name="retrofill",
        )
        self._raw.adapters.register_dumper(bool, _TruthDumper)
        self._settings: str | None = _set(settings, "true")  # of each transaction
        process, self._life = self._who_answers()
        if process == self._raw.info.backend_pid:  # a pooler tells another one: the session is not ours alone
            self._raw.execute(_set(settings, "false"))
            self._settings = None
            self._raw.prepare_threshold = _PREPARED_AFTER
        timeout = f"set_config('transaction_timeout', '{longest_write_seconds * 1000:.0f}', true), "
        self._limit = timeout if self._raw.info.server_version >= _LIMITS_TRANSACTIONS else ""
        self._others_commits = int.from_bytes(os.urandom(6))  # one that is made anew has missed something
        self._expected = 0  # the last revision that decides something, if nobody else has written one
        self._revision = 0  # the last one before the transaction under way
        self._number = 0
        self._writes = False  # between begin and end of a transaction
        self._foreknown = Foreknown()
        self._wire = Wire(self._raw, prepares=self._settings is None)

    def _who_answers(self) -> tuple[int, str]:
        """The server's process, and which life of the server it is of."""
        row = self._raw.execute(f"SELECT pg_backend_pid(), {_LIFE}").fetchone()
        assert row is not None
        return int(row[0]), str(row[1])

    @property
    def is_usable(self) -> bool:
        """Whether the server can still be reached through it, as far as is known."""
        return not self._raw.closed and not self._raw.broken

    @property
    def in_transaction(self) -> bool:
        """What libpq knows is only as of the last answer that was waited for."""
        return self._writes or self._raw.info.transaction_status is not TransactionStatus.IDLE

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        known = self._foreknown.answer(statement)
        return self._sent(statement, values) if known is None else known

    def _sent(self, statement: str, values: Sequence[Any]) -> Rows:
        said = postgresql(statement)
        return (
            self._wire.send(said, values) if self._wire.is_open else self._raw.execute(said, values or None)
        )

    def later(self, statement: str, values: Sequence[Any] = (), /) -> Callable[[], Any]:
        """What it answers is known at the latest with the end of the transaction, and costs no waiting then."""
        sent = self._sent(statement, values)

        def row() -> Any:
            try:
                return sent.fetchone()
            except psycopg.Error as error:
                raise StoreUnavailableError("the connection was lost with an answer of the server") from error

        return row

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Within a transaction that writes."""
        self._foreknown.answer(statement)
        return self._wire.send_many(postgresql(statement), rows)

    def write_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        self._foreknown.forget(table)
        names = ", ".join(f'"{name}"' for name in columns)
        self._wire.close()  # COPY is a conversation of its own
        with self._raw.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        self._wire.open()

    def referrers(self, table: str) -> list[tuple[str, str]]:
        return self._sent(_REFERRERS, (table,)).fetchall()

    def key_of(self, table: str) -> list[str]:
        return [row[0] for row in self._sent(_KEY, (table,))]

    def others_commits(self) -> int:
        """Counted by revisions: somebody else has written one that who schedules has to know."""
        return self._others_commits

    def now_ms(self) -> int:
        """The server's."""
        return int(self._sent(_NOW, ()).fetchone()[0])

    def damage(self) -> list[str]:
        """What the server has noticed: pages whose checksum is wrong, where it keeps checksums."""
        asked = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
        row = self._sent(asked, ()).fetchone()
        return [f"the server has read {row[0]} damaged pages"] if row and row[0] else []

    # Transactions

    def begin_reading(self) -> None:
        """A view of one moment."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        self._raw.execute(f"{begin}; {self._settings}" if self._settings else begin, prepare=False)

    def begin_writing(self, lock: int, seconds: float | None = None) -> None:
        """A transaction that only one has at a time: whoever else wants `lock` waits, in a queue.

        Each statement sees what was committed before it, so all see what was committed before the lock was had.

        Args:
            seconds: for how long the lock is had at most, from when it is; None: as the connection says.
        """
        self._number, self._writes = 0, True
        self._wire.open()
        self._wire.send("BEGIN")
        if self._settings:
            self._wire.send(self._settings)
        before, after = (self._limit, "") if seconds is None else ("", self._brief(seconds))
        self._wire.send(f"SELECT {before}pg_advisory_xact_lock({lock}){after}")
        self._number, self._revision, decisive = self._foreknown.read(self._wire)
        self._others_commits += decisive != self._expected
        self._expected = decisive

    def _brief(self, seconds: float) -> str:
        """What is selected after the lock: limits that hold from then on, however long it was waited for.

        The one of the transaction counts from when it is first set in it, and not anew.
        """
        limits = ["idle_in_transaction_session_timeout", *(["transaction_timeout"] if self._limit else [])]
        return "".join(f", set_config('{name}', '{seconds * 1000:.0f}', true)" for name in limits)

    @property
    def number(self) -> int:
        """Of the transaction under way, or of the last one; 0 while the server has not told it."""
        return self._number

    def decide(self) -> None:
        """The transaction that was committed last has written a revision that who schedules has to know."""
        self._expected = self._revision + 1

    def commit(self) -> None:
        """Raises what has failed in it, though nobody has asked: the server would roll it back without a word."""
        self._foreknown.forget_all()
        self._wire.send("COMMIT")
        self._wire.close()
        self._writes = False

    @property
    def life(self) -> str:
        """Of the server, as this connection was made: another one after each crash."""
        return self._life

    def has_committed(self, number: int, life: str) -> bool | None:
        """What became of a transaction of somebody; None while it is under way.

        Args:
            life: of the server that gave it the number. What another one says of that number is of another transaction:
                then it counts as lost.
        """
        status = f"CASE WHEN {_LIFE} = $2 THEN pg_xact_status($1::xid8) ELSE 'lost' END"
        row = self._raw.execute(f"SELECT {status}", (str(number), life)).fetchone()
        return None if row is None or row[0] == "in progress" else row[0] == "committed"

    def end_reading(self) -> None:
        self._raw.execute("COMMIT")

    def roll_back(self) -> None:
        self._foreknown.forget_all()
        with suppress(psycopg.Error):  # of a statement that had been sent
            if self._wire.is_open:
                self._wire.close()
        self._raw.execute("ROLLBACK")
        self._writes = False

    def close(self) -> None:
        self._raw.close()


def _set(settings: Mapping[str, str], is_local: str) -> str:
    """A statement that sets them all, for the transaction or for the session."""
    return "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', {is_local})" for name, value in settings.items()
    )
