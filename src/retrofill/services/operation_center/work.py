"""Who does the work: schedulers, what stands still, and what goes on only once somebody schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.running.states import State
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.domain.texts import Text
    from retrofill.services.ports.watching import Standstill
    from retrofill.services.reading.view import View


class Unstarted(NamedTuple):
    """What goes on, and is started by nobody."""

    backfill_id: int | None  # the first one of which nothing starts
    auto: bool  # auto triggered instances


class WorkDesk(Desk):
    def has_scheduler(self, auto: bool = False) -> bool:
        """Whether somebody starts instances of backfills, or auto triggered ones."""
        return self._parts.watch.starts(auto=auto)

    def standstills(self) -> Sequence[Standstill]:
        """Own processes of this machine that are alive and do nothing."""
        return self._parts.watch.standstills()

    def is_unstarted(self, backfill_id: int) -> bool:
        """Whether a backfill goes on, and nobody is there to start anything of it."""
        if self.has_scheduler():
            return False
        with self.view_if_deployed() as view:
            return view is not None and _goes_on(view, backfill_id)

    def unstarted(self, instance_ids: Sequence[int]) -> Unstarted:
        """What of these instances' backfills, and of the schedule, nobody starts."""
        backfills = self.backfills_of(instance_ids)
        auto = None in backfills and not self.has_scheduler(auto=True)
        first = min((one for one in backfills if one is not None), default=None)
        return Unstarted(first if first is not None and self.is_unstarted(first) else None, auto)

    def backfills_of(self, instance_ids: Sequence[int]) -> set[int | None]:
        """Which backfills these instances are of, as far as the actor sees them; None: auto triggered."""
        with self.view_if_deployed() as view:
            rows = () if view is None or not instance_ids else view.reader.instances(instance_ids)
            return {row.backfill_id for row in rows if view is not None and view.access.sees_instance(row)}

    def still_running(self, instance_ids: Sequence[int]) -> list[int]:
        """Those of these instances that the ledger holds to be running."""
        with self.view_if_deployed() as view:
            rows = () if view is None else view.reader.instances(instance_ids)
            return [
                row.id
                for row in rows
                if view is not None and row.state == State.RUNNING and view.access.sees_instance(row)
            ]

    def missed_nights(self) -> Sequence[Text]:
        """Nights that came and nobody makes, sentences (AUTO-3); what the actor may not see is left out."""
        from retrofill.services.running.missed import find_missed

        with self.view_if_deployed() as view:
            if view is None:
                return ()
            missed = find_missed(view.reader, view.graphs, self._parts.schedule(), view.sees)
            return () if missed is None else tuple(missed.sentences())


def _goes_on(view: View, backfill_id: int) -> bool:
    record = view.reader.find_backfill(backfill_id)
    if record is None or not view.access.sees_backfill(record):
        return False
    return record.ended_ms is None and not (record.paused or record.stopped)
