"""Where the logs of a deployment are read, and where those of this machine are brought besides."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from retrofill import __version__
from retrofill.domain.errors import RetrofillError
from retrofill.domain.texts import Text

_LOOPBACK = ("127.0.0.1", "::1", "localhost")  # of the machine that says so, whatever machine reads it

if TYPE_CHECKING:
    from retrofill.bootstrap.folder import Folder
    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.executors.logs.door import LogDoor
    from retrofill.executors.logs.storage import LogStorage, StoreLogs
    from retrofill.services.ports import Executor, RunRef, Store
    from retrofill.services.ports.logs import Logs
    from retrofill.settings.in_force import Settings


@dataclass(frozen=True)
class Surroundings:
    """What a deployment has, each asked for when it is needed.

    Attributes:
        host: this machine's name among those that share the store; None where it has the store alone.
        key: that its servers share.
    """

    folder: Folder
    environ: Mapping[str, str]
    host: Callable[[], str | None]
    store: Callable[[], Store]
    settings: Callable[[], Settings]
    key: Callable[[], ServerKey]


class LogRooms:
    """One a deployment, for all threads; the setting `log_storage` is as it was when it was asked for first."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    @cached_property
    def everywhere(self) -> Logs:
        """The logs of all machines."""
        from retrofill.executors.logs.reading import LogFolder

        own, host, storage = LogFolder(self._around.folder.runs), self._around.host(), self._readable()
        if host is None and storage is None:
            return own
        from retrofill.executors.logs.fetching import LogDoors
        from retrofill.executors.logs.routing import RoutedLogs

        return RoutedLogs(own, host or "", _Places(self._around.store), LogDoors(self._key_to_read), storage)

    @cached_property
    def storage(self) -> LogStorage | None:
        """What all machines push their logs to; None: nothing.

        Raises:
            LogStorageError: nothing here reads such a URL.
        """
        from retrofill.executors.logs.storage import open_storage

        url = self._around.settings().log_storage
        return open_storage(url) if url else None

    def shelves(self) -> list[StoreLogs]:
        """What retention sees to besides the logs of this machine."""
        storage = self.usable_storage
        if storage is None:
            return []
        with self._around.store().read() as reader:
            word = reader.word()
        return [storage.of(word)] if word else []

    @property
    def usable_storage(self) -> LogStorage | None:
        """The storage, where there is one and something here reads it."""
        from retrofill.executors.logs.storage import LogStorageError

        try:
            return self.storage
        except LogStorageError:
            return None

    def _readable(self) -> Logs | None:
        """The storage; one that nothing here reads keeps nobody from reading what lies elsewhere."""
        from retrofill.executors.logs.routing import Unreadable
        from retrofill.executors.logs.storage import LogStorageError

        try:
            return self.storage
        except LogStorageError as error:
            return Unreadable(error)

    def pushed(self, executor: Executor, runs_directory: Path) -> Executor:
        """The executor with its logs brought to the storage, where there is one.

        Where nothing here reads its URL that is said, and they stay here: runs go on.
        """
        from retrofill.executors.logs.pushing import LogPusher, PushingExecutor
        from retrofill.executors.logs.storage import LogStorageError

        try:
            if self.storage is None:
                return executor
        except LogStorageError as error:
            print(f"Logs stay on this machine: {error.message}. {error.hint}", file=sys.stderr, flush=True)
            return executor
        return PushingExecutor(executor, LogPusher(runs_directory, self.storage))

    def door(self, address: str, host: str, runs_directory: Path) -> LogDoor:
        """Let servers read the logs of a folder of runs.

        Raises:
            ServerKeyError: this machine does not have the key that the servers share.
            LogDoorError: nothing can listen at this address.
        """
        from retrofill.executors.logs.door import LogDoor
        from retrofill.executors.logs.reading import LogFolder

        return LogDoor(address, LogFolder(runs_directory), self._known_key(), host)

    def own_door(self, host: str, runs_directory: Path) -> LogDoor:
        """Let who is on this machine read the logs of a folder of runs, with a key that is made where there is none.

        Raises:
            ServerKeyError: the key cannot be read, or made.
        """
        from retrofill.executors.logs.door import LogDoor
        from retrofill.executors.logs.reading import LogFolder

        return LogDoor("127.0.0.1:0", LogFolder(runs_directory), self._around.key(), host)

    @contextmanager
    def serving(self, address: str, logs_at: str = "") -> Iterator[None]:
        """Let servers read the logs of this machine, beside whatever it does, and tell them where; nothing without an address.

        Raises:
            LogDoorError: nothing can listen there, or nobody else shares the store.
            ServerKeyError: this machine does not have the key that the servers share.
        """
        if not address:
            yield
            return
        from retrofill.executors.logs.door import LogDoorError
        from retrofill.services.ports.records import HostRecord

        host = self._around.host()
        if host is None:
            raise LogDoorError(
                "no other machine asks for these logs, because the store is a file of this one",
                Text("Leave {option.serve_logs} out; a server beside the store reads them anyway."),
            )
        door = self.door(address, host, self._around.folder.runs)
        try:
            with self._around.store().transaction() as tx:
                now_ms, label = tx.hosting.now_ms(), os.uname().nodename
                at = logs_at or door.url
                tx.hosting.note(HostRecord(host, label, "local", "[]", 0, __version__, at, now_ms))
            yield
            with suppress(RetrofillError), self._around.store().transaction() as tx:
                tx.hosting.leave(host, tx.hosting.now_ms())
        finally:
            door.close()

    def _known_key(self) -> ServerKey:
        """The one that servers share; never a new one, which no other machine would have.

        Raises:
            ServerKeyError: there is none here.
        """
        from retrofill.identity.server_keys import VARIABLE, ServerKeyError

        around = self._around
        if not around.environ.get(VARIABLE) and not (around.folder.home / "server.key").exists():
            raise ServerKeyError(
                "logs of other machines are read with the key that all servers share, and there is none here",
                f"Set {VARIABLE} to what `.retrofill/server.key` of the server holds.",
            )
        return around.key()

    def _key_to_read(self) -> ServerKey:
        from retrofill.identity.server_keys import ServerKeyError
        from retrofill.services.ports.logs import LogAwayError

        try:
            return self._known_key()
        except ServerKeyError as error:
            raise LogAwayError(error.message, error.hint) from error


class _Places:
    """As the ledger knows them."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def host_of(self, ref: RunRef) -> str | None:
        with self._store().read() as reader:
            runs = reader.runs(ref.instance_id)
        return next((run.host for run in runs if run.token == ref.token), None)

    def door_of(self, host: str) -> str:
        with self._store().read() as reader:
            found = reader.hosting.find(host)
        if found is None or found.left_ms is not None:
            return ""
        is_here = found.label == os.uname().nodename
        return found.logs_at if is_here or urlsplit(found.logs_at).hostname not in _LOOPBACK else ""
