"""Who carries the work on while a command waits: this process where nobody else does, or whoever the server has."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from retrofill.domain.errors import WrongStateError

if TYPE_CHECKING:
    from retrofill.bootstrap.centers import Call
    from retrofill.services.running.tick_report import TickReport

_MOVED = "the project is no longer at {}"
_USUAL_GRACE_SECONDS = 10
_ROOM_SECONDS = 5.0  # for a scheduler of this machine to come to a place that was given up for it


class ProjectMovedError(WrongStateError):
    """Wait for it at its new place: what runs goes on, and nothing new starts until then."""

    code = "project_moved"


class Engine(Protocol):
    """What a waiting command looks at and, where it may, drives.

    Attributes:
        may_take_over: whether this process carries on where nobody else does.
        look_seconds: between two looks while somebody else carries on.
        grace_seconds: from asking a process to end until it is killed.
    """

    @property
    def may_take_over(self) -> bool: ...

    @property
    def look_seconds(self) -> float: ...

    @property
    def grace_seconds(self) -> int: ...

    def takes_over(self) -> bool:
        """Whether this process carries on from now on."""
        ...

    def run(self, is_done: Callable[[TickReport], bool], observe_ms: int, starts: bool = True) -> None:
        """Carry on, once it has taken over, until `is_done` or until somebody else leads."""
        ...

    def follow(self, is_done: Callable[[TickReport], bool], observe_ms: int) -> None:
        """While somebody else carries on: rest for a look, or see to what this process has left running here."""
        ...

    def resign(self) -> None:
        """Let others carry on."""
        ...

    def ask_to_end(self, instance_ids: Collection[int]) -> None:
        """Ask the processes of these instances to end where their scheduler does not."""
        ...

    def check_place(self) -> None:
        """Make sure that the project is still where it was.

        Raises:
            ProjectMovedError: its folder has been moved or is gone.
        """
        ...

    def deliver(self, patience_seconds: float) -> str | None:
        """Send queued messages; why what is left could not be sent, None where another one goes on with it."""
        ...


class EngineHere:
    """Beside the store: this process schedules where no other does."""

    may_take_over = True
    look_seconds = 0.2

    def __init__(self, call: Call) -> None:
        self._call = call
        self._place: os.stat_result | None = None  # as it was first seen
        self._lost_at: float | None = None  # when somebody else came to lead

    @property
    def grace_seconds(self) -> int:
        return self._call.engine.settings.grace_seconds

    def takes_over(self) -> bool:
        with suppress(FileNotFoundError):  # the folder has just been moved, which the next look tells
            return self._call.leadership.lead()
        return False

    def run(self, is_done: Callable[[TickReport], bool], observe_ms: int, starts: bool = True) -> None:
        from retrofill.services.ports.leadership import NotLeadingError

        try:
            self._call.engine.run(is_done, observe_ms, starts=starts)
        except NotLeadingError:  # another one goes on
            self._lost_at = time.monotonic()

    def follow(self, is_done: Callable[[TickReport], bool], observe_ms: int) -> None:
        leadership = self._call.leadership
        if not self._has_left_runs() or not leadership.serve():
            time.sleep(self.look_seconds)
            return

        def is_over(ticked: TickReport) -> bool:
            return is_done(ticked) or not self._has_left_runs() or leadership.leader() is None

        try:
            self._call.engine.run(is_over, observe_ms, stands_by=True)
        finally:
            self.resign()

    def _has_left_runs(self) -> bool:
        """Whether something still runs on this machine, and no scheduler has come here that would tell its end."""
        if self._lost_at is None or time.monotonic() < self._lost_at + _ROOM_SECONDS:
            return False
        deployment = self._call.deployment
        with deployment.store.read() as reader:
            return any(run.host == deployment.host for run in reader.open_runs())

    def resign(self) -> None:
        self._call.leadership.resign()

    def ask_to_end(self, instance_ids: Collection[int]) -> None:
        self._call.engine.ask_to_end(instance_ids)

    def check_place(self) -> None:
        """The store stays open wherever its folder goes; a scheduler there is another one's (RUN-8)."""
        found = self._stat()
        self._place = self._place or found
        if not os.path.samestat(found, self._place):
            raise ProjectMovedError(_MOVED.format(self._call.directory))

    def deliver(self, patience_seconds: float) -> str | None:
        if not self._call.leadership.lead():
            return None
        courier = self._call.engine.courier
        try:
            courier.finish(patience_seconds)
        finally:
            self.resign()
        return courier.fault or f"not accepted within {patience_seconds:.0f} s"

    def _stat(self) -> os.stat_result:
        try:
            return os.stat(self._call.home)
        except OSError:
            raise ProjectMovedError(_MOVED.format(self._call.directory)) from None


class EngineThere:
    """At a server, which has its own schedulers: nothing is driven from here, and nothing delivered."""

    may_take_over = False
    look_seconds = 0.5
    grace_seconds = _USUAL_GRACE_SECONDS

    def takes_over(self) -> bool:
        return False

    def run(self, is_done: Callable[[TickReport], bool], observe_ms: int, starts: bool = True) -> None:
        raise AssertionError("who never takes over never runs")

    def follow(self, is_done: Callable[[TickReport], bool], observe_ms: int) -> None:
        time.sleep(self.look_seconds)

    def resign(self) -> None:
        pass

    def ask_to_end(self, instance_ids: Collection[int]) -> None:
        pass

    def check_place(self) -> None:
        pass

    def deliver(self, patience_seconds: float) -> str | None:
        return None
