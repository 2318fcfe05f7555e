"""Every instance of a plan as a row for people and programs (VER-4).

Rows come in an order in which they may run; names and forms of their keys are promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.expressions import Context
from retrofill.domain.catalog.parameters import resolve
from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.planning.policy import priority_by_age
from retrofill.domain.planning.running_order import running_order
from retrofill.domain.planning.template import Edges
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import local_date

_Lists = tuple[list[int], list[int]]


def plan_rows(
    plan: Plan,
    now: datetime,
    node_ids: Mapping[str, int] | None = None,
    sees: Callable[[str], bool] = lambda _: True,
) -> Iterator[dict[str, Any]]:
    """One dictionary per instance, dates in running order.

    Args:
        now: aware; priorities are shown as judged now (POL-12).
        node_ids: ids by full task name, None before the first deploy (PAR-6).
        sees: whether the user may see more of a task than its name (SEC-2).
    """
    today = {zone: local_date(now, zone) for zone in {plan.catalog.timezone_of(t) for t in plan.tasks}}
    columns = [_TaskColumns(plan, task, node_ids, sees, today) for task in plan.tasks]
    orders: dict[int, list[int]] = {}
    wiring = _Wiring(plan)
    for date_index in range(len(plan.dates)):
        validity = plan.validity(date_index)
        if validity not in orders:
            orders.clear()
            orders[validity] = running_order(
                plan.template, plan.edges_within(date_index), plan.present(date_index)
            )
        yield from _rows(plan, date_index, orders[validity], columns, wiring)


class _TaskColumns:
    """What all rows of a task share."""

    def __init__(
        self,
        plan: Plan,
        task: Task,
        node_ids: Mapping[str, int] | None,
        sees: Callable[[str], bool],
        today: Mapping[str, date],
    ) -> None:
        self.task = task
        self.is_seen = sees(task.name)
        self.resource_group = plan.resource_group(task) if self.is_seen else None
        self.parameters = plan.parameters_of(task) if self.is_seen else ()
        node_id = None if node_ids is None else node_ids.get(task.name)
        self.node_id = None if node_id is None else str(node_id)
        self.today = today[plan.catalog.timezone_of(task)]
        reason = plan.dry_run_reason(task)
        self.dry_run_reason = None if reason is None else reason.value

    def priority(self, bizdate: date) -> int | None:
        """As judged now; None where it may not be shown."""
        return priority_by_age(self.task.priority, bizdate, self.today) if self.is_seen else None

    def values(self, bizdate: date, scheduled_at: datetime) -> dict[str, str]:
        if not self.parameters:
            return {}
        task = self.task
        context = Context(bizdate, scheduled_at, task.workspace, task.short_name, None, self.node_id, None)
        return resolve(self.parameters, context)


class _Wiring:
    """The template's arrays as lists: reading single entries of an array is slow."""

    def __init__(self, plan: Plan) -> None:
        self.task_of: list[int] = plan.task_of.tolist()
        self.slot_of: list[int] = plan.slot_of.tolist()
        self.clock_of = [f"T{slot // 60:02}:{slot % 60:02}:00" for slot in self.slot_of]
        self.name_of = [plan.tasks[i].name for i in self.task_of]
        self._lists: dict[int, tuple[Edges, _Lists]] = {}  # by identity: few edges serve all dates

    def above(self, edges: Edges, place: int) -> list[int]:
        """The places that this one waits for."""
        kept = self._lists.get(id(edges))
        if kept is None:
            kept = self._lists[id(edges)] = (edges, (edges.up_from.tolist(), edges.up.tolist()))
        starts, up = kept[1]
        return up[starts[place] : starts[place + 1]]


def _rows(
    plan: Plan, date_index: int, order: list[int], columns: list[_TaskColumns], wiring: _Wiring
) -> Iterator[dict[str, Any]]:
    bizdate = plan.dates[date_index]
    day = bizdate + ONE_DAY
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
    kinds = plan.kinds(date_index).tolist()
    isolated = plan.isolated(date_index).tolist()
    present = plan.present(date_index).tolist()
    before = plan.date_before(date_index)
    present_before = [] if before is None else plan.present(before).tolist()
    within = plan.edges_within(date_index)
    earlier = None if before is None else plan.edges_before(date_index, before)
    for place in order:
        column = columns[wiring.task_of[place]]
        waits = [(wiring.task_of[k], k, day) for k in wiring.above(within, place) if present[k]]
        if earlier is not None:
            waits += [
                (wiring.task_of[k], k, bizdate) for k in wiring.above(earlier, place) if present_before[k]
            ]
        waits.sort(key=lambda wait: (wait[0], wait[2], wait[1]))
        kind = kinds[place]
        scheduled_at = midnight + timedelta(minutes=wiring.slot_of[place])
        yield {
            "task": column.task.name,
            "bizdate": bizdate.isoformat(),
            "scheduled_at": f"{day}{wiring.clock_of[place]}",
            "kind": Kind(kind).word,
            "reason": column.dry_run_reason if kind == Kind.DRY_RUN else None,
            "group": int(plan.group_of[date_index]),
            "priority": column.priority(bizdate),
            "resource_group": column.resource_group,
            "parameters": column.values(bizdate, scheduled_at),
            "waits_for": [[wiring.name_of[k], f"{on}{wiring.clock_of[k]}"] for _, k, on in waits],
            "isolated_from": list(plan.isolated_from(date_index * plan.n + place)) if isolated[place] else [],
        }
