"""The embedded store: one SQLite file, opened so that no crash and no race can hurt it.

WAL with FULL sync. Every write transaction, every checkpoint and the close of a writing
connection holds the flock of `write.lock`, and automatic checkpoints are off, so that two
processes never write or checkpoint at once: the WAL race of SQLite 3.7.0 to 3.51.2 needs
exactly that. Readers open the file read-only. See docs/decisions/0004.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from retrofill.domain.errors import StoreFullError
from retrofill.store import locks, schema
from retrofill.store.ledger import Ledger
from retrofill.store.reader import Reader
from retrofill.store.schema import StoreError

# A checkpoint copies the WAL into the file. Done often, it holds nobody up for long, and the WAL is
# written over instead of growing: a sync of a file that does not grow is cheaper.
_COMMITS = 128
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)  # the second: for the index of the WAL
_CHANGES = 20_000
_LONGEST_REST = 0.02  # seconds


class Database:
    """The store in one directory; not shared between threads or over a fork.

    Raises:
        StoreError: the file cannot be opened, is damaged or is newer than the program.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "retrofill.db"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(directory / "write.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{directory} cannot be written: {error.strerror or error}") from None
        self._commits = 0  # since the last checkpoint
        self._checkpointed_changes = 0
        self._held_seconds = 0.0  # by the last transaction
        self._writer = self._open_writer()
        self._reader: sqlite3.Connection | None = None

    def _open_writer(self) -> sqlite3.Connection:
        if self.path.exists() and not self.path.is_file():
            raise StoreError(f"{self.path} is not a regular file")
        with self._exclusive():
            try:
                connection = sqlite3.connect(self.path, isolation_level=None, cached_statements=256)
                os.chmod(self.path, 0o600)
                schema.check(connection)
                connection.executescript(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                    "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32000;"
                )
                schema.upgrade(connection)
                # After the upgrade: rebuilding a table looks to SQLite like deleting what others refer to.
                connection.execute("PRAGMA foreign_keys = ON")
            except sqlite3.DatabaseError as error:
                raise StoreError(
                    f"{self.path} cannot be used as a store: {error}",
                    "Restore it from a backup, or move it away to start with an empty store; it was not touched.",
                ) from None
        return connection

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    @contextmanager
    def transaction(self, *, checks_references: bool = True) -> Iterator[Ledger]:
        """One write transaction: commits at the end, rolls back on any exception."""
        connection = self._writer
        with self._exclusive(), self._references(checks_references):
            began = time.monotonic()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield Ledger(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:  # SQLite itself rolls back where the disk is full
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in _NO_ROOM:
                    raise StoreFullError(
                        f"there is no room for the store on the disk of {self.directory}"
                    ) from error
                raise
            self._held_seconds = time.monotonic() - began
            self._commits += 1
            changes = connection.total_changes - self._checkpointed_changes
            if self._commits >= _COMMITS or changes >= _CHANGES:
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
        """One consistent view; never blocks a writer. Within another one it is the same view."""
        if self._reader is None:
            self._reader = sqlite3.connect(
                f"file:{_quoted(self.path)}?mode=ro", uri=True, isolation_level=None, cached_statements=256
            )
        connection = self._reader
        if connection.in_transaction:
            yield Reader(connection)
            return
        connection.execute("BEGIN")
        try:
            yield Reader(connection)
        finally:
            connection.execute("COMMIT")

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the store to a new file, while others go on writing.

        Raises:
            StoreError: the store is damaged.
        """
        source = sqlite3.connect(f"file:{_quoted(self.path)}?mode=ro", uri=True, isolation_level=None)
        copy = sqlite3.connect(path, isolation_level=None)
        try:
            source.backup(copy)  # in one piece: a view of one moment, as every reader has it
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL beside it
            schema.check_integrity(copy, self.path)
        finally:
            copy.close()
            source.close()

    def creating(self, what: int | str) -> AbstractContextManager[None]:
        """Mark that this process is creating a backfill (by id) or something else."""
        return locks.creating(self.directory, what)

    def is_being_created(self, what: int | str) -> bool:
        return locks.is_being_created(self.directory, what)

    def wake(self) -> None:
        """Tell a running scheduler that something has changed."""
        locks.wake(self.directory)

    def close(self) -> None:
        """Close both connections; the writer's close may checkpoint, so it holds the lock."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        with self._exclusive():
            self._writer.close()
        os.close(self._lock)


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
