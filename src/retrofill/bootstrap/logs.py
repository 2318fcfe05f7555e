"""Where the logs of a deployment are read, and where those of this machine are brought besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

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
        """The logs of all machines.

        Raises:
            LogStorageError: nothing here reads such a URL as `log_storage` is.
        """
        from retrofill.executors.logs.reading import LogFolder

        own, host = LogFolder(self._around.folder.runs), self._around.host()
        if host is None and self.storage is None:
            return own
        from retrofill.executors.logs.fetching import LogDoors
        from retrofill.executors.logs.routing import RoutedLogs

        return RoutedLogs(
            own, host or "", _Places(self._around.store), LogDoors(self._key_to_read), self.storage
        )

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
        """What retention sees to besides the logs of this machine.

        Raises:
            LogStorageError: nothing here reads such a URL.
        """
        if self.storage is None:
            return []
        with self._around.store().read() as reader:
            word = reader.word()
        return [self.storage.of(word)] if word else []

    def pushed(self, executor: Executor, runs_directory: Path) -> Executor:
        """The executor with its logs brought to the storage, where there is one.

        Raises:
            LogStorageError: nothing here reads such a URL.
        """
        if self.storage is None:
            return executor
        from retrofill.executors.logs.pushing import LogPusher, PushingExecutor

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
        return "" if found is None or found.left_ms is not None else found.logs_at
