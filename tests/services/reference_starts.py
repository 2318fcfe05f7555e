"""RUN-1 and RUN-5 to RUN-7 once more, slowly: from all rows at once, one start after the other.

It asks nothing of the product but rows, and of a plan only who waits for whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.running.states import State
from retrofill.services.ports.records import InstanceRecord


@dataclass(frozen=True)
class Moment:
    """The ledger at one moment, as far as starting goes.

    Args:
        holds: what keeps a backfill from starting anything (paused, stopped, window), by its id;
            of None what keeps the schedule.
        limit_of: `max_parallel_instances` of an instance's task, as of its version.
    """

    rows: dict[int, InstanceRecord]
    catalog: Catalog
    holds: dict[int | None, str]
    limit_of: Callable[[InstanceRecord], int | None]

    def of(self, state: State) -> list[InstanceRecord]:
        return [row for row in self.rows.values() if row.state == state]

    def ready(self) -> list[InstanceRecord]:
        """What needs a slot and only waits for resources, in the order of RUN-1."""
        rows = [row for row in self.of(State.WAITING_RESOURCES) if row.resource_group]
        return sorted(rows, key=lambda r: (-r.priority, r.backfill_id is not None, r.due_ms, r.id))

    def without(self, started: Iterable[int]) -> Moment:
        """As it was before these started."""
        before = {i: self.rows[i]._replace(state=State.WAITING_RESOURCES, reason=None) for i in started}
        return replace(self, rows={**self.rows, **before})

    def with_start(self, row: InstanceRecord) -> Moment:
        return replace(self, rows={**self.rows, row.id: row._replace(state=State.RUNNING)})

    def hindrance(self, row: InstanceRecord) -> str | None:
        """What keeps a ready instance from starting, as `why` calls it; None if it may start now."""
        if row.backfill_id in self.holds:
            return self.holds[row.backfill_id]
        group = self.catalog.resource_groups.get(row.resource_group)
        if group is None:
            return "no_group"
        running = self.of(State.RUNNING)
        same_task = [other for other in running if other.task_id == row.task_id]
        if row.backfill_id is not None and self._auto_goes_first(row, same_task):
            return "auto_first"
        if any((other.bizdate, other.slot) == (row.bizdate, row.slot) for other in same_task):
            return "rival" if row.backfill_id is None else "same_partition"
        limit = self.limit_of(row)
        if limit is not None and len(same_task) >= limit:
            return "task_limit"
        in_group = [other for other in running if other.resource_group == group.name]
        if len(in_group) >= group.slots:
            return "slots"
        of_backfills = sum(1 for other in in_group if other.backfill_id is not None)
        if row.backfill_id is not None and of_backfills >= group.slots - group.reserved_for_auto:
            return "reserved"
        return None

    def _auto_goes_first(self, row: InstanceRecord, same_task: list[InstanceRecord]) -> bool:
        """RUN-5: an auto triggered instance of the task runs, or is ready and somebody will start it."""
        if any(other.backfill_id is None for other in same_task):
            return True
        return None not in self.holds and any(
            other.backfill_id is None and other.task_id == row.task_id for other in self.ready()
        )


def expected_starts(moment: Moment) -> set[int]:
    """Ids of what a tick should start: always the first that may, over all groups."""
    started: set[int] = set()
    while True:
        first = next((row for row in moment.ready() if moment.hindrance(row) is None), None)
        if first is None:
            return started
        started.add(first.id)
        moment = moment.with_start(first)
