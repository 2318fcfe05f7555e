"""Who keeps others from writing, and transactions that have been open for too long, as the server lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import shown
from retrofill.domain.words import duration

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection

_SESSION = (
    "a.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), ''), coalesce(a.state, ''), "
    "CAST(coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0) AS bigint)"
)
_OURS = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_HOLDER = (
    f"SELECT {_SESSION} FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    f"WHERE l.granted AND l.database = {_OURS} AND a.pid <> pg_backend_pid() AND ("
    "(l.locktype = 'advisory' AND l.classid = ? AND l.objid = ?) "
    "OR (l.locktype = 'relation' AND l.mode <> 'AccessShareLock')) "  # which whoever only looks has
    "ORDER BY l.locktype = 'relation', a.xact_start LIMIT 1"
)
_OPEN = (
    f"SELECT {_SESSION} FROM pg_stat_activity a WHERE a.datid = {_OURS} AND a.xact_start IS NOT NULL "
    "AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() ORDER BY a.xact_start LIMIT 1"
)

_DEAD = (
    "SELECT relname, n_dead_tup, n_live_tup FROM pg_stat_user_tables "
    "WHERE n_dead_tup >= ? AND n_dead_tup > n_live_tup ORDER BY n_dead_tup DESC LIMIT 1"
)


class Session(NamedTuple):
    """A connection of somebody to our database, in a transaction."""

    pid: int
    program: str
    address: str
    state: str
    seconds: int

    def __str__(self) -> str:
        who = shown(self.program) or "somebody"
        where = f" on {self.address}" if self.address else ""
        stands = ", idle in its transaction" if self.state == "idle in transaction" else ""
        return (
            f"a connection of {who}{where} (server process {self.pid}{stands} for {duration(self.seconds)})"
        )


def holder(connection: Connection, lock: int) -> Session | None:
    """Who holds the lock of writers, or where nobody does a lock on one of the tables."""
    row = connection.execute(_HOLDER, (lock >> 32, lock & 0xFFFF_FFFF)).fetchone()
    return Session(*row) if row else None


def oldest(connection: Connection) -> Session | None:
    """Whose transaction has been open for longest: what it can see, the server cannot clear away."""
    row = connection.execute(_OPEN).fetchone()
    return Session(*row) if row else None


def dead_rows(connection: Connection, many: int) -> tuple[str, int, int] | None:
    """The table with most dead rows, its dead and its living ones; None where none has many."""
    row = connection.execute(_DEAD, (many,)).fetchone()
    return (str(row[0]), int(row[1]), int(row[2])) if row else None
