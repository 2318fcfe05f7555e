"""An executor of a simulated world: slow, and told by chance to lose, to double and to forget.

It keeps what really happened, apart from the ledger: the truth that the invariants are held to.
Like the real one it starts a token at most once and remembers every end; unlike it, ends may be
told late (a lost hint) or twice, and a crash may come between a commit and what follows from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrofill.services.ports import RunEnd, RunRef, RunSpec
from services.fakes import FakeClock


class CrashError(BaseException):
    """The scheduler's process was killed."""


@dataclass(slots=True)
class Faults:
    """How often things go wrong, each a chance from 0 to 1."""

    crash: float = (
        0.0  # the scheduler dies: before or after a commit, between its starts, with ends in its hands
    )
    unanswered: float = 0.0  # a commit of the scheduler that succeeds and looks as if it had not
    never_started: float = 0.0  # a start that got lost on the way
    told_late: float = 0.0  # an end that is not told before the next adoption or stop
    told_twice: float = 0.0
    lost: float = 0.0  # the supervisor dies, whatever the task does
    fails: float = 0.0
    timeout: float = 0.0


@dataclass(slots=True)
class Run:
    """One process that really ran. Instants are ms; `end` is known from the start to nobody else."""

    spec: RunSpec
    started_ms: int
    ends_ms: int
    end: RunEnd
    is_told: bool = False
    is_late: bool = False

    @property
    def instance_id(self) -> int:
        return self.spec.ref.instance_id


class SimulatedExecutor:
    """Implements the port `Executor` in the time of the world's clock.

    Args:
        seconds_of: how long a run of a spec takes.
        chance: 0 to 1, anew at each call.
    """

    boot_id = "this-boot"
    host: str | None = None

    def __init__(
        self,
        clock: FakeClock,
        seconds_of: Callable[[RunSpec], float],
        chance: Callable[[], float],
        faults: Faults,
    ) -> None:
        self._clock, self._seconds_of, self._chance, self.faults = clock, seconds_of, chance, faults
        self.runs: dict[RunRef, Run] = {}  # in the order of their starts
        self._living: dict[RunRef, Run] = {}  # not told yet
        self._tombstones: set[RunRef] = set()
        self._not_started: list[RunRef] = []
        self._again: list[RunEnd] = []
        self._pipe = os.pipe()

    # The port

    def start(self, runs: Sequence[RunSpec]) -> None:
        for spec in runs:
            if self._happens(self.faults.crash):
                raise CrashError
            if self._happens(self.faults.never_started):
                self._not_started.append(spec.ref)
                continue
            assert spec.ref not in self._tombstones, f"started although it was given up: {spec.ref}"
            assert spec.ref not in self.runs, f"started twice under one token: {spec.ref}"
            twin = next((run for run in self.running() if run.instance_id == spec.ref.instance_id), None)
            assert twin is None, f"started while it still runs: {spec.ref} beside {twin}"
            self.runs[spec.ref] = self._living[spec.ref] = self._begin(spec)

    def poll(self) -> list[RunEnd]:
        now = self._clock.true_ms
        ended = [run for run in self._living.values() if run.ends_ms <= now and not run.is_late]
        ends = self._tell(ended) + self._tell_not_started()
        if ends and self._happens(self.faults.crash):
            raise CrashError
        return ends

    def stop(self, ref: RunRef) -> None:
        run = self._living.get(ref)
        if run is None or run.ends_ms <= self._clock.true_ms:
            return  # its end is on the way
        now = self._clock.true_ms
        run.ends_ms = now + round(self._chance() * 10_000)  # the grace
        began = run.end.started_at or 0.0
        ended = began + (run.ends_ms - run.started_ms) / 1000
        run.end = RunEnd(ref, "stopped", None, 15, began, ended, "stopped")

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        """As after a restart: all that has ended is told, and what never started never will."""
        now = self._clock.true_ms
        self._not_started, self._again = [], []
        known = set(refs)
        self._living = {ref: run for ref, run in self._living.items() if ref in known}
        for run in self._living.values():
            run.is_late = False
        lacking = [ref for ref in refs if ref not in self._living]
        for ref in lacking:
            if ref in self.runs:  # told, and the scheduler died before it could save it
                self._living[ref] = self.runs[ref]
            else:
                self._tombstones.add(ref)
                self._not_started.append(ref)
        ended_now = [run for run in self._living.values() if run.ends_ms <= now]
        return self._tell(ended_now) + self._tell_not_started()

    def fileno(self) -> int:
        return self._pipe[0]

    def close(self) -> None:
        for descriptor in self._pipe:
            os.close(descriptor)

    # The world

    @property
    def next_ms(self) -> int | None:
        """When the next end can be heard, None while nothing runs."""
        ends = [run.ends_ms for run in self._living.values() if not run.is_late]
        return min(ends) + self._clock.jumped_ms if ends else None

    @property
    def has_late(self) -> bool:
        """Whether a run has ended of which only an adoption will tell."""
        return any(run.is_late for run in self._living.values())

    def running(self) -> list[Run]:
        """What really runs now."""
        now = self._clock.true_ms
        return [run for run in self._living.values() if run.ends_ms > now]

    def _begin(self, spec: RunSpec) -> Run:
        now = self._clock.true_ms
        ends_ms = now + max(1, round(1000 * self._seconds_of(spec)))
        outcome, exit_code = "exited", 0
        if self._happens(self.faults.fails):
            exit_code = 1
        elif self._happens(self.faults.lost):
            outcome = "lost"
        elif self._happens(self.faults.timeout):
            outcome = "timeout"
        code = exit_code if outcome == "exited" else None
        message = "" if code == 0 else outcome
        began = self._clock.now_ms()  # what a supervisor reads; the rest is time that passes (TIME-8)
        end = RunEnd(spec.ref, outcome, code, None, began / 1000, (began + ends_ms - now) / 1000, message)
        return Run(spec, now, ends_ms, end, is_late=self._happens(self.faults.told_late))

    def _tell(self, ended: Sequence[Run]) -> list[RunEnd]:
        ends, self._again = self._again, []
        for run in ended:
            run.is_told = True
            del self._living[run.spec.ref]
            ends.append(run.end)
            if self._happens(self.faults.told_twice):
                self._again.append(run.end)
        return ends

    def _tell_not_started(self) -> list[RunEnd]:
        refs, self._not_started = self._not_started, []
        self._tombstones.update(refs)
        now = self._clock.now_ms() / 1000
        return [RunEnd(ref, "not_started", None, None, None, now, "it never started") for ref in refs]

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._chance() < chance
