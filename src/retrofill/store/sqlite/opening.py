"""Opening the store's file, and what to say where that is refused.

Reading needs no lock and no writer. A file in WAL mode is normally read through an index that lies beside
it and may have to be made; where that cannot be, because the disk is full or read-only, and the WAL holds
nothing, the file alone is all there is to read.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from retrofill.domain.errors import RetrofillError, StoreBusyError, StoreFullError, StoreUnavailableError
from retrofill.store.schema.revision import StoreError
from retrofill.store.sqlite.connection import SqliteConnection

_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)  # the second: for the index of the WAL
_NO_ROOM_ERRORS = (errno.ENOSPC, errno.EDQUOT)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
_LITTLE_ROOM = 64 << 10


def open_reader(path: Path) -> tuple[SqliteConnection, bool]:
    """A connection that only reads, and whether it sees what others write from now on.

    Raises:
        RetrofillError: it cannot be opened.
    """
    connection = _connect(path, "mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        if _code(error) & 0xFF not in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) or _has_wal(path):
            raise refusal(error, path) from None
    else:
        return connection, True
    alone = _connect(path, "mode=ro&immutable=1")
    try:
        alone.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        alone.close()
        raise refusal(error, path) from None
    return alone, False


def _connect(path: Path, how: str) -> SqliteConnection:
    quoted = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(
        f"file:{quoted}?{how}",
        uri=True,
        isolation_level=None,
        cached_statements=256,
        factory=SqliteConnection,
        check_same_thread=False,  # used by one thread at a time
    )


def _has_wal(path: Path) -> bool:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def refusal(error: sqlite3.Error | OSError, path: Path) -> RetrofillError:
    """What to tell, and what to do: only a store that is damaged is one to restore."""
    folder = path.parent
    if isinstance(error, OSError):
        if error.errno in _NO_ROOM_ERRORS:
            return StoreFullError(f"there is no room for the store on the disk of {folder}")
        return StoreError(f"{folder} cannot be written: {error.strerror or error}")
    code = _code(error)
    if code in _NO_ROOM or (code & 0xFF in (sqlite3.SQLITE_IOERR, *_FORBIDDEN) and _is_full(folder)):
        return StoreFullError(f"there is no room for the store on the disk of {folder}")
    if code & 0xFF in _DAMAGED:
        return StoreError(
            f"{path} cannot be used as a store: {error}",
            "Restore it from a backup, or move it away to start with an empty store; it was not touched.",
        )
    if code & 0xFF in _BUSY:
        return StoreBusyError(f"another process holds the store's file {path}")
    if code & 0xFF == sqlite3.SQLITE_IOERR:
        return StoreUnavailableError(f"the disk of {folder} refuses: {error}")
    if code & 0xFF in _FORBIDDEN:
        return StoreError(f"{path} cannot be written: {error}", "Look at its permissions, and at the disk.")
    return StoreError(f"{path} cannot be used as a store: {error}")


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0)


def _is_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return not disk.f_flag & os.ST_RDONLY and (
        disk.f_bavail * disk.f_frsize < _LITTLE_ROOM or (disk.f_files > 0 and disk.f_favail == 0)
    )
