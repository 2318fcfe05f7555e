"""Logs of a host that nobody can ask: pushed to the server while they grow, and there before their run's end is told.

Whoever follows a log on the server stops when the run has ended, so what it printed last must be there by then. An end
waits for that, but not for a server that does not take the log: then the log comes later.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from retrofill.client.hosting import HttpLogs
from retrofill.domain.errors import UsageError
from retrofill.domain.texts import Text
from retrofill.executors.logs.pushing import LogPusher, PushingExecutor
from retrofill.executors.logs.reading import LogFolder
from retrofill.services.ports.logs import NoLogError

if TYPE_CHECKING:
    from retrofill.client.transport import Transport
    from retrofill.services.ports import Executor, RunEnd, RunRef, RunSpec
    from retrofill.services.ports.logs import LogPart, Logs

PUSHES = 8  # logs at once
_PUSH_SECONDS = 1.0  # between two pushes of a log that grows


class PushedLogs:
    """The way of logs to a server."""

    def __init__(self, server: Transport) -> None:
        self._server = server

    def pushed(self, executor: Executor, runs_directory: Path) -> Executor:
        """The executor, which tells ends when their logs are there."""
        arrivals = _Arrivals()
        destination = _Noted(HttpLogs(self._server, executor.host or ""), arrivals)
        pusher = LogPusher(runs_directory, destination, every_seconds=_PUSH_SECONDS)
        return LogsFirst(PushingExecutor(executor, pusher), runs_directory, arrivals)

    def door(self, address: str, host: str, runs_directory: Path) -> NoReturn:
        raise UsageError(
            "a worker that asks a server pushes its logs there, and serves none",
            Text("Leave {option.serve_logs} out."),
        )

    def own_door(self, host: str, runs_directory: Path) -> None:
        """None: they are read at the server."""


class _Arrivals:
    """Runs whose logs have been brought, or could not be, as one thread hears of it from others."""

    def __init__(self) -> None:
        self._refs: deque[RunRef] = deque()
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def note(self, ref: RunRef) -> None:
        self._refs.append(ref)
        os.eventfd_write(self.descriptor, 1)

    def take(self) -> set[RunRef]:
        """Those since the last time."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.descriptor)
        return {self._refs.popleft() for _ in range(len(self._refs))}


class _Noted:
    """A destination that says when a log is there, or was not taken."""

    def __init__(self, logs: HttpLogs, arrivals: _Arrivals) -> None:
        self._logs, self._arrivals = logs, arrivals

    def put(self, ref: RunRef, part: LogPart) -> None:
        self._logs.put(ref, part)

    def complete(self, ref: RunRef, source: Logs, is_first: bool) -> None:
        try:
            self._logs.complete(ref, source, is_first)
        finally:
            self._arrivals.note(ref)


class LogsFirst:
    """An executor that tells the end of a run that has printed something once its log has arrived."""

    def __init__(self, inner: Executor, runs_directory: Path, arrivals: _Arrivals) -> None:
        self._inner, self._logs, self._arrivals = inner, LogFolder(runs_directory), arrivals
        self.boot_id, self.host = inner.boot_id, inner.host
        self._held: dict[RunRef, RunEnd] = {}
        self._epoll = select.epoll()
        for descriptor in (inner.fileno(), arrivals.descriptor):
            self._epoll.register(descriptor, select.EPOLLIN)

    def start(self, runs: Sequence[RunSpec]) -> None:
        self._inner.start(runs)

    def poll(self) -> list[RunEnd]:
        for end in self._inner.poll():
            self._held[end.ref] = end
        arrived = self._arrivals.take()
        ready = [ref for ref in self._held if ref in arrived or not self._has_printed(ref)]
        return [self._held.pop(ref) for ref in ready]

    def _has_printed(self, ref: RunRef) -> bool:
        try:
            return self._logs.read(ref, 0, 0).size > 0
        except NoLogError:
            return False

    def fileno(self) -> int:
        return self._epoll.fileno()

    def stop(self, ref: RunRef) -> None:
        if ref not in self._held:
            self._inner.stop(ref)

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        return self._inner.adopt(refs)

    def close(self) -> None:
        """What is held is told by the next worker, which finds it in the journals."""
        self._inner.close()
        self._epoll.close()
