"""Writing a planned backfill into the ledger: wholly, or not at all.

The rows are written in phase `creating`, which nobody sees and no scheduler starts, in
transactions of at most 5,000 rows, so that no tick waits long. The last transaction shows
the backfill. What a crash leaves in `creating` is removed by whoever comes next.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.instants import day_start, local_date
from retrofill.domain.planning import ONE_DAY, Kind
from retrofill.domain.policy import Barrier, priority_by_age
from retrofill.domain.states import Reason, State
from retrofill.domain.template import LongArray
from retrofill.services.contexts import Context
from retrofill.services.records import BackfillRecord, DateRecord
from retrofill.services.settling import Settling
from retrofill.services.times import instant_of, ms_of

if TYPE_CHECKING:
    from retrofill.services.ports import Store

_ROWS = 5_000
_PASSING = (Kind.DRY_RUN, Kind.OFF_DAY, Kind.VIRTUAL)


def create_instances(store: Store, context: Context, now_ms: int) -> None:
    """Write all instances and dates of a backfill in phase `creating`, then show it."""
    plan = context.plan
    rows: list[tuple[object, ...]] = []
    dates: list[DateRecord] = []
    for position in range(len(plan.dates)):
        made = list(_rows_of_date(context, position, now_ms))
        dates.append(_date_record(context, position, len(made), made))
        rows += made
        while len(rows) >= _ROWS:
            with store.transaction() as tx:
                tx.add_instances(rows[:_ROWS])
            del rows[:_ROWS]
    with store.transaction() as tx:
        tx.add_instances(rows)
        tx.add_dates(dates)
    _reach_heads(store, context, now_ms)
    with store.transaction() as tx:
        tx.set_backfill(context.backfill_id, phase="active", check_status="passed", start_ms=None)


def remove_half_created(store: Store, record: BackfillRecord) -> None:
    """Remove what a crash left; one that was planned earlier goes back to that (SEL-4)."""
    plan_dates = json.loads(record.analysis)["groups"]
    last_id = record.first_instance_id + record.stride * sum(len(group) for group in plan_dates) - 1
    while True:
        with store.transaction() as tx:
            if tx.delete_instances(record.first_instance_id, last_id, _ROWS):
                continue
            tx.delete_half_created(record.id, keep=record.start_ms is not None)
            return


def _date_record(
    context: Context, position: int, total: int, rows: Sequence[tuple[object, ...]]
) -> DateRecord:
    plan = context.plan
    frozen = sum(1 for row in rows if row[7] == State.FROZEN)
    group = int(plan.group_of[position])
    bizdate = plan.dates[position].isoformat()
    return DateRecord(context.backfill_id, position, bizdate, group, 0, total, 0, 0, 0, frozen)


def _rows_of_date(context: Context, position: int, now_ms: int) -> Iterator[tuple[object, ...]]:
    """Rows in the order of InstanceRecord, in the order of the template."""
    plan = context.plan
    n = plan.n
    base = context.first_id + position * n
    kinds = plan.kinds(position).tolist()
    isolated = plan.isolated(position)
    due_ms = plan.due(position) * 1000
    by_task = _TaskColumns(context, position, now_ms)
    tasks = plan.task_of.tolist()
    starts = np.where(by_task.is_immediate[plan.task_of], 0, by_task.start_ms(due_ms))
    rows = zip(
        range(base, base + n),
        repeat(context.backfill_id),
        by_task.ids[plan.task_of].tolist(),
        repeat(plan.dates[position].isoformat()),
        plan.slot_of.tolist(),
        due_ms.tolist(),
        [_KIND_NAMES[kind] for kind in kinds],
        [State.FROZEN.value if kind == Kind.FROZEN else State.NOT_RUN.value for kind in kinds],
        [Reason.ISOLATED.value if flag else None for flag in isolated.tolist()],
        [State.NOT_RUN.value if kind == Kind.FROZEN else None for kind in kinds],
        by_task.priorities[plan.task_of].tolist(),
        ["" if kind in _PASSING else by_task.groups[task] for kind, task in zip(kinds, tasks, strict=True)],
        context.open_waits(position).tolist(),
        repeat(0),
        starts.tolist(),
        repeat(1),
        repeat(0),
        repeat(None),
        repeat(None),
    )
    present = plan.present(position)
    if present.all():
        yield from rows
    else:
        yield from (row for row, is_there in zip(rows, present.tolist(), strict=False) if is_there)


_KIND_NAMES = {kind.value: kind.word for kind in Kind}


class _TaskColumns:
    """What all instances of a task have in common on one date, by index of the task."""

    def __init__(self, context: Context, position: int, now_ms: int) -> None:
        plan = context.plan
        now = instant_of(now_ms)
        zones = {plan.catalog.timezone_of(task) for task in plan.tasks}
        today = {zone: local_date(now, zone) for zone in zones}
        bizdate = plan.dates[position]
        self._plan = plan
        self._zones = [plan.catalog.timezone_of(task) for task in plan.tasks]
        self._midnight = {zone: ms_of(day_start(bizdate + ONE_DAY, zone)) for zone in zones}
        self.ids = np.array([context.task_ids[task.name] for task in plan.tasks], dtype=np.int64)
        self.priorities = np.array(
            [
                priority_by_age(task.priority, bizdate, today[zone])
                for task, zone in zip(plan.tasks, self._zones, strict=True)
            ],
            dtype=np.int64,
        )
        self.groups = [plan.resource_group(task) for task in plan.tasks]
        # Dry runs by SEL-6 do not wait for T (RUN-2); those of a task's mode do.
        self.is_immediate = np.array([task.name in plan.dry_runs for task in plan.tasks], dtype=bool)

    def start_ms(self, due_ms: LongArray) -> LongArray:
        """Not before T, or POL-2's moment."""
        if not self._plan.policy.run_future:
            return due_ms
        midnights = np.array([self._midnight[zone] for zone in self._zones], dtype=np.int64)
        return np.minimum(due_ms, midnights[self._plan.task_of]).astype(np.int64)


def _reach_heads(store: Store, context: Context, now_ms: int) -> None:
    """Let every group come to its first date; roots get ready, dry runs among them pass."""
    plan = context.plan
    # With `barrier: task` no date waits for another as a whole.
    by_task = plan.policy.barrier is Barrier.TASK
    heads = [p for p in range(len(plan.dates)) if by_task or plan.previous_in_group(p) is None]
    for position in heads:
        ids = context.ids_of_date(position)
        for start in range(ids.start, ids.stop, _ROWS):
            with store.transaction() as tx:
                tx.reach(context.backfill_id, position)
                settling = Settling(tx, context, now_ms, held=True)
                settling.reached(position, range(start, min(start + _ROWS, ids.stop)))
                settling.settle()
