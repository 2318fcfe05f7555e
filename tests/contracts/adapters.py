"""Who is held to the contracts: every adapter of a port by name, and what a suite may know of it.

A suite names no adapter and opens nothing by itself: it asks these rooms. A new adapter is one more
entry; what it cannot do it says in a flag, for which the suite skips what asks for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol

from brokers import shared
from databases import postgres
from executors.celery import offers
from executors.rooms import Room
from retrofill.domain.people.server_keys import ServerKey
from retrofill.executors.celery.broker import Broker
from retrofill.executors.celery.dispatcher import CeleryDispatcher
from retrofill.executors.local.adoption import name_of
from retrofill.executors.logs.door import LogDoor
from retrofill.executors.logs.fetching import LogDoors
from retrofill.executors.logs.paths import RunPaths
from retrofill.executors.logs.reading import LogFolder
from retrofill.executors.logs.routing import RoutedLogs
from retrofill.executors.logs.storage import open_storage
from retrofill.executors.pull import PullDispatcher
from retrofill.executors.routing import Surroundings
from retrofill.services.ports import Leadership, RunRef, Store
from retrofill.services.ports.dispatching import Dispatcher, Offered
from retrofill.services.ports.hosting import Offer
from retrofill.services.ports.logs import Logs
from retrofill.store.postgres.database import Database as PostgresDatabase
from retrofill.store.sqlite.database import Database
from retrofill.store.sqlite.leading import FlockLeadership
from services.worlds import World


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


class DispatcherRoom:
    """A dispatcher, and somebody who hears what it says.

    Args:
        executor: of resource groups whose offers it makes known.
        dispatcher: the one.
        tells: whether it tells anybody; else offers are looked for.
    """

    def __init__(self, executor: str, dispatcher: Dispatcher, tells: bool) -> None:
        self.executor, self.dispatcher, self.tells = executor, dispatcher, tells

    def hear(self, count: int) -> list[Offer]:
        """So many offers, as they come."""
        return []

    def say_again(self, w: World) -> None:
        """Make known once more what is offered."""
        with w.store.read() as reader:
            runs = [(run, reader.find_instance(run.instance_id)) for run in reader.hosting.waiting()]
        self.dispatcher.offer(
            [
                Offered(Offer(run.instance_id, run.number, run.token), "etl", row.priority, row.due_ms)
                for run, row in runs
                if row is not None
            ]
        )

    def close(self) -> None:
        self.dispatcher.close()


class CeleryRoom(DispatcherRoom):
    """Messages on one of the brokers that a run of tests shares.

    Args:
        kind: `rabbitmq` or `redis`.
    """

    def __init__(self, kind: str) -> None:
        deployment = f"demo.{secrets.token_hex(4)}"
        self._broker = Broker(shared.url(kind), deployment)
        surroundings = Surroundings(deployment, {"broker": self._broker.url}, lambda _: None)
        super().__init__("celery", CeleryDispatcher(surroundings), tells=True)

    def hear(self, count: int) -> list[Offer]:
        return [Offer(*said[1:]) for said in offers.messages(self._broker, count)]  # type: ignore[arg-type]


def pull_room() -> DispatcherRoom:
    surroundings = Surroundings("demo", {}, lambda _: None)
    return DispatcherRoom("pull", PullDispatcher(surroundings), tells=False)


DISPATCHERS: dict[str, Callable[[], DispatcherRoom]] = {
    "pull": pull_room,
    "celery on RabbitMQ": partial(CeleryRoom, "rabbitmq"),
    "celery on Redis": partial(CeleryRoom, "redis"),
}

EXECUTORS: dict[str, Callable[[Path], Room]] = {"local": Room}


class LogsRoom(Protocol):
    """Logs of runs that have ended, as one adapter gives them."""

    def show(self, ref: RunRef, pieces: Sequence[tuple[int, bytes]]) -> Logs:
        """Write a log of these bytes at these offsets, and give what reads it."""
        ...

    def close(self) -> None: ...


class FolderRoom:
    """Those of a folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder / "runs"
        RunPaths(str(self.runs)).make()

    def show(self, ref: RunRef, pieces: Sequence[tuple[int, bytes]]) -> Logs:
        with open(RunPaths(str(self.runs)).log(name_of(ref)), "wb") as file:
            for offset, data in pieces:
                file.seek(offset)
                file.write(data)
        return LogFolder(self.runs)

    def close(self) -> None:
        pass


class StorageRoom:
    """Those of shared storage, to which they were pushed, in part also while they grew.

    Args:
        url: `{}` stands for the test's folder.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._source = FolderRoom(folder)
        self._storage = open_storage(url.format(folder))

    def show(self, ref: RunRef, pieces: Sequence[tuple[int, bytes]]) -> Logs:
        source, offset = self._source.show(ref, pieces), 0
        if is_pushed_while_it_grows := ref.run_number % 2 == 0:
            while (part := source.read(ref, offset, 1000)).data and offset < 3000:
                self._storage.put(ref, part)
                offset = part.next_offset
        self._storage.complete(ref, source, not is_pushed_while_it_grows)
        return self._storage

    def close(self) -> None:
        pass


class DoorRoom:
    """Those of another host, read through its door."""

    def __init__(self, folder: Path) -> None:
        self._source = FolderRoom(folder / "there")
        self._key = ServerKey(b"k" * 32)
        self._door = LogDoor("127.0.0.1:0", LogFolder(self._source.runs), self._key, "there")

    def show(self, ref: RunRef, pieces: Sequence[tuple[int, bytes]]) -> Logs:
        self._source.show(ref, pieces)
        own = LogFolder(self._source.runs.parent / "nothing")
        return RoutedLogs(own, "here", self, LogDoors(lambda: self._key), None)

    def host_of(self, ref: RunRef) -> str | None:
        return "there"

    def door_of(self, host: str) -> str:
        return self._door.url

    def close(self) -> None:
        self._door.close()


LOGS: dict[str, Callable[[Path], LogsRoom]] = {
    "folder": FolderRoom,
    "storage: file": partial(StorageRoom, "file://{}/logs"),
    "storage: memory": partial(StorageRoom, "memory://{}/logs"),
    "door": DoorRoom,
}
