"""The planner written down as the rules read: one Python object per instance, sets and dicts, no speed.

Shares nothing with the real planner but the types of the catalog and the slots of a schedule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.planning.policy import Policy

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
    world = _World(catalog, takes_part, dry_runs, instances, policy, group_of)
    for instance in instances:
        name, bizdate, _ = instance
        planned.kinds[instance] = _kind(catalog.tasks[name], bizdate, dry_runs)
        planned.waits[instance] = world.waits_of(instance, 0, set())
        planned.isolated_from[instance] = world.misses_of(instance)
    return planned


@dataclass
class _World:
    catalog: Catalog
    takes_part: set[str]
    dry_runs: Mapping[str, str]
    instances: set[Instance]
    policy: Policy
    group_of: Mapping[date, int]

    def waits_of(self, slot: Instance, dates_back: int, passed: set[tuple[Instance, int]]) -> set[Instance]:
        """SEL-6: what a slot waits for; where that is a dry run that is not there, what it would wait for."""
        found: set[Instance] = set()
        for other, back in self._wanted(slot):
            if other in self.instances and dates_back + back <= 1:
                found.add(other)  # DEP-12: what is not there is not waited for
            elif (
                other[0] in self.dry_runs
                and dates_back + back <= 1
                and (other, dates_back + back) not in passed
            ):
                passed.add((other, dates_back + back))
                found |= self.waits_of(other, dates_back + back, passed)
        return found

    def _wanted(self, slot: Instance) -> Iterator[tuple[Instance, int]]:
        """Slots that a slot waits for by chapter 4, whether or not they have instances, and how many dates back."""
        name, bizdate, minute = slot
        for upstream, is_same_cycle in _upstreams(self.catalog, name):
            if upstream not in self.takes_part:
                continue  # DEP-10
            a, b = self.catalog.tasks[upstream], self.catalog.tasks[name]
            if is_same_cycle:
                yield from (((upstream, bizdate, s), 0) for s in same_cycle_slots(a, b, minute))
                continue
            for back, s in previous_cycle_slots(a, b, minute):
                other = bizdate - timedelta(days=back)
                if back and (other not in self.group_of or self.policy.order == "desc"):
                    continue  # DEP-12, DEP-14
                if (
                    back
                    and self.policy.across_groups == "ignore"
                    and self.group_of[other] != self.group_of[bizdate]
                ):
                    continue  # DEP-13
                yield (upstream, other, s), back

    def misses_of(self, instance: Instance) -> set[str]:
        """DEP-11: same-cycle upstream tasks of which the time range left nothing, seen through removed dry runs."""
        missed: set[str] = set()
        name, bizdate, minute = instance
        through = {name: {minute}}  # tasks of which every slot in question is not there, and these slots
        order = _upstream_first(self.catalog)[::-1]
        for via in order[order.index(name) :]:
            slots = through.get(via, set())
            for upstream, is_same_cycle in _upstreams(self.catalog, via) if slots else ():
                if upstream not in self.takes_part or not is_same_cycle:
                    continue
                a, b = self.catalog.tasks[upstream], self.catalog.tasks[via]
                wanted = {s for minute in slots for s in same_cycle_slots(a, b, minute)}
                if not wanted or any((upstream, bizdate, s) in self.instances for s in wanted):
                    continue
                if upstream in self.dry_runs:
                    through.setdefault(upstream, set()).update(wanted)
                elif _is_valid(a, bizdate + timedelta(days=1)):
                    missed.add(upstream)
        return missed


def _upstream_first(catalog: Catalog) -> list[str]:
    """All tasks, each after its same-cycle upstream tasks."""
    order: list[str] = []
    while len(order) < len(catalog.tasks):
        for name in catalog.tasks:
            above = {up for up, is_same_cycle in _upstreams(catalog, name) if is_same_cycle}
            if name not in order and above <= set(order):
                order.append(name)
    return order


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
