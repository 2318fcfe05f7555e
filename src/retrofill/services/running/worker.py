"""A worker: sees to the runs of one host, and takes what is offered to it.

It decides nothing about instances: it claims, starts, stops and reports, all in exchanges (`ports.hosting`). It may die
at any moment, as its runs do not depend on it: the next worker of the host adopts them. Without an answer it goes on;
what it has to report waits, and before anybody else may start again what runs here, it has ended that itself.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from retrofill.domain.errors import StoreUnavailableError
from retrofill.domain.running.outcomes import Outcome
from retrofill.services.ports.hosting import Answer, Exchange

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Ear, Executor
    from retrofill.services.ports.hosting import Hosting, HostStatus, Offer
    from retrofill.services.ports.running import RunEnd, RunRef, RunSpec

_PAUSE_MS = 10_000  # between exchanges when nothing happens; a host beats with them
_RETRY_MS = 1_000
_COMPARE_EVERY_MS = 60_000
_CUT_OFF = "its worker was cut off for so long that it ended it, because it may start elsewhere"
_MARGIN = 0.25  # of the time after which runs are lost: so much earlier they are ended here


@dataclass(slots=True)
class Round:
    """What one round has done, for whoever looks on."""

    started: int = 0
    ended: int = 0
    running: int = 0
    is_draining: bool = False
    trouble: str | None = None  # why there was no answer
    cut_off: int = 0  # runs that were ended because they may start elsewhere
    next_ms: int | None = None  # after how long to look again at the latest
    starts: Sequence[RunSpec] = ()
    ends: Sequence[RunEnd] = ()


@dataclass(slots=True)
class _Held:
    """A run that this host carries out."""

    ref: RunRef
    on_lost: bool
    is_told_to_stop: bool = False
    is_cut_off: bool = False


@dataclass(slots=True)
class Told:
    """Offers that a broker has told of, each until it has been asked for; filled from anywhere in this thread."""

    offers: list[Offer] = field(default_factory=list)

    def take(self, most: int) -> list[Offer]:
        """The first of them."""
        taken, self.offers = self.offers[:most], self.offers[most:]
        return taken


class Worker:
    """Rounds of one host.

    Args:
        clock: wall clock of this host, sent along so that its times can be understood elsewhere.
        seconds: time that passes, also while the machine sleeps: by this it knows that it is cut off.
        min_age_ms: it takes offers that nobody has told it of when they are as old as this; None: none.
        told: offers that it was told of.
        takes: whether it still takes more; asked in every round.
    """

    def __init__(
        self,
        hosting: Hosting,
        executor: Executor,
        status: HostStatus,
        clock: Clock,
        seconds: Callable[[], float],
        min_age_ms: int | None = 0,
        told: Told | None = None,
        takes: Callable[[], bool] = lambda: True,
    ) -> None:
        self._hosting = hosting
        self._executor = executor
        self.status = status
        self._clock = clock
        self._seconds = seconds
        self._min_age_ms = min_age_ms
        self._told = told or Told()
        self._takes = takes
        self._held: dict[RunRef, _Held] = {}
        self._unreported: list[RunEnd] = []
        self._is_unsure = False  # whether the last exchange was done
        self._compared_at = 0.0
        self._answered_at = seconds()
        self._lost_after_ms: int | None = None

    @property
    def running(self) -> int:
        return len(self._held)

    @property
    def free(self) -> int:
        return max(self.status.slots - len(self._held), 0) if self._takes() else 0

    def start(self) -> None:
        """Take over what an earlier worker of this host has left.

        Raises:
            StoreUnavailableError: the deployment cannot be asked.
        """
        own = self._hosting.own(self.status)
        self._answered_at = self._seconds()
        self._held = {one.ref: _Held(one.ref, one.on_lost) for one in own}
        self._note_ends(self._executor.adopt([*self._held]))

    def round(self) -> Round:
        """Report, claim, start and stop; never waits for a run."""
        self._note_ends(self._executor.poll())
        done = Round(ends=self._unreported)
        exchange = self._exchange(asked_at := self._seconds())
        try:
            answer = self._hosting.exchange(self.status, exchange)
        except StoreUnavailableError as error:
            self._is_unsure = True
            done.trouble, done.cut_off, done.next_ms = (
                error.message,
                self._end_what_may_start_elsewhere(),
                _RETRY_MS,
            )
        else:
            self._answered_at, self._is_unsure = asked_at, False
            self._compared_at = self._compared_at if exchange.holds is None else asked_at
            self._carry_out(answer, done)
        done.running = len(self._held)
        return done

    def leave(self) -> None:
        """Say that the host is gone, when nothing of it is left; else the next worker goes on here."""
        if not self._held and not self._unreported:
            with suppress(StoreUnavailableError):
                self._hosting.leave(self.status)

    def _exchange(self, now: float) -> Exchange:
        is_time = now - self._compared_at > _COMPARE_EVERY_MS / 1000
        holds = [*self._held] if self._is_unsure or is_time else None
        named = self._told.take(self.free)
        return Exchange(self._clock.now_ms(), self._unreported, self.free, named, self._min_age_ms, holds)

    def _carry_out(self, answer: Answer, done: Round) -> None:
        self._lost_after_ms = answer.lost_after_ms
        done.ended, self._unreported = len(self._unreported), []
        starts = [spec for spec in answer.starts if spec.ref not in self._held]
        if (
            self._may_be_taken_for_lost()
        ):  # it stood still since it asked: what it claimed may run elsewhere by now
            starts, self._is_unsure = [], True
        self._held |= {spec.ref: _Held(spec.ref, spec.on_lost) for spec in starts}
        self._executor.start(starts)
        self._stop(answer.stops)
        self._stop(answer.over)
        done.started, done.starts, done.is_draining = len(starts), starts, answer.is_draining
        pause_ms = min(_PAUSE_MS, answer.lost_after_ms // 4)
        done.next_ms = 0 if self._is_unsure or (answer.left and self.free) else pause_ms

    def _note_ends(self, ends: Iterable[RunEnd]) -> None:
        for end in ends:
            held = self._held.pop(end.ref, None)
            is_cut_off = held is not None and held.is_cut_off and end.outcome == Outcome.STOPPED
            self._unreported.append(
                replace(end, outcome=Outcome.LOST, message=_CUT_OFF) if is_cut_off else end
            )

    def _stop(self, refs: Iterable[RunRef]) -> None:
        for ref in refs:
            held = self._held.get(ref)
            if held is not None and not held.is_told_to_stop:
                held.is_told_to_stop = True
                self._executor.stop(ref)

    def _may_be_taken_for_lost(self) -> bool:
        """Whether it is so long since it asked what was answered that others are about to give up this host."""
        if self._lost_after_ms is None:
            return False
        silent_ms = 1000 * (self._seconds() - self._answered_at)
        return silent_ms >= (1 - _MARGIN) * self._lost_after_ms

    def _end_what_may_start_elsewhere(self) -> int:
        """Cut off for so long that others are about to take its runs for lost: none of them may then run twice."""
        if not self._may_be_taken_for_lost():
            return 0
        ending = [held for held in self._held.values() if held.on_lost and not held.is_told_to_stop]
        for held in ending:
            held.is_cut_off = True
        self._stop([held.ref for held in ending])
        return len(ending)


class WorkerLoop:
    """Rounds until somebody says that it is enough, woken by ends of runs, by calls, and by whatever else is watched.

    Args:
        ear: where calls are heard; the loop closes it.
        others: further descriptors, each with what is done when it is readable.
    """

    def __init__(
        self,
        worker: Worker,
        executor: Executor,
        ear: Ear,
        others: Iterable[tuple[int, Callable[[], None]]] = (),
    ) -> None:
        self._worker = worker
        self._ear = ear
        self._reacts = {ear.fileno(): ear.drain, **dict(others)}
        self._poll = select.poll()
        for descriptor in (executor.fileno(), *self._reacts):
            self._poll.register(descriptor, select.POLLIN)

    def run(self, observe: Callable[[Round], bool], observe_ms: int = 1_000) -> None:
        """Go on until `observe` says so; it is called after every round, at least every `observe_ms` while nothing happens."""
        try:
            while True:
                done = self._worker.round()
                if observe(done):
                    return
                if not self._wait(done, observe, observe_ms):
                    return
        finally:
            self._ear.close()

    def _wait(self, done: Round, observe: Callable[[Round], bool], observe_ms: int) -> bool:
        """Until there is a reason for a round; False where it is enough."""
        left_ms = _PAUSE_MS if done.next_ms is None else done.next_ms
        while left_ms > 0:
            events = self._poll.poll(min(left_ms, observe_ms))
            for descriptor, _ in events:
                self._reacts.get(descriptor, _nothing)()
            if events:
                return True
            left_ms -= observe_ms
            if observe(
                Round(running=self._worker.running, is_draining=done.is_draining, trouble=done.trouble)
            ):
                return False
        return True


def _nothing() -> None:
    """An end of a run: the round asks for it."""
