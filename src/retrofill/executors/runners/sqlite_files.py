"""Sql tasks on SQLite files, by way of the standard library.

Any number of processes can have a file open, but only one can write: sql tasks queue for it at a lock
beside it, as for DuckDB files. Where another program writes, they try again until the run's timeout ends them.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from retrofill.domain.catalog.connections import ConnectionUrlError, file_url
from retrofill.executors.runners.databases import DatabaseError, Result
from retrofill.executors.runners.turns import RETRY_SECONDS, take_turn

T = TypeVar("T")

_BUSY = sqlite3.SQLITE_BUSY & 0xFF
_OWN_OPTIONS = ("uri", "timeout", "check_same_thread", "cached_statements", "detect_types", "isolation_level")


class SQLite:
    """A connection that begins no transaction by itself."""

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        path, is_uri = _file_of(url)
        self._say = say
        self._has_said = False
        self._turn = take_turn(path.removeprefix("file:").partition("?")[0] if is_uri else path)
        self._connection = self._raising(
            lambda: sqlite3.connect(
                path, timeout=0, isolation_level=None, uri=is_uri, check_same_thread=False
            )
        )

    def begin(self) -> None:
        """With the right to write from the start: to get it later may be impossible."""
        try:
            self._patiently(lambda: self._connection.execute("BEGIN IMMEDIATE"))
        except DatabaseError as error:
            if "readonly" not in str(error):
                raise
            self._patiently(lambda: self._connection.execute("BEGIN"))

    def execute(self, statement: str, limit: int) -> Result:
        return self._patiently(lambda: self._execute(statement, limit))

    def _execute(self, statement: str, limit: int) -> Result:
        cursor = self._connection.execute(statement)
        if cursor.description is None:
            return Result(cursor.rowcount if cursor.rowcount >= 0 else None, [], [])
        columns = [column[0] for column in cursor.description]
        rows = cursor.fetchmany(limit)
        cursor.close()
        return Result(None, columns, rows)

    def commit(self) -> None:
        self._patiently(lambda: self._connection.execute("COMMIT"))

    def interrupt(self) -> None:
        self._connection.interrupt()

    def abandon(self) -> None:
        with contextlib.suppress(Exception):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        with contextlib.suppress(Exception):
            self._connection.close()

    def close(self) -> None:
        self._raising(self._connection.close)

    def _patiently(self, act: Callable[[], T]) -> T:
        """Try again while another program writes; a statement that fails for that has changed nothing."""
        pause = RETRY_SECONDS[0]
        while True:
            try:
                return act()
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) != _BUSY:
                    raise DatabaseError(str(error).strip()) from None
                if not self._has_said:
                    self._say("Waiting: another program is writing to the database")
                    self._has_said = True
            time.sleep(pause)
            pause = min(pause * 1.5, RETRY_SECONDS[1])

    def _raising(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except sqlite3.Error as error:
            raise DatabaseError(str(error).strip()) from None


def _file_of(url: str) -> tuple[str, bool]:
    """The file's path, or a URI of SQLite's and True; as SQLAlchemy reads such URLs."""
    try:
        found = file_url(url)
    except ConnectionUrlError as error:
        raise DatabaseError(str(error)) from None
    assert found is not None
    if not found.is_uri:
        return found.path, False
    kept = [(key, value) for key, value in parse_qsl(found.options) if key not in _OWN_OPTIONS]
    return found.path + (f"?{urlencode(kept)}" if kept else ""), True
