"""What somebody sees first: what needs a person, what is under way, what comes (BF-2, OPS-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.running.filters import BackfillFilter
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Home, HomeCounts, Need
    from retrofill.services.reading.view import View


class HomeDesk(Desk):
    def show(self) -> Home:
        """What needs a person, with what most waits for and what can be done; what goes on, what comes, how nights went.

        Of what needs somebody and of what is under way only the first ones; `counts` says how many there are.
        What somebody has stopped or paused, and what has ended for two weeks, needs nobody.
        """
        from retrofill.services.reading.failures import FailureReader
        from retrofill.services.reading.home import home

        with self.view_if_deployed() as view:
            if view is None:
                return {
                    "counts": {"needs": 0, "under_way": 0},
                    "needs": [],
                    "under_way": [],
                    "ended": [],
                    "coming": [],
                    "nights": [],
                    "schedule_held": False,
                }
            failures = FailureReader(view, lambda: self._parts.logs, lambda: self._parts.specs)
            night = self._parts.schedule().next_night_of(view.reader)
            return home(view, self._general(view), failures, night)

    def count(self) -> HomeCounts:
        """How much of it there is, for whoever looks at something else."""
        from retrofill.services.reading.home import home_counts

        with self.view_if_deployed() as view:
            if view is None:
                return {"needs": 0, "under_way": 0}
            return home_counts(view, len(self._general(view)))

    # Inside

    def _general(self, view: View) -> list[Need]:
        """What hinders everything."""
        from retrofill.services.reading.describing import about_everything
        from retrofill.services.reading.known_hosts import KnownHosts
        from retrofill.services.reading.unattended import find_unattended
        from retrofill.services.upkeep.clocks import trouble_with

        found = []
        if not self._parts.watch.starts() and _has_something_to_start(view):
            text = Text("No scheduler runs, so nothing starts; {start} starts one.", start=_START)
            found.append(about_everything("no_scheduler", text, _START))
        clock = trouble_with(view.reader.clock.check(view.now_ms))
        if clock is not None:
            found.append(about_everything("clock", clock, Step("schedule.accept_clock")))
        hosts = KnownHosts(view.reader, self._parts.watch)
        for one in find_unattended(view, hosts):
            since = shown_instant(view.now_ms - one.since_ms)
            found.append(
                {**about_everything(one.kind, one.text, *one.steps), "name": one.name, "since": since}
            )
        return found


_START = Step("scheduler.start")


def _has_something_to_start(view: View) -> bool:
    if not view.schedule_is_held and view.reader.generations.have_any():
        return True
    found = view.reader.backfills(BackfillFilter(is_open=True), limit=50)
    return any(not (one.paused or one.stopped) and view.access.sees_backfill(one) for one in found)
