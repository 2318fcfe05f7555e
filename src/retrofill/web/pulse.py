"""What the rail says on every page: who schedules, and how many slots are taken. Looked at once a moment for everybody."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter

_SECONDS = 2.0


class Beat(NamedTuple):
    """How the engine stands.

    Attributes:
        scheduler: whether somebody schedules, and `starts_auto`: also the regular nights.
        taken, slots: of all resource groups together; `kept`: for the schedule alone.
    """

    scheduler: bool
    starts_auto: bool
    taken: int
    kept: int
    slots: int


class Pulse:
    """Shared by all threads of a server. Holds nothing that anybody might not see."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._at = float("-inf")
        self._beat: Beat | None = None

    def beat(self, center: OperationCenter) -> Beat:
        """As of now, or of two seconds ago at most."""
        now = self._clock()
        with self._lock:
            if self._beat is None or now - self._at > _SECONDS:
                self._beat, self._at = _look(center), now
            return self._beat


def _look(center: OperationCenter) -> Beat:
    scheduler = center.work.scheduler()
    groups = center.groups.list()
    return Beat(
        scheduler["runs"],
        scheduler["starts_auto"],
        sum(group["running"] for group in groups),
        sum(group["reserved_for_auto"] for group in groups),
        sum(group["slots"] for group in groups),
    )
