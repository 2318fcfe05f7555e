"""What passes through the embedded store, for tests that count it; and its file, as any other program sees it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from retrofill.store.postgres.connection import PostgresConnection
from retrofill.store.postgres.database import Database as ServerDatabase


class Connections:
    """The connections of one store: `Database(home, watch=seen.note)`."""

    def __init__(self) -> None:
        self._writers: list[sqlite3.Connection] = []
        self._readers: list[sqlite3.Connection] = []

    def note(self, connection: sqlite3.Connection, writes: bool) -> None:
        (self._writers if writes else self._readers).append(connection)

    @property
    def writer(self) -> sqlite3.Connection:
        """The one that the store writes through now."""
        return self._writers[-1]

    @property
    def reader(self) -> sqlite3.Connection:
        """The one that it reads through."""
        return self._readers[-1]

    @contextmanager
    def steps(self, connection: sqlite3.Connection, each: int = 1) -> Iterator[list[int]]:
        """A list that grows by one with so many steps of SQLite's machine."""
        steps: list[int] = []
        connection.set_progress_handler(lambda: steps.append(1), each)
        try:
            yield steps
        finally:
            connection.set_progress_handler(None, each)


@contextmanager
def file_of(store: Any) -> Iterator[Any]:
    """The store's file or database, opened beside the store; what was changed is committed at the end."""
    if isinstance(store, ServerDatabase):
        with closing(PostgresConnection(store.url, {"lock_timeout": "5s"})) as server:
            yield server
        return
    with closing(sqlite3.connect(store.path)) as connection, connection:
        yield connection
