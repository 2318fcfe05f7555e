"""The regular schedule: whether it goes on, its nights, those that were missed (AUTO-1..3, TIME-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.operation_center.schedule_acts import ScheduleActs

if TYPE_CHECKING:
    from retrofill.services.reading.documents import NightRow, Page, ScheduleDocument


class ScheduleDesk(ScheduleActs):
    # Questions

    def show(self) -> ScheduleDocument:
        """When the next night is, whether the schedule goes on, and which nights were missed.

        Missed tasks that the actor may not see are left out.
        """
        from retrofill.services.running.missed import find_missed
        from retrofill.services.upkeep.clocks import trouble_with

        with self.view_if_deployed() as view:
            if view is None:
                return {
                    "held": False,
                    "last_bizdate": None,
                    "next_at": None,
                    "scheduler": False,
                    "clock": None,
                    "missed": None,
                }
            schedule, generations = self._parts.schedule(), view.reader.generations
            missed = find_missed(view.reader, view.graphs, schedule, view.sees)
            return {
                "held": generations.is_held(),
                "last_bizdate": generations.last_night(),
                "next_at": shown_instant(schedule.next_of(view.reader)),
                "scheduler": self._parts.watch.starts(auto=True),
                "clock": trouble_with(view.reader.clock.check(view.now_ms)),
                "missed": None if missed is None else missed.document(),
            }

    def nights(self, limit: int = 30, before: str | None = None) -> Page[NightRow]:
        """Bizdates with auto triggered instances, newest first.

        Args:
            before: only those before this bizdate.
        """
        from retrofill.services.reading.schedule import nights

        with self.view_if_deployed() as view:
            return {"items": [], "next": None} if view is None else nights(view, limit, before)
