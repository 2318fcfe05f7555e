"""Who is held to the contracts: every adapter of a port by name, and what a suite may know of it.

A suite names no adapter and opens nothing by itself: it asks these rooms. A new adapter is one more
entry; what it cannot do it says in a flag, for which the suite skips what asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol

from databases import postgres
from executors.rooms import Room
from retrofill.services.ports import Leadership, Store
from retrofill.store.postgres.database import Database as PostgresDatabase
from retrofill.store.sqlite.database import Database
from retrofill.store.sqlite.leading import FlockLeadership


class StoreRoom(Protocol):
    """One store, empty at first, for the length of a test."""

    open_elsewhere: Callable[[], Store]  # opens it in another process: can be pickled

    def open(self) -> Store:
        """Open it once more, as another process does."""
        ...

    def close(self) -> None:
        """Close all that was opened, and leave nothing behind."""
        ...


def open_sqlite(directory: Path) -> Database:
    return Database(directory).open()


class SqliteRoom:
    def __init__(self, folder: Path) -> None:
        self._directory = folder / ".retrofill"
        self._opened: list[Database] = []
        self.open_elsewhere: Callable[[], Store] = partial(open_sqlite, self._directory)

    def open(self) -> Store:
        self._opened.append(open_sqlite(self._directory))
        return self._opened[-1]

    def close(self) -> None:
        for one in self._opened:
            one.close()


def open_postgres(url: str, directory: Path) -> PostgresDatabase:
    return PostgresDatabase(url, directory, "demo").open()


class PostgresRoom:
    def __init__(self, folder: Path) -> None:
        self._directory = folder / ".retrofill"
        self._directory.mkdir()
        self._closing = ExitStack()
        self._url = self._closing.enter_context(postgres.rows())
        self.open_elsewhere: Callable[[], Store] = partial(open_postgres, self._url, self._directory)

    def open(self) -> Store:
        one = self.open_elsewhere()
        self._closing.callback(one.close)
        return one

    def close(self) -> None:
        self._closing.close()


STORES: dict[str, Callable[[Path], StoreRoom]] = {"sqlite": SqliteRoom, "postgresql": PostgresRoom}


class LeadershipRoom(Protocol):
    """One store's leadership, for the length of a test."""

    candidate: Callable[[], Leadership]  # one process's part: can be pickled

    def close(self) -> None: ...


class FlockRoom:
    def __init__(self, folder: Path) -> None:
        self.candidate: Callable[[], Leadership] = partial(FlockLeadership, folder / ".retrofill")

    def close(self) -> None:
        pass


def lease_candidate(url: str, directory: Path) -> Leadership:
    return open_postgres(url, directory).leadership()


class LeaseRoom:
    def __init__(self, folder: Path) -> None:
        directory = folder / ".retrofill"
        directory.mkdir()
        self._closing = ExitStack()
        url = self._closing.enter_context(postgres.rows())
        self.candidate: Callable[[], Leadership] = partial(lease_candidate, url, directory)

    def close(self) -> None:
        self._closing.close()


LEADERSHIPS: dict[str, Callable[[Path], LeadershipRoom]] = {"flock": FlockRoom, "lease": LeaseRoom}

EXECUTORS: dict[str, Callable[[Path], Room]] = {"local": Room}
