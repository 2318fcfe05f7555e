"""The planner written down as the rules read: one Python object per instance, sets and dicts, no speed.

Shares nothing with the real planner but the types of the catalog and the slots of a schedule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from retrofill.domain.catalog import Catalog, Task
from retrofill.domain.policy import Policy

Instance = tuple[str, date, int]  # task, bizdate, minute of T


@dataclass
class Planned:
    groups: list[list[date]]
    waits: dict[Instance, set[Instance]] = field(default_factory=dict)
    isolated_from: dict[Instance, set[str]] = field(default_factory=dict)
    kinds: dict[Instance, str] = field(default_factory=dict)


def plan(catalog: Catalog, takes_part: set[str], dry_runs: Mapping[str, str], policy: Policy) -> Planned:
    dates = _dates(policy)
    planned = Planned(_groups(dates, policy.groups))
    group_of = {d: number for number, group in enumerate(planned.groups) for d in group}
    instances = {
        (name, bizdate, minute)
        for name in takes_part
        for bizdate in dates
        for minute in catalog.tasks[name].schedule.slots
        if policy.time_range[0] <= minute <= policy.time_range[1]
        and _is_valid(catalog.tasks[name], bizdate + timedelta(days=1))
    }
    for instance in instances:
        name, bizdate, minute = instance
        planned.kinds[instance] = _kind(catalog.tasks[name], bizdate, dry_runs)
        planned.waits[instance] = set()
        planned.isolated_from[instance] = set()
        for upstream, is_same_cycle in _upstreams(catalog, name):
            if upstream not in takes_part:
                continue  # DEP-10
            a, b = catalog.tasks[upstream], catalog.tasks[name]
            if is_same_cycle:
                wanted = {(upstream, bizdate, s) for s in same_cycle_slots(a, b, minute)}
                left = wanted & instances
                if wanted and not left:
                    planned.isolated_from[instance].add(upstream)  # DEP-11
                planned.waits[instance] |= left
                continue
            for days_back, slot in previous_cycle_slots(a, b, minute):
                other = bizdate - timedelta(days=days_back)
                if days_back and policy.order == "desc":
                    continue  # DEP-14
                if (
                    days_back
                    and policy.across_groups == "ignore"
                    and group_of.get(other) != group_of[bizdate]
                ):
                    continue  # DEP-13
                if (upstream, other, slot) in instances:  # DEP-12
                    planned.waits[instance].add((upstream, other, slot))
    return planned


def _dates(policy: Policy) -> list[date]:
    dates = set()
    for r in policy.ranges:
        day = r.first
        while day <= r.last:
            dates.add(day)
            day += timedelta(days=1)
    return sorted(dates, reverse=policy.order == "desc")


def _groups(dates: list[date], groups: int) -> list[list[date]]:
    sizes = [0] * groups
    for i in range(len(dates)):
        sizes[i % groups] += 1  # as even as possible, earlier ones larger
    dealt, rest = [], list(dates)
    for size in sizes:
        if size:
            dealt.append([rest.pop(0) for _ in range(size)])
    return dealt


def _is_valid(task: Task, day: date) -> bool:
    if task.valid_from is not None and day < task.valid_from:
        return False
    return not (task.valid_until is not None and day > task.valid_until)


def _kind(task: Task, bizdate: date, dry_runs: Mapping[str, str]) -> str:
    if task.name in dry_runs:
        return "dry_run"
    if task.mode == "paused":
        return "frozen"
    if task.mode == "dry_run":
        return "dry_run"
    if not task.schedule.matches(bizdate + timedelta(days=1)):
        return "off_day"
    return "virtual" if task.type == "virtual" else "run"


def _upstreams(catalog: Catalog, name: str) -> list[tuple[str, bool]]:
    found = []
    for dependency in catalog.tasks[name].depends_on:
        if dependency.kind == "same_cycle":
            found.append((dependency.task, True))
        elif dependency.kind == "self":
            found.append((name, False))
        elif dependency.kind == "previous":
            found.append((dependency.task, False))
        else:
            found += [
                (other.name, False)
                for other in catalog.tasks.values()
                if any(d.kind == "same_cycle" and d.task == name for d in other.depends_on)
            ]
    return found


def _waits_for_itself(task: Task) -> bool:
    return any(d.kind == "self" for d in task.depends_on)


def _greatest(slots: list[int], most: int) -> list[int]:
    return [s for s in slots if s <= most][-1:]


def same_cycle_slots(a: Task, b: Task, minute: int) -> list[int]:
    """DEP-1..5: the slots of `a` that the slot `minute` of `b` waits for."""
    ups, downs = list(a.schedule.slots), list(b.schedule.slots)
    if len(ups) == 1:
        return ups
    if len(downs) == 1:
        if not _waits_for_itself(a):
            return ups
        return _greatest(ups, minute) or ups[:1]
    if len(ups) == len(downs):
        return [ups[downs.index(minute)]]
    if a.schedule.cycle == "minute" and b.schedule.cycle == "hour" and not _waits_for_itself(a):
        earlier = [s for s in downs if s < minute]
        if not earlier:
            return [s for s in ups if s <= minute]
        return [s for s in ups if earlier[-1] < s <= minute]
    return _greatest(ups, minute) or ups[:1]


def previous_cycle_slots(a: Task, b: Task, minute: int) -> list[tuple[int, int]]:
    """DEP-6 and DEP-7: how many dates back, and the slot of `a` there."""
    ups, downs = list(a.schedule.slots), list(b.schedule.slots)
    if len(ups) == 1:
        return [(1, ups[0])]
    if len(downs) == 1:
        return [(1, s) for s in ups] if not _waits_for_itself(a) else [(1, ups[-1])]
    if len(ups) == len(downs):
        i = downs.index(minute)
        return [(0, ups[i - 1])] if i else [(1, ups[-1])]
    earlier = [s for s in ups if s < minute]
    return [(0, earlier[-1])] if earlier else [(1, ups[-1])]
