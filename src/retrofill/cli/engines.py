"""Who carries the work on while a command waits: this process where nobody else does, or whoever the server has."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from retrofill.domain.errors import WrongStateError

if TYPE_CHECKING:
    from retrofill.bootstrap.centers import Call
    from retrofill.services.running.tick_report import TickReport

_MOVED = "the project is no longer at {}"
_USUAL_GRACE_SECONDS = 10


class ProjectMovedError(WrongStateError):
    """Wait for it at its new place: what runs goes on, and nothing new starts until then."""

    code = "project_moved"


class Engine(Protocol):
    """What a waiting command looks at and, where it may, drives.

    Attributes:
        look_seconds: between two looks while somebody else carries on.
        grace_seconds: from asking a process to end until it is killed.
    """

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

    look_seconds = 0.2

    def __init__(self, call: Call) -> None:
        self._call = call
        self._place: os.stat_result | None = None  # as it was first seen

    @property
    def grace_seconds(self) -> int:
        return self._call.engine.settings.grace_seconds

    def takes_over(self) -> bool:
        with suppress(FileNotFoundError):  # the folder has just been moved, which the next look tells
            return self._call.leadership.lead()
        return False

    def run(self, is_done: Callable[[TickReport], bool], observe_ms: int, starts: bool = True) -> None:
        from retrofill.services.ports.leadership import NotLeadingError

        with suppress(NotLeadingError):  # another one goes on
            self._call.engine.run(is_done, observe_ms, starts=starts)

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

    look_seconds = 0.5
    grace_seconds = _USUAL_GRACE_SECONDS

    def takes_over(self) -> bool:
        return False

    def run(self, is_done: Callable[[TickReport], bool], observe_ms: int, starts: bool = True) -> None:
        raise AssertionError("who never takes over never runs")

    def resign(self) -> None:
        pass

    def ask_to_end(self, instance_ids: Collection[int]) -> None:
        pass

    def check_place(self) -> None:
        pass

    def deliver(self, patience_seconds: float) -> str | None:
        return None
