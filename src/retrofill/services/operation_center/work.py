"""Who does the work: schedulers, what stands still, and what goes on only once somebody schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.states import State
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import InstanceHome, SchedulerState, StandstillRow, Unstarted
    from retrofill.services.reading.view import View


class WorkDesk(Desk):
    def scheduler(self) -> SchedulerState:
        """Whether somebody schedules, and what that one starts; where, only system administrators are told."""
        leader = self._parts.watch.leader()
        if leader is None:
            return {"runs": False, "starts_auto": False, "host": None, "process": None, "since": None}
        is_told = self._actor.is_system_administrator
        return {
            "runs": True,
            "starts_auto": leader.starts_auto,
            "host": leader.host if is_told else None,
            "process": (leader.pid or None) if is_told else None,
            "since": shown_instant(leader.since_ms),
        }

    def standstills(self) -> Sequence[StandstillRow]:
        """Own processes of this machine that are alive and do nothing; a foreign instance is not named."""
        found = self._parts.watch.standstills()
        seen = {row.id for row in self._seen([one.instance_id for one in found if one.instance_id])}
        return [
            {
                "part": one.part,
                "process": one.pid,
                "instance": one.instance_id if one.instance_id in seen else None,
                "text": one.words(names_instance=one.instance_id in seen),
            }
            for one in found
        ]

    def unstarted(self, backfills: Sequence[int] = (), instances: Sequence[int] = ()) -> Unstarted:
        """What of these goes on, and is started by nobody.

        Args:
            backfills: ids of some.
            instances: ids of some, whose backfills are meant, and the schedule.
        """
        watch, homes = self._parts.watch, self.backfills_of(instances)
        auto = any(home["backfill"] is None for home in homes) and not watch.starts(auto=True)
        ids = {*backfills, *(one for home in homes if (one := home["backfill"]) is not None)}
        return {"backfill": None if watch.starts() else self._first_going_on(ids), "auto": auto}

    def backfills_of(self, instances: Sequence[int]) -> Sequence[InstanceHome]:
        """Which backfills these instances are of, as far as the actor sees them."""
        return [{"id": row.id, "backfill": row.backfill_id} for row in self._seen(instances)]

    def still_running(self, instances: Sequence[int]) -> Sequence[int]:
        """Those of these instances that the ledger holds to be running."""
        return [row.id for row in self._seen(instances) if row.state == State.RUNNING]

    # Inside

    def _seen(self, ids: Sequence[int]) -> list[InstanceRecord]:
        if not ids:
            return []
        with self.view_if_deployed() as view:
            rows = () if view is None else view.reader.instances(ids)
            return [row for row in rows if view is not None and view.access.sees_instance(row)]

    def _first_going_on(self, ids: set[int]) -> int | None:
        if not ids:
            return None
        with self.view_if_deployed() as view:
            going = () if view is None else (one for one in sorted(ids) if _goes_on(view, one))
            return next(iter(going), None)


def _goes_on(view: View, backfill_id: int) -> bool:
    record = view.reader.find_backfill(backfill_id)
    if record is None or not view.access.sees_backfill(record):
        return False
    return record.ended_ms is None and not (record.paused or record.stopped)
