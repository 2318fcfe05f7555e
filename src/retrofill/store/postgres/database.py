"""The store on a PostgreSQL server: one database of a deployment, which any number of machines share.

Write transactions are serial: each holds one lock of the database from its begin to its end. A view is one
moment, and waits for nobody. A connection that was lost is made anew by whoever asks next; what was under way
is undone by the server, and the caller is told so. See docs/decisions/0014.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psycopg

from retrofill.domain.errors import RetrofillError, StoreBusyError, StoreUnavailableError
from retrofill.failpoints import fail_point
from retrofill.store.postgres import belonging, blocking, leading, leases, schema
from retrofill.store.postgres.connection import PostgresConnection
from retrofill.store.postgres.hosts import SharedHosts
from retrofill.store.postgres.listening import CHANNEL, WORK, Listening
from retrofill.store.postgres.refusals import refusal
from retrofill.store.schema.revision import is_head
from retrofill.store.sqlite import waking
from retrofill.store.statements.clock import BootClock, boot_clock
from retrofill.store.statements.ledger import Ledger
from retrofill.store.statements.reader import Reader
from retrofill.store.statements.revisions import PRUNE_EVERY

if TYPE_CHECKING:
    from retrofill.services.ports import Reader as PortReader
    from retrofill.services.ports.health import Found

T = TypeVar("T")

WRITERS = 0x5265_7472_6F66  # the number of the advisory lock: "Retrof"
PATIENCE_SECONDS = 30  # for whoever writes
_IDLE_CONNECTIONS = 8  # that are kept for the next view
_STATEMENT_SECONDS = 300
_FINDING_OUT_SECONDS, _LOOK_SECONDS = 5, 0.2  # what became of a commit
# Within a transaction of ours: a process that stands still shall not keep others from writing. While it sends without
# waiting, a server takes it for active: there the whole transaction is limited.
_IDLE_SECONDS, _WRITE_SECONDS, _BRIEF_SECONDS = 600, 1_800, 5
# Like the hints of SQLite's statements: each of ours has an index, whatever statistics say of a table that has
# just been filled. JIT would compile the plans that only seem dear for that.
_SETTINGS = {
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # what is joined in an order stays in it
}
_WAKE = f"SELECT pg_notify('{CHANNEL}', ''), pg_notify('{WORK}', '')"


class Database:
    """The store at one URL, for all threads of a process; not shared over a fork.

    Connects when it is first asked for something. Threads read at once, each through a connection of its own for
    as long as a view lasts; they write in turns, through one connection.

    Args:
        url: postgresql://USER:PASSWORD@HOST:PORT/NAME, as libpq reads it.
        directory: the deployment's home on this machine.
        project: the deployment's name.
        patience_seconds: how long a transaction waits for others.
        longest_write_seconds: after which the server ends a transaction that writes.
        brief_seconds: after which it ends one in which nothing is computed.

    Raises:
        StoreUnreachableError: then: the server cannot be reached, or refuses.
        StoreError: then: the database cannot be used as a store.
    """

    def __init__(
        self,
        url: str,
        directory: Path,
        project: str = "",
        boot_clock: BootClock = boot_clock,
        patience_seconds: float = PATIENCE_SECONDS,
        longest_write_seconds: float = _WRITE_SECONDS,
        brief_seconds: float = _BRIEF_SECONDS,
    ) -> None:
        self.url = url
        self.directory = directory
        self._project = project
        self._boot_clock = boot_clock
        self._patience_seconds = patience_seconds
        self._settings = {"lock_timeout": f"{patience_seconds * 1000:.0f}", **_SETTINGS}
        self._longest_write_seconds = longest_write_seconds
        self._brief_seconds = brief_seconds
        self._turn = threading.RLock()  # among the threads; the server's lock is among processes
        self._writer: PostgresConnection | None = None
        self._idle: list[PostgresConnection] = []  # that no thread uses now
        self._all_commits = 0
        self._revisions = 0  # that this process has written
        self._mine = _OfThread()
        self._is_known = False  # its schema is ours

    @property
    def shown(self) -> str:
        """Where it is, without user and password."""
        with suppress(psycopg.Error):
            found = psycopg.conninfo.conninfo_to_dict(self.url)
            port = f":{found['port']}" if "port" in found else ""
            return f"the database {found.get('dbname', '')} at {found.get('host', 'localhost')}{port}"
        return "the database of the store"

    def open(self) -> Database:
        """Make it where there is none, migrate it where it is old."""
        with self._my_turn():
            self._connected_writer()
        return self

    # Connections

    def _connected_writer(self) -> PostgresConnection:
        """Asked for by whose turn it is."""
        if self._writer is None or not self._writer.is_usable:
            self._writer = self._connect()
        return self._writer

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._patience_seconds):
            raise StoreBusyError(
                f"another thread of this process has been writing to {self.shown} for {self._patience_seconds:.0f} seconds"
            )
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _another(self) -> Iterator[PostgresConnection]:
        """A connection that no other thread uses meanwhile."""
        found = None
        with suppress(IndexError):
            found = self._idle.pop()
        if found is None or not found.is_usable:
            found = self._connect()
        try:
            yield found
        finally:
            if found.is_usable and not found.in_transaction and len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(found)
            else:
                found.close()

    def _connect(self) -> PostgresConnection:
        with self._translated():
            made = PostgresConnection(self.url, self._settings, self._longest_write_seconds)
            if not self._is_known:
                self._know(made)
                self._is_known = True
        return made

    def _know(self, connection: PostgresConnection) -> None:
        """Make or migrate it, and see whether it is this deployment's."""
        found = schema.version(connection)
        if found is None:
            belonging.may_be_made(self.directory, self.shown)
        if not is_head(found):
            schema.upgrade(self.url, WRITERS)
        belonging.check(connection, self.directory, self._project, self.shown)

    def revision(self) -> str | None:
        """Of its schema, as it is; None where there is no store."""
        with self._translated():
            connection = PostgresConnection(self.url, self._settings)
            try:
                return schema.version(connection)
            finally:
                connection.close()

    def is_there(self) -> bool:
        """Whether there is a store; False where a new one may be made."""
        if self._is_known:
            return True
        if self.revision() is not None:
            return True
        belonging.may_be_made(self.directory, self.shown)
        return False

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise refusal(error, self.shown) from error

    def _ask(self, question: Callable[[PostgresConnection], T]) -> T:
        """A question of one statement, outside of any transaction, that may be asked twice."""
        with self._translated():
            with self._another() as connection:
                try:
                    return question(connection)
                except psycopg.OperationalError:
                    if connection.is_usable:
                        raise
            self._forget_idle()  # which were lost with this one, most likely
            with self._another() as connection:
                return question(connection)

    def _forget_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    # Views and transactions

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One consistent view; never blocks a writer, nor waits for one. Within another one it is the same view."""
        outer = self._mine.view
        if outer is not None and outer.is_usable:
            yield Reader(outer, self._boot_clock)
            return
        with self._another() as connection:
            view = self._begun(connection, PostgresConnection.begin_reading, self._connect)
            self._mine.view = view
            try:
                with self._translated():
                    yield Reader(view, self._boot_clock)
            finally:
                self._mine.view = None
                with suppress(psycopg.Error):
                    view.end_reading()
                if view is not connection:
                    view.close()

    @contextmanager
    def transaction(self, *, checks_references: bool = True, is_brief: bool = False) -> Iterator[Ledger]:
        """One write transaction: commits at the end, rolls back on any exception."""
        with self._my_turn():
            writer = self._connected_writer()
            seconds = self._brief_seconds if is_brief else None
            connection = self._begun(
                writer, lambda one: one.begin_writing(WRITERS, seconds), self._connected_writer
            )
            fail_point("store.begun")
            try:
                self._still_creates(connection)
                ledger = Ledger(connection, self._boot_clock, self._all_commits - self._mine.commits)
                yield ledger
                self._revisions += ledger.write_revision(prunes=self._revisions % PRUNE_EVERY == 0)
                self._may_fail()
                self._commit(connection)
            except BaseException as error:
                with suppress(psycopg.Error):
                    if connection.in_transaction:
                        connection.roll_back()
                if isinstance(error, psycopg.Error):
                    raise self._told(error) from error
                raise
            if (
                ledger.decides
            ):  # not before it is sure: a number that was rolled back is given to somebody else
                connection.decide()
            self._all_commits += ledger.decides
            self._mine.commits += ledger.decides
            fail_point("store.committed")

    def _may_fail(self) -> None:
        """Before a commit, where the crash harness lets the disk refuse: as the server says it."""
        fail_point("store.commit")
        try:
            fail_point("fault.store")
        except OSError as error:
            full = psycopg.errors.DiskFull if error.errno == errno.ENOSPC else psycopg.errors.IoError
            raise full(str(error.strerror)) from None

    def _commit(self, connection: PostgresConnection) -> None:
        """Commit; where the connection is lost before the answer has come, ask on another one what became of it."""
        try:
            connection.commit()
        except psycopg.OperationalError:
            # Without a number COMMIT was never sent: the connection was lost before.
            if connection.is_usable or not connection.number or not self._has_committed(connection):
                raise

    def _has_committed(self, lost: PostgresConnection) -> bool:
        """Whether the transaction of a lost connection has been committed, as far as can be found out in a few seconds."""
        number, life = lost.number, lost.life
        until = time.monotonic() + _FINDING_OUT_SECONDS
        while time.monotonic() < until:
            with suppress(RetrofillError):
                found = self._ask(lambda connection: connection.has_committed(number, life))
                if found is not None:
                    return found
            time.sleep(_LOOK_SECONDS)
        return False

    def _begun(
        self,
        connection: PostgresConnection,
        begin: Callable[[PostgresConnection], None],
        again: Callable[[], PostgresConnection],
    ) -> PostgresConnection:
        """The connection in a transaction that has just begun; another one where it was lost meanwhile."""
        try:
            begin(connection)
        except psycopg.Error as error:
            if connection.is_usable:
                with suppress(psycopg.Error):
                    connection.roll_back()
                raise self._told(error) from error
            connection = again()
            with self._translated():
                begin(connection)
        return connection

    def _told(self, error: psycopg.Error) -> Exception:
        """What to tell of an error of the server; who it is that keeps us waiting."""
        found = refusal(error, self.shown)
        if not isinstance(found, StoreBusyError):
            return found
        holder = None
        with suppress(RetrofillError):
            holder = self._ask(lambda connection: blocking.holder(connection, WRITERS))
        if holder is None:
            return found
        return StoreBusyError(
            f"{holder} has kept {self.shown} for more than {self._patience_seconds:.0f} seconds"
        )

    def _still_creates(self, connection: PostgresConnection) -> None:
        for what, holder in self._mine.creates.items():
            if not leases.is_held(connection, what, holder):
                raise StoreUnavailableError(
                    f"this process stood still for so long that others have given up what it was creating ({what})",
                    "Create it again.",
                )

    def give_way(self) -> None:
        """Whoever waits for the lock comes next: the server has a queue."""

    # Whose it is

    def is_copy(self) -> bool:
        """Never: whoever copies the folder of a deployment has another machine for it."""
        return False

    def bind(self, directory: Path | None = None) -> None:
        """Give it another word, so that what carried the old one is not taken for its own."""
        self.open()
        self._ask(lambda connection: belonging.bind(connection, directory or self.directory))

    def take_over(self, word: str, directory: Path) -> None:
        """Be the store of that word, of which this one is a copy, for the folder with this home."""
        self._ask(lambda connection: belonging.bind(connection, directory, word))

    # Marks and hints

    @contextmanager
    def creating(self, what: int | str) -> Iterator[None]:
        """Mark that this process is creating a backfill (by id) or something else."""
        self.open()
        with leases.creating(self._ask, self.directory, what) as holder:
            self._mine.creates[what] = holder
            try:
                yield
            finally:
                del self._mine.creates[what]

    def is_being_created(self, what: int | str) -> bool:
        self.open()
        return self._ask(lambda connection: leases.is_being_created(connection, self.directory, what))

    def wake(self) -> None:
        """Tell schedulers and workers that something has changed: on this machine, and through the server."""
        waking.wake(self.directory)
        with suppress(RetrofillError):
            self._ask(lambda connection: connection.execute(_WAKE))

    def listen(self) -> Listening:
        """Where a scheduler hears `wake`, from whatever machine."""
        return Listening(self.open().directory, self.url)

    def leadership(self, term_seconds: float = leading.TERM_SECONDS) -> leading.LeaseLeadership:
        """One part in deciding who schedules it."""
        return leading.LeaseLeadership(self._ask, self.directory, WRITERS, term_seconds)

    def hosts(self, host: str, lost_after_seconds: float) -> SharedHosts:
        """The machines that share it, as this one sees them."""
        return SharedHosts(self._ask, self.url, host, lost_after_seconds)

    def obstacle(self) -> str | None:
        """Why nobody could write just now, None where one can."""
        try:
            with self.transaction():
                return None
        except RetrofillError as error:
            return error.message

    def condition(self, reader: PortReader) -> Iterator[Found]:
        """What the store says of itself when somebody asks how it is."""
        from retrofill.store.postgres.condition import condition

        return condition(self.shown, reader, self._ask)

    def close(self) -> None:
        """Let go of all connections but those of views that other threads look at; the next question makes them anew."""
        self._forget_idle()
        with self._my_turn():
            if self._writer is not None:
                self._writer.close()
            self._writer = None


class _OfThread(threading.local):
    """What a thread has of a store now, and did."""

    def __init__(self) -> None:
        self.view: PostgresConnection | None = None
        self.creates: dict[int | str, str] = {}  # by whose word
        self.commits = 0
