"""The scheduler as a process: ticks when something happened, sleeps when nothing can.

Woken by ends of runs, by other commands, by the courier of alerts and by the next due time;
it never polls.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from retrofill.domain.errors import StoreUnavailableError
from retrofill.domain.texts import Text
from retrofill.services.backfills.later_starts import LaterStarts
from retrofill.services.ports.leadership import NotLeadingError
from retrofill.services.running.following import Following
from retrofill.services.running.nights import NightMaker
from retrofill.services.running.scheduler import Scheduler
from retrofill.services.running.tick_report import TickReport, earliest
from retrofill.services.upkeep.daily import Daily

if TYPE_CHECKING:
    from retrofill.services.alerts.delivery import Courier
    from retrofill.services.backfills.expecting import Expecting
    from retrofill.services.ports import Clock, Ear, Executor, Leadership

_LONGEST_SLEEP_MS = 60_000  # a missed hint costs at most this
RETRY_MS = 1_000  # when there was no room to note anything


class Loop:
    """Runs a scheduler until somebody says that it is enough.

    Args:
        ear: where hints are heard; the loop closes it.
        schedule: None where auto triggered instances are not made here.
        daily: done once a day, in steps between ticks.
        following: what a deploy changes for those above.
        expecting: keeps expected ends up to date.
        leadership: held by this process; None where nobody else could schedule.
        stands_by: another process leads; only what runs on this machine is seen to.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        later_starts: LaterStarts,
        schedule: NightMaker | None,
        executor: Executor,
        ear: Ear,
        clock: Clock,
        courier: Courier,
        daily: Daily | None = None,
        following: Following | None = None,
        expecting: Expecting | None = None,
        leadership: Leadership | None = None,
        stands_by: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._later_starts = later_starts
        self._schedule = schedule
        self._ear = ear
        self._leadership = None if stands_by else leadership
        self._stands_by = stands_by
        self._clock = clock
        self._daily = None if stands_by else daily
        self._following = following
        self._notes: list[str] = []
        self._expecting = None if stands_by else expecting
        self._nights: list[date] = []  # made since the last tick
        self._missed: list[date] = []  # found since the last tick to be too far back to be made
        self._courier = courier
        self._was_down = True  # until what was missed has been made
        self._clock_trouble: Text | None = None  # that was told
        self._trouble: str | None = None  # what kept instances from being made
        self._poll = select.poll()
        self._poll.register(executor.fileno(), select.POLLIN)
        self._poll.register(ear.fileno(), select.POLLIN)
        self._ear_descriptor = ear.fileno()

    def run(self, observe: Callable[[TickReport], bool], observe_ms: int | None = None) -> None:
        """Tick and sleep until `observe` says so; a loop runs once.

        Args:
            observe: called after every tick and at least every `observe_ms`; True ends the loop.

        Raises:
            NotLeadingError: the term is over; nothing more is started here.
        """
        try:
            self._run(observe, observe_ms)
        finally:
            self._later_starts.leave()
            self._ear.close()

    def _run(self, observe: Callable[[TickReport], bool], observe_ms: int | None) -> None:
        self._scheduler.start()
        planned_ms = self._make_what_room_is_for()
        has_news = True
        while True:
            renew_ms = self._go_on_leading()
            try:
                ticked = self._scheduler.tick()
            except StoreUnavailableError as error:
                soon_ms = self._clock.now_ms() + RETRY_MS
                ticked = TickReport(next_ms=soon_ms, trouble=error.message)
            ticked.notes, self._notes = [*ticked.notes, *self._notes], []
            ticked.nights, self._nights = self._nights, []
            ticked.missed, self._missed = self._missed, []
            ticked.trouble = ticked.trouble or self._trouble
            if observe(ticked):
                return
            if ticked.more:
                continue
            if (ticked.clock_trouble is None) != (self._clock_trouble is None):
                self._courier.tell(ticked.clock_trouble)
                self._clock_trouble = ticked.clock_trouble
            alerts_ms = None if self._stands_by else self._courier.look(ticked.alert_ms)
            is_busy = ticked.trouble is None and self._daily is not None and self._daily.step()
            estimates_ms = self._estimate(has_news or bool(ticked.ended or ticked.started))
            until_ms = (
                self._clock.now_ms()
                if is_busy
                else earliest(ticked.next_ms, planned_ms, alerts_ms, estimates_ms)
            )
            before_ms = self._clock.now_ms()
            has_news = self._sleep(until_ms, observe_ms, renew_ms)
            slept_ms = self._clock.now_ms() - before_ms
            has_news = has_news or not 0 <= slept_ms <= 2 * _LONGEST_SLEEP_MS  # the clock has jumped
            # Ends of runs may follow each other without a pause, and a night shall not wait for one.
            if has_news or (planned_ms is not None and planned_ms <= self._clock.now_ms()):
                planned_ms = self._make_what_room_is_for()

    def _go_on_leading(self) -> int | None:
        """After how many milliseconds the term is to be renewed again; before a tick, which may start work."""
        if self._leadership is None:
            return None
        renew_ms = self._leadership.renew()
        why = self._leadership.lost()
        if why is not None:
            raise NotLeadingError(why)
        return renew_ms

    def _estimate(self, has_moved: bool) -> int | None:
        """When to look again at expected ends; a full disk leaves them as they are."""
        if self._expecting is None:
            return None
        try:
            return self._expecting.look(has_moved)
        except StoreUnavailableError:
            return None

    def _make_what_room_is_for(self) -> int | None:
        """When to look again; a full disk is told by the next tick, and tried again soon."""
        if self._stands_by:
            return None
        self._go_on_leading()
        try:
            note = self._following.look() if self._following is not None else None
            self._notes += [note] if note else []
            planned_ms = self._make_instances()
        except StoreUnavailableError as error:
            self._trouble = error.message
            return self._clock.now_ms() + RETRY_MS
        self._trouble = None
        return planned_ms

    def _make_instances(self) -> int | None:
        """Make the instances of backfills that start now and of nights that are due; when the next is.

        First of all what somebody left half made is removed or finished: a crash, or a full disk.
        """
        self._later_starts.remove_leftovers()
        has_started, has_made = bool(self._later_starts.start_due()), False
        if self._schedule is not None:
            self._schedule.repair()
            has_made = bool(self._schedule.make_owed())  # of a deploy that was killed
            self._nights += self._schedule.make_due(self._was_down, self._missed.extend)
            self._was_down = False
        if has_started or has_made or self._nights:
            self._scheduler.look_again()
        night_ms = None if self._schedule is None else self._schedule.next_ms()
        return earliest(self._later_starts.next_ms(), night_ms)

    def _sleep(self, until_ms: int | None, *longest_ms: int | None) -> bool:
        """Wait for something to happen; True if it was not merely the end of a run."""
        now_ms = self._clock.now_ms()
        timeout = _LONGEST_SLEEP_MS if until_ms is None else max(0, min(until_ms - now_ms, _LONGEST_SLEEP_MS))
        timeout = min(timeout, *(ms for ms in longest_ms if ms is not None), _LONGEST_SLEEP_MS)
        events = self._poll.poll(timeout)
        if any(descriptor == self._ear_descriptor for descriptor, _ in events):
            return self._ear.drain()
        return not events
