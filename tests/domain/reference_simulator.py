"""The scheduler's rules written down as they read: every instance looked at again at every moment.

Shares nothing with the real simulation but the types of the catalog, the window and T as an instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.reference_planner import Instance, Planned
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.planning.policy import Barrier, Policy, priority_by_age
from retrofill.domain.time.instants import day_start, due_at, local_date


@dataclass
class Outcome:
    """When the first instance took a slot and when the last one ended, in ms; None for none."""

    first_ms: int | None = None
    end_ms: int | None = None


def play(
    catalog: Catalog,
    planned: Planned,
    dry_runs: Mapping[str, str],
    policy: Policy,
    run_ms: Mapping[str, int],
    now_ms: int,
    slots: Mapping[str, int],
) -> Outcome:
    outcome = Outcome()
    done: set[Instance] = set()
    ends: dict[Instance, int] = {}
    now = now_ms
    while True:
        for instance in [i for i, end in ends.items() if end <= now]:
            del ends[instance]
            done.add(instance)
            outcome.end_ms = now
        ready = set()
        moments = []
        is_settled = False
        while not is_settled:
            is_settled = True
            ready, moments = set(), []
            for instance, kind in planned.kinds.items():
                if instance in done or instance in ends or kind == "frozen":
                    continue
                if not _may_go(planned, policy, instance, done):
                    continue
                start = _start_ms(catalog, policy, dry_runs, instance)
                if start > now:
                    moments.append(start)
                elif kind == "run":
                    ready.add(instance)
                else:
                    done.add(instance)
                    outcome.end_ms = now
                    is_settled = False
        if ready and policy.window is not None and not policy.window.is_open(_instant(now)):
            moments.append(round(policy.window.next_open(_instant(now)).timestamp() * 1000))
            ready = set()
        for instance in sorted(ready, key=lambda i: _rank(catalog, planned, i, now_ms)):
            task = catalog.tasks[instance[0]]
            group = _group(catalog, policy, instance[0])
            used = sum(1 for other in ends if _group(catalog, policy, other[0]) == group)
            of_task = sum(1 for other in ends if other[0] == task.name)
            limit = task.max_parallel_instances
            if used < slots[group] and (limit is None or of_task < limit):
                ends[instance] = now + run_ms[task.name]
                outcome.first_ms = now if outcome.first_ms is None else outcome.first_ms
        moments += ends.values()
        if not moments:
            return outcome
        now = min(moments)


def _may_go(planned: Planned, policy: Policy, instance: Instance, done: set[Instance]) -> bool:
    """Its waits are over, and its group has come to it (RUN-1, POL-6)."""
    name, bizdate, _ = instance
    if planned.isolated_from[instance] or not planned.waits[instance] <= done:
        return False
    group = next(group for group in planned.groups if bizdate in group)
    earlier = group[: group.index(bizdate)]
    if policy.barrier is Barrier.DATE:
        return all(other in done for other in planned.kinds if other[1] in earlier)
    dates = [d for d in earlier if any(i[0] == name and i[1] == d for i in planned.kinds)]
    return not dates or all(i in done for i in planned.kinds if i[0] == name and i[1] == dates[-1])


def _start_ms(catalog: Catalog, policy: Policy, dry_runs: Mapping[str, str], instance: Instance) -> int:
    """RUN-2, POL-2."""
    name, bizdate, _ = instance
    if name in dry_runs:
        return 0
    due = _due_ms(catalog, instance)
    if policy.run_future:
        zone = catalog.timezone_of(catalog.tasks[name])
        elapsed = day_start(bizdate + timedelta(days=1), zone)
        return min(due, round(elapsed.timestamp() * 1000))
    return due


def _due_ms(catalog: Catalog, instance: Instance) -> int:
    name, bizdate, minute = instance
    day = bizdate + timedelta(days=1)
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001
    return round(due_at(local, catalog.timezone_of(catalog.tasks[name])).timestamp() * 1000)


def _rank(catalog: Catalog, planned: Planned, instance: Instance, now_ms: int) -> tuple[object, ...]:
    """RUN-1: priority, T, id; ids follow the running order of dates, then task, then slot."""
    name, bizdate, minute = instance
    today = local_date(_instant(now_ms), catalog.timezone)
    priority = priority_by_age(catalog.tasks[name].priority, bizdate, today)
    dates: list[date] = [d for group in planned.groups for d in group]
    return (-priority, _due_ms(catalog, instance), dates.index(bizdate), name, minute)


def _group(catalog: Catalog, policy: Policy, name: str) -> str:
    task = catalog.tasks[name]
    chosen = policy.resource_group
    if chosen is not None and catalog.resource_groups[chosen].is_bound_to(task.workspace):
        return chosen
    return task.resource_group


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
