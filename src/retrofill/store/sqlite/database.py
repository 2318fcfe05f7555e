"""The embedded store: one SQLite file, opened so that no crash and no race can hurt it.

WAL with FULL sync. Every write transaction, every checkpoint and the close of a writing
connection holds the flock of `write.lock`, and automatic checkpoints are off, so that two
processes never write or checkpoint at once: the WAL race of SQLite 3.7.0 to 3.51.2 needs
exactly that. Readers open the file read-only, without any lock: whoever only looks needs no
writer, no room on the disk and nobody's leave. See docs/decisions/0004.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError, StoreBusyError
from retrofill.failpoints import fail_point
from retrofill.services.ports.store import ConstraintError
from retrofill.store.schema.revision import StoreError
from retrofill.store.sqlite import locks, presence, schema, waking
from retrofill.store.sqlite.connection import SqliteConnection
from retrofill.store.sqlite.opening import open_reader, refusal
from retrofill.store.sqlite.waiting import PATIENCE_SECONDS, WriteLock
from retrofill.store.sqlite.waking import WakeSocket
from retrofill.store.statements import identity
from retrofill.store.statements.clock import BootClock, boot_clock
from retrofill.store.statements.ledger import Ledger
from retrofill.store.statements.reader import Reader
from retrofill.store.statements.revisions import PRUNE_EVERY

if TYPE_CHECKING:
    from retrofill.services.ports import Reader as PortReader
    from retrofill.services.ports.health import Found

# A checkpoint copies the WAL into the file. Done often, it holds nobody up for long, and the WAL is
# written over instead of growing: a sync of a file that does not grow is cheaper.
COMMITS_UNTIL_CHECKPOINT = 128
_CHANGES = 20_000
_LONGEST_REST = 0.02  # seconds
_IDLE_READERS = 16  # connections that are kept for the next view
_GLANCE_SECONDS = 1.0

Watch = Callable[[sqlite3.Connection, bool], None]


class Database:
    """The store in one directory, for all threads of a process; not shared over a fork.

    Opened when it is first asked for something, and for writing only when something is to be written. Threads
    read at once, each through a connection of its own for as long as a view lasts; they write in turns,
    through one connection, whose pages stay at hand.

    Args:
        watch: called with each connection that is opened and stays, and whether it writes: for who counts what
            passes through it.

    Raises:
        StoreError: then: the file cannot be opened, is damaged or is newer than the program.
        StoreUnavailableError: then: the disk is full, or another process keeps the lock.
    """

    def __init__(
        self, directory: Path, boot_clock: BootClock = boot_clock, watch: Watch = lambda *_: None
    ) -> None:
        self.directory = directory
        self._watch = watch
        self._boot_clock = boot_clock  # what the wall clock is held against (TIME-8)
        self.path = directory / "retrofill.db"
        self._commits = 0  # since the last checkpoint
        self._checkpointed_changes = 0
        self._held_seconds = 0.0  # by the last transaction
        self._turn = threading.RLock()  # among the threads; the flock is among processes
        self._write_lock: WriteLock | None = None
        self._connection: SqliteConnection | None = None  # that writes
        self._idle: list[SqliteConnection] = []  # readers that no thread uses now
        self._all_commits = 0
        self._revisions = 0  # that this process has written
        self._mine = _OfThread()

    def open(self) -> Database:
        """Open it for writing now: make it where there is none, migrate it where it is old."""
        _ = self._writer
        return self

    @property
    def _lock(self) -> WriteLock:
        """Asked for by whose turn it is."""
        if self._write_lock is None:
            try:
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._write_lock = WriteLock(self.directory / "write.lock")
            except OSError as error:
                raise refusal(error, self.path) from None
        return self._write_lock

    @property
    def _writer(self) -> SqliteConnection:
        with self._my_turn():
            if self._connection is None:
                self._connection = self._open_writer()
            return self._connection

    def _open_writer(self) -> SqliteConnection:
        presence.is_there(self.path)
        with self._exclusive():
            if not self._lock.does_lock():
                raise StoreError(
                    f"locks do not lock on the file system of {self.directory}: two processes could write at once",
                    "Put the project on a local disk, or mount this one so that flock works.",
                )
            try:
                connection = sqlite3.connect(
                    self.path,
                    isolation_level=None,
                    cached_statements=256,
                    factory=SqliteConnection,
                    check_same_thread=False,
                )
                os.chmod(self.path, 0o600)
                schema.check(connection)
                connection.executescript(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                    "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32000;"
                )
                schema.upgrade(connection)
                self._know_folder(connection)
                # After the upgrade: rebuilding a table looks to SQLite like deleting what others refer to.
                connection.execute("PRAGMA foreign_keys = ON")
                self._watch(connection, True)
            except (sqlite3.DatabaseError, OSError) as error:
                raise refusal(error, self.path) from None
        return connection

    def _know_folder(self, connection: SqliteConnection) -> None:
        """Bind a new store to its folder; note what a restart of the machine has changed."""
        found = identity.find(connection)
        now = identity.of(self.directory, found.word if found is not None else identity.new_word())
        if found is None or (found != now and found.fits(self.directory)):
            identity.put(connection, now)

    def is_there(self) -> bool:
        """Whether there is a store; False where a new one may be made."""
        return presence.is_there(self.path)

    def revision(self) -> str | None:
        """Of its schema, as it is; None where there is no store."""
        if not self.is_there():
            return None
        connection, _ = open_reader(self.path)
        try:
            return schema.version(connection)
        finally:
            connection.close()

    def take_over(self, word: str, directory: Path) -> None:
        """Be the store of that word, of which this one is a copy, for the folder with this home."""
        writer = self._writer
        with self._exclusive():
            identity.put(writer, identity.of(directory, word))

    def is_copy(self) -> bool:
        """Whether the store belongs to another folder than the one that it lies in (RUN-8)."""
        with self.read() as reader:
            found = identity.find(reader._connection)
        return found is not None and not found.fits(self.directory)

    def bind(self, directory: Path | None = None) -> None:
        """Let it belong to this folder, or to the one that it will be moved to, under a word of its own."""
        writer = self._writer
        with self._exclusive():
            identity.put(writer, identity.of(directory or self.directory, identity.new_word()))

    @contextmanager
    def _exclusive(self, seconds: float | None = None) -> Iterator[None]:
        """Nobody else writes meanwhile: no other thread of this process, and no other process."""
        with self._my_turn(seconds):
            lock = self._lock
            lock.acquire(seconds)
            try:
                yield
            finally:
                lock.release()

    @contextmanager
    def _my_turn(self, seconds: float | None = None) -> Iterator[None]:
        patience = PATIENCE_SECONDS if seconds is None else seconds
        if not self._turn.acquire(timeout=patience):
            raise StoreBusyError(
                f"another thread of this process has been writing to the store for {patience:.0f} seconds"
            )
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def transaction(self, *, checks_references: bool = True, is_brief: bool = False) -> Iterator[Ledger]:
        """One write transaction: commits at the end, rolls back on any exception. On one machine nobody is cut off in one."""
        connection = self._writer
        with self._exclusive(), self._references(checks_references):
            began = time.monotonic()
            try:
                connection.execute("BEGIN IMMEDIATE")
                fail_point("store.begun")
                ledger = Ledger(connection, self._boot_clock, self._all_commits - self._mine.commits)
                yield ledger
                self._revisions += ledger.write_revision(prunes=self._revisions % PRUNE_EVERY == 0)
                _may_fail()
                connection.execute("COMMIT")
                fail_point("store.committed")
            except BaseException as error:
                if connection.in_transaction:  # SQLite itself rolls back where the disk is full
                    with suppress(sqlite3.OperationalError):
                        connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.IntegrityError):
                    raise ConstraintError(str(error)) from error
                if (
                    isinstance(error, sqlite3.OperationalError)
                    and error.sqlite_errorcode != sqlite3.SQLITE_ERROR
                ):
                    raise refusal(error, self.path) from error
                raise
            self._held_seconds = time.monotonic() - began
            self._commits += 1
            self._all_commits += 1
            self._mine.commits += 1
            changes = connection.total_changes - self._checkpointed_changes
            if self._commits >= COMMITS_UNTIL_CHECKPOINT or changes >= _CHANGES:
                self._checkpoint()

    def give_way(self) -> None:
        """Let others write: the lock is not handed over to who waits, so its holder has to rest a little."""
        time.sleep(min(self._held_seconds, _LONGEST_REST))

    def _checkpoint(self) -> None:
        """Copy the WAL into the file; where that fails (a full disk), the next commit tries it again.

        Without an error: what calls this has been committed, and must not look as if it had not.
        """
        with suppress(sqlite3.OperationalError):
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._commits, self._checkpointed_changes = 0, self._writer.total_changes

    @contextmanager
    def _references(self, are_checked: bool) -> Iterator[None]:
        """Foreign keys, checked or not; they cannot be switched within a transaction."""
        if are_checked:
            yield
            return
        self._writer.execute("PRAGMA foreign_keys = OFF")
        try:
            yield
        finally:
            self._writer.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One consistent view; never blocks a writer, nor waits for one. Within another one it is the same view."""
        outer = self._mine.view
        if outer is not None:
            yield Reader(outer, self._boot_clock)
            return
        connection, stays = self._take_reader()
        try:
            connection.execute("BEGIN")
            self._mine.view = connection
            try:
                yield Reader(connection, self._boot_clock)
            finally:
                self._mine.view = None
                connection.execute("COMMIT")
        finally:
            if stays and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
            else:
                connection.close()

    def _take_reader(self) -> tuple[SqliteConnection, bool]:
        """A reading connection that no other thread uses, and whether it is worth keeping."""
        with suppress(IndexError):
            return self._idle.pop(), True
        return self._open_reader()

    def _open_reader(self) -> tuple[SqliteConnection, bool]:
        """A new reading connection; makes or migrates the store first where it must."""
        if not presence.is_there(self.path):
            self.open()
        connection, stays = open_reader(self.path)
        try:
            is_old = not schema.is_current(connection)
        except BaseException:
            connection.close()
            raise
        if is_old:
            connection.close()
            self.open()
            connection, stays = open_reader(self.path)
        if stays:
            self._watch(connection, False)
        return connection, stays

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the store to a new file, while others go on writing.

        Raises:
            StoreError: the store is damaged.
        """
        source, _ = open_reader(self.path)
        copy = sqlite3.connect(path, isolation_level=None)
        try:
            source.backup(copy)  # in one piece: a view of one moment, as every reader has it
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL beside it
            schema.check_integrity(copy, self.path)
        finally:
            copy.close()
            source.close()

    def obstacle(self) -> str | None:
        """Why nobody could write just now, None where one can; waits for a lock a second at most."""
        try:
            with self._exclusive(_GLANCE_SECONDS):
                return None
        except RetrofillError as error:
            return error.message

    def condition(self, reader: PortReader) -> Iterator[Found]:
        """What the store says of itself when somebody asks how it is."""
        from retrofill.store.sqlite.condition import condition

        return condition(self.path, reader)

    def creating(self, what: int | str) -> AbstractContextManager[None]:
        """Mark that this process is creating a backfill (by id) or something else."""
        self.open()
        return locks.creating(self.directory, what)

    def is_being_created(self, what: int | str) -> bool:
        return locks.is_being_created(self.directory, what)

    def wake(self) -> None:
        """Tell a running scheduler that something has changed."""
        waking.wake(self.directory)

    def listen(self) -> WakeSocket:
        """Where a scheduler hears `wake`."""
        return WakeSocket(self.open().directory)

    def close(self) -> None:
        """Close all connections; the writer's close may checkpoint, so it holds the lock.

        A view that another thread looks at stays open until that has looked.
        """
        while self._idle:
            self._idle.pop().close()
        with self._my_turn():
            writer, self._connection = self._connection, None
            if writer is not None:
                # Somebody who stands still in the middle of a write has the file open, so this close checkpoints
                # nothing.
                with suppress(StoreBusyError), self._exclusive():
                    writer.close()
                writer.close()
            lock, self._write_lock = self._write_lock, None
            if lock is not None:
                lock.close()


class _OfThread(threading.local):
    """What a thread has of a store now, and did."""

    def __init__(self) -> None:
        self.view: SqliteConnection | None = None
        self.commits = 0


def _may_fail() -> None:
    """Before a commit, where the crash harness lets the disk refuse: as SQLite says it."""
    fail_point("store.commit")
    try:
        fail_point("fault.store")
    except OSError as error:
        refused = sqlite3.OperationalError(error.strerror)
        is_full = error.errno == errno.ENOSPC
        refused.sqlite_errorcode = sqlite3.SQLITE_FULL if is_full else sqlite3.SQLITE_IOERR_WRITE
        raise refused from None
