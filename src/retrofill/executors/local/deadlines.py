"""How long own processes may stand still: supervisors and launchers that a signal has stopped.

A run that nobody has claimed in time is given up under its token, which is safe whatever the supervisor does
later. A process that stands still is let go on after a while; a supervisor that stands still beyond the
timeout or the stop of its run is ended, and its run with it. Nothing else is ever judged by the clock.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from retrofill.executors.local import processes
from retrofill.services.ports import RunRef

CLAIM_SECONDS = 30.0  # from handing a run over to its claim
STILL_SECONDS = 60.0  # until a process that stands still is let go on
OVERDUE_SECONDS = 30.0  # beyond a run's timeout or stop, and the grace
LOOK_SECONDS = 5.0
STOOD_STILL = "its supervisor stood still"


class Overdue(NamedTuple):
    """When a run must have ended, by the monotonic clock, and how it ends if it has not."""

    at: float
    outcome: str
    message: str


class Deadlines:
    """Those of one executor's runs."""

    def __init__(self, grace_seconds: float) -> None:
        self._grace = grace_seconds
        self._claims: dict[RunRef, float] = {}
        self._ends: dict[RunRef, Overdue] = {}
        self._still: dict[int, float] = {}  # processes that were seen standing still: since when
        self._looked_at = 0.0

    def begin(self, ref: RunRef, timeout_seconds: float) -> None:
        """A run was handed over."""
        now = time.monotonic()
        self._claims[ref] = now + CLAIM_SECONDS
        at = now + timeout_seconds + self._grace + OVERDUE_SECONDS
        self._ends[ref] = Overdue(at, "timeout", f"timed out; {STOOD_STILL} beyond that, so both were ended")

    def stop(self, ref: RunRef) -> None:
        """A run was asked to end."""
        at = time.monotonic() + self._grace + OVERDUE_SECONDS
        end = Overdue(at, "stopped", f"stopped; {STOOD_STILL} beyond that, so both were ended")
        if ref not in self._ends or at < self._ends[ref].at:
            self._ends[ref] = end

    def claimed(self, ref: RunRef) -> None:
        self._claims.pop(ref, None)

    def forget(self, ref: RunRef) -> None:
        """The run has ended."""
        self._claims.pop(ref, None)
        self._ends.pop(ref, None)

    def is_time_to_look(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        return True

    def unclaimed(self) -> list[RunRef]:
        """Runs whose claim is due by now."""
        now = time.monotonic()
        return [ref for ref, at in self._claims.items() if at <= now]

    def overdue(self, ref: RunRef) -> Overdue | None:
        """How a run ends that should have ended by now, None while it may go on."""
        end = self._ends.get(ref)
        return end if end is not None and end.at <= time.monotonic() else None

    def stands_still(self, pid: int) -> float | None:
        """For how long a process has been seen standing still; None where it goes on or has gone."""
        process = processes.look_at(pid)
        if process is None or not process.is_stopped:
            self._still.pop(pid, None)
            return None
        return time.monotonic() - self._still.setdefault(pid, time.monotonic())
