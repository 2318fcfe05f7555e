"""Where an instance queues when it is ready: its priority and its resource group, as judged now."""

from __future__ import annotations

from datetime import date

from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.outlines import Belonging
from retrofill.services.ports.records import InstanceRecord


class QueuePlaces:
    """Places of the instances of one backfill, or of the schedule, at one moment."""

    def __init__(self, context: Belonging, now_ms: int) -> None:
        self._context = context
        self._now_ms = now_ms
        self._today: dict[str, date] = {}

    def of(self, row: InstanceRecord) -> tuple[int, str]:
        """Priority and resource group; no group where it needs no slot (POL-10, POL-12, BF-3)."""
        if row.backfill_id is None:
            return row.priority, row.resource_group
        plan = self._context.plan_of(row.id)
        task = self._context.task(row.id)
        group = plan.resource_group(task) if row.resource_group else ""
        if plan.policy.priority is not None:
            return plan.policy.priority, group
        if task.priority == 1:
            return 1, group  # POL-12: the lowest stays, however old
        from retrofill.domain.planning.policy import priority_by_age

        return priority_by_age(task.priority, row.date, self._today_in(plan.catalog.timezone_of(task))), group

    def _today_in(self, zone: str) -> date:
        from retrofill.domain.time.instants import local_date

        today = self._today.get(zone)
        if today is None:
            today = self._today[zone] = local_date(instant_of(self._now_ms), zone)
        return today
