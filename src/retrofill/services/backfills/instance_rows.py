"""Writing a planned backfill into the ledger: wholly, or not at all.

The rows are written in phase `creating`, which nobody sees and no scheduler starts, in
transactions of at most 5,000 rows, so that no tick waits long. The last transaction shows
the backfill. What a crash leaves in `creating` is removed by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import compress, repeat
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.planning.plan import Kind
from retrofill.domain.planning.policy import Barrier, priority_by_age
from retrofill.domain.planning.start_times import StartTimes
from retrofill.domain.running.states import Reason, State
from retrofill.domain.time.instants import local_date
from retrofill.domain.time.milliseconds import instant_of
from retrofill.failpoints import fail_point
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.backfill_status import note_end
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.propagation import Propagation
from retrofill.services.instances.stored import planned_dates_of, selection_of
from retrofill.services.ports.records import BackfillRecord, DateRecord, in_columns
from retrofill.services.ports.store import MOST_ROWS

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, IntArray
    from retrofill.domain.planning.plan import Plan
    from retrofill.services.ports import Store

_PASSING = (Kind.DRY_RUN, Kind.OFF_DAY, Kind.VIRTUAL)
_KIND_NAMES = {kind.value: kind.word for kind in Kind}
_FROZEN, _NOT_RUN, _ISOLATED = State.FROZEN.value, State.NOT_RUN.value, Reason.ISOLATED.value


def create_instances(store: Store, context: BackfillGraph, now_ms: int) -> None:
    """Write all instances and dates of a backfill in phase `creating`, then show it."""
    fail_point("backfill.stored")
    plan = context.plan
    maker = InstanceRows(plan, context.task_ids, now_ms)
    rows: list[tuple[object, ...]] = []
    dates: list[DateRecord] = []
    for position in range(len(plan.dates)):
        made = maker.of_date(
            position,
            context.ids_of_date(position),
            context.backfill_id,
            context.open_waits(position),
            plan.isolated(position),
            plan.present(position),
        )
        dates.append(_date_record(context, position, len(made)))
        rows += made
        while len(rows) >= MOST_ROWS:
            with store.transaction() as tx:
                tx.add_instances(rows[:MOST_ROWS])
            del rows[:MOST_ROWS]
    with store.transaction() as tx:
        tx.add_instances(rows)
        tx.add_dates(dates)
    _reach_heads(store, context, now_ms)
    fail_point("backfill.written")
    with store.transaction() as tx:
        tx.set_backfill(context.backfill_id, phase="active", check_status="passed", start_ms=None)
        record = tx.find_backfill(context.backfill_id)
        assert record is not None
        # What is frozen or isolated from the start may leave nothing that a tick would look at.
        note_end(tx, record, now_ms, holds_of([record], instant_of(now_ms)))


def remove_half_created(store: Store, record: BackfillRecord) -> None:
    """Remove what a crash left; one that was planned (SEL-4) or checked before goes back to that."""
    back_to = None
    if record.start_ms is not None:
        is_planned = selection_of(record).is_chosen_at_start
        back_to = "planned" if is_planned else "checking"
    last_id = record.first_instance_id + record.stride * len(planned_dates_of(record)) - 1
    while True:
        with store.transaction() as tx:
            if all(left.id != record.id for left in tx.in_phase("creating")):
                return  # whoever makes it has finished it since it was looked for
            if tx.delete_instances(record.first_instance_id, last_id, MOST_ROWS):
                continue
            tx.delete_half_created(record.id, back_to)
            return


def _date_record(context: BackfillGraph, position: int, total: int) -> DateRecord:
    plan = context.plan
    return DateRecord(
        backfill_id=context.backfill_id,
        position=position,
        bizdate=plan.dates[position].isoformat(),
        group_number=int(plan.group_of[position]),
        reached=0,
        total=total,
        successful=0,
        failed=0,
        running=0,
        frozen=int((plan.kinds(position)[plan.present(position)] == Kind.FROZEN).sum()),
    )


class InstanceRows:
    """Makes the rows of a plan, for `Ledger.add_instances`; knows what a task's instances share."""

    def __init__(self, plan: Plan, task_ids: Mapping[str, int], now_ms: int) -> None:
        self._plan = plan
        tasks = plan.tasks
        now = instant_of(now_ms)
        zones = [plan.catalog.timezone_of(task) for task in tasks]
        today = {zone: local_date(now, zone).toordinal() for zone in set(zones)}
        self._today = np.array([today[zone] for zone in zones])
        self._ids = np.array([task_ids[task.name] for task in tasks])[plan.task_of].tolist()
        self._priority_now = np.array([task.priority for task in tasks])
        self._priority_old = np.array(
            [priority_by_age(task.priority, date.min, now.date()) for task in tasks]
        )
        groups = [plan.resource_group(task) for task in tasks]
        self._groups = [groups[i] for i in plan.task_of.tolist()]
        self._slots = plan.slot_of.tolist()
        self._moments = StartTimes(plan)

    def of_date(
        self,
        position: int,
        ids: Sequence[int],
        backfill_id: int | None,
        open_waits: IntArray,
        isolated: BoolArray,
        exists: BoolArray,
    ) -> list[tuple[object, ...]]:
        """Rows of one date, in the order of the template.

        Args:
            ids, open_waits, isolated, exists: one entry per place; only places that exist get a row.
            backfill_id: None for auto triggered instances, whose priority age does not lower (POL-12).
        """
        plan = self._plan
        kinds = plan.kinds(position).tolist()
        rows = in_columns(
            id=ids,
            backfill_id=repeat(backfill_id),
            task_id=self._ids,
            bizdate=repeat(plan.dates[position].isoformat()),
            slot=self._slots,
            due_ms=self._moments.due(position).tolist(),
            kind=[_KIND_NAMES[kind] for kind in kinds],
            state=[_FROZEN if kind == Kind.FROZEN else _NOT_RUN for kind in kinds],
            reason=[_ISOLATED if flag else None for flag in isolated.tolist()],
            frozen_from=[_NOT_RUN if kind == Kind.FROZEN else None for kind in kinds],
            priority=self._priorities(position, is_aged=backfill_id is not None),
            resource_group=[
                "" if kind in _PASSING else group for kind, group in zip(kinds, self._groups, strict=True)
            ],
            open_waits=open_waits.tolist(),
            ignores_waits=repeat(0),
            start_ms=self._moments.starts(position).tolist(),
            run_number=repeat(1),
            reruns=repeat(0),
            started_ms=repeat(None),
            ended_ms=repeat(None),
        )
        return list(rows) if exists.all() else list(compress(rows, exists.tolist()))

    def _priorities(self, position: int, is_aged: bool) -> list[int]:
        """POL-12, as judged now."""
        is_old = (self._plan.dates[position].toordinal() < self._today - 1) & is_aged
        by_task = np.where(is_old, self._priority_old, self._priority_now)
        priorities: list[int] = by_task[self._plan.task_of].tolist()
        return priorities


def _reach_heads(store: Store, context: BackfillGraph, now_ms: int) -> None:
    """Let every group come to its first date; roots get ready, dry runs among them pass."""
    plan = context.plan
    # With `barrier: task` no date waits for another as a whole.
    by_task = plan.policy.barrier is Barrier.TASK
    heads = [p for p in range(len(plan.dates)) if by_task or plan.previous_in_group(p) is None]
    for position in heads:
        ids = context.ids_of_date(position)
        for start in range(ids.start, ids.stop, MOST_ROWS):
            with store.transaction() as tx:
                tx.reach(context.backfill_id, position)
                propagation = Propagation(tx, context, now_ms, held=True)
                propagation.reached(position, range(start, min(start + MOST_ROWS, ids.stop)))
                propagation.propagate()
