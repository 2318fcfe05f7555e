"""All instances of some tasks on one date, and who waits for whom (DEP-1..9, DEP-11).

Every date has the same slots (TIME-2), so one template serves all dates. An instance of the
template is a place 0..n-1: tasks in the order given, then slots ascending. Nothing here
knows of selections, bizdates or groups: a night's automatic instances are a template too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from retrofill.domain.catalog.definitions import DependencyKind, Task
from retrofill.domain.catalog.dependencies import Waits, previous_cycle, same_cycle
from retrofill.domain.planning.policy import WHOLE_DAY, slots_within

if TYPE_CHECKING:
    from retrofill.domain.arrays import AnyArray, BoolArray, IntArray, LongArray, MinuteArray


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Edges between places, each once, readable from both ends.

    Place k waits for `up[up_from[k]:up_from[k + 1]]`, ascending, and is waited for by
    `down[down_from[k]:down_from[k + 1]]`, ascending.
    """

    up_from: LongArray
    up: IntArray
    down_from: LongArray
    down: IntArray

    def __len__(self) -> int:
        return len(self.up)

    @property
    def waiting(self) -> IntArray:
        """For each entry of `up`, the place that waits."""
        return np.repeat(np.arange(len(self.up_from) - 1, dtype=np.int32), np.diff(self.up_from))

    def above(self, place: int) -> IntArray:
        """Places that this one waits for."""
        return self.up[self.up_from[place] : self.up_from[place + 1]]

    def below(self, places: LongArray) -> tuple[LongArray, IntArray]:
        """Index into `places` and the place that waits for it, one entry per edge."""
        return _spread(places, self.down_from, self.down)

    def all_above(self, places: LongArray) -> tuple[LongArray, IntArray]:
        """Index into `places` and a place that it waits for, one entry per edge."""
        return _spread(places, self.up_from, self.up)


def _spread(places: LongArray, first: LongArray, ends: IntArray) -> tuple[LongArray, IntArray]:
    """Index into `places` and each of its entries `ends[first[place]:first[place + 1]]`."""
    starts = first[places]
    lengths = first[places + 1] - starts
    index = np.repeat(np.arange(len(places)), lengths)
    within = np.arange(len(index)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return index, ends[starts[index] + within]


class Template:
    """One date of a set of tasks.

    Attributes:
        tasks: in the order that places follow.
        n: number of places.
        first_of_task: int64[t + 1]; task i has the places from its entry up to the next.
        task_of: int32[n], index into `tasks`.
        slot_of: int16[n], minute of the day.
        within: edges between places of one date.
        before: edges to places of the calendar date before.
        needs_place, needs_task, needs_lost: for every place and same-cycle upstream task of
            which it waits for a slot, whether the time range removed all of those (DEP-11);
            ascending by place.
    """

    def __init__(self, tasks: Sequence[Task], time_range: tuple[int, int] = WHOLE_DAY) -> None:
        self.tasks = tuple(tasks)
        self.index_of = {task.name: i for i, task in enumerate(self.tasks)}
        kept = [slots_within(task.schedule.slots, time_range) for task in self.tasks]
        counts = np.array([last - first for first, last in kept], dtype=np.int64)
        self.first_of_task: LongArray = np.concatenate(([0], np.cumsum(counts)))
        self.n = int(self.first_of_task[-1])
        self.task_of: IntArray = np.repeat(np.arange(len(self.tasks), dtype=np.int32), counts)
        self.slot_of: MinuteArray = np.array(
            [s for task, (i, j) in zip(self.tasks, kept, strict=True) for s in task.schedule.slots[i:j]],
            dtype=np.int16,
        )
        self._kept = kept
        _Wiring(self, kept).wire()

    within: Edges
    before: Edges
    needs_place: LongArray
    needs_task: LongArray
    needs_lost: BoolArray

    @cached_property
    def needs_from(self) -> LongArray:
        """int64[n + 1]: the needs of place k are the entries from this one up to the next."""
        return np.searchsorted(self.needs_place, np.arange(self.n + 1))

    @cached_property
    def same_cycle(self) -> Edges:
        """Of the edges within a date, those of same-cycle dependencies (DEP-1..5)."""
        return _Wiring(self, self._kept).same_cycle()

    def slots_of(self, task: int) -> range:
        """The places of a task."""
        return range(int(self.first_of_task[task]), int(self.first_of_task[task + 1]))


def dependencies(tasks: Sequence[Task], index_of: Mapping[str, int]) -> Iterator[tuple[int, int, bool]]:
    """Index of an upstream and of a downstream task, and whether it is a same-cycle dependency.

    Only where both are among the tasks (DEP-10); `children: previous` is one entry per child (DEP-8).
    """
    children: dict[int, list[int]] = defaultdict(list)
    for down, task in enumerate(tasks):
        for dependency in task.depends_on:
            up = down if dependency.kind is DependencyKind.SELF else index_of.get(dependency.task, -1)
            if up < 0:
                continue
            is_same_cycle = dependency.kind is DependencyKind.SAME_CYCLE
            if is_same_cycle:
                children[up].append(down)
            yield up, down, is_same_cycle
    for down, task in enumerate(tasks):
        if any(d.kind is DependencyKind.CHILDREN for d in task.depends_on):
            for up in children[down]:
                yield up, down, False


class _Alike(NamedTuple):
    """What pairs of tasks have in common that share one pattern of edges; identity counts. Hashed once an edge."""

    waits: int
    is_same_cycle: bool
    kept_up: tuple[int, int]
    kept_down: tuple[int, int]


class _Wiring:
    """Gathers the edges of a template: once per pattern, for all pairs of tasks that have it."""

    def __init__(self, template: Template, kept: Sequence[tuple[int, int]]) -> None:
        self._template = template
        self._kept = kept
        self._within: list[LongArray] = []
        self._before: list[LongArray] = []
        self._needs: list[tuple[LongArray, LongArray, BoolArray]] = []

    def wire(self) -> None:
        for alike, (waits, ups, downs) in self._pairs().items():
            self._add(alike, waits, np.array(ups), np.array(downs))
        template = self._template
        template.within = edges_of(self._within, template.n)
        template.before = edges_of(self._before, template.n)
        places = _joined([needs[0] for needs in self._needs])
        order = np.argsort(places, kind="stable")
        template.needs_place = places[order]
        template.needs_task = _joined([needs[1] for needs in self._needs])[order]
        template.needs_lost = _joined([needs[2] for needs in self._needs])[order].astype(bool)

    def same_cycle(self) -> Edges:
        """Edges of same-cycle dependencies alone."""
        for alike, (waits, ups, downs) in self._pairs().items():
            if alike.is_same_cycle:
                self._add(alike, waits, np.array(ups), np.array(downs))
        return edges_of(self._within, self._template.n)

    def _pairs(self) -> dict[_Alike, tuple[Waits, list[int], list[int]]]:
        """Upstream and downstream tasks by the pattern of their edges."""
        pairs: dict[_Alike, tuple[Waits, list[int], list[int]]] = {}
        for up, down, waits, is_same_cycle in self._dependencies():
            alike = _Alike(id(waits), is_same_cycle, self._kept[up], self._kept[down])
            _, ups, downs = pairs.setdefault(alike, (waits, [], []))
            ups.append(up)
            downs.append(down)
        return pairs

    def _dependencies(self) -> Iterator[tuple[int, int, Waits, bool]]:
        """Indices of an upstream and a downstream task, and their edges (DEP-10: both are here)."""
        tasks = self._template.tasks
        itself = [task.depends_on_itself for task in tasks]
        schedules = [task.schedule for task in tasks]
        found: dict[tuple[int, bool, int, bool], Waits] = {}  # by identity: a schedule is hashed slowly
        for up, down, is_same_cycle in dependencies(tasks, self._template.index_of):
            key = (id(schedules[up]), itself[up], id(schedules[down]), is_same_cycle)
            waits = found.get(key)
            if waits is None:
                edges_of = same_cycle if is_same_cycle else previous_cycle
                waits = found[key] = edges_of(schedules[up], itself[up], schedules[down])
            yield up, down, waits, is_same_cycle

    def _add(self, alike: _Alike, waits: Waits, ups: LongArray, downs: LongArray) -> None:
        (up_first, up_last), (down_first, down_last) = alike.kept_up, alike.kept_down
        down_kept = (waits.down >= down_first) & (waits.down < down_last)
        kept = down_kept & (waits.up >= up_first) & (waits.up < up_last)
        first = self._template.first_of_task
        for before, found in ((False, self._within), (True, self._before)):
            chosen = kept & (waits.before == before)
            if chosen.any():
                down = first[downs][:, None] + (waits.down[chosen] - down_first)
                up = first[ups][:, None] + (waits.up[chosen] - up_first)
                found.append((down * self._template.n + up).ravel())
        if alike.is_same_cycle and down_kept.any():
            needing = distinct(waits.down[down_kept])
            lost = ~np.isin(needing, waits.down[kept])
            self._needs.append(
                (
                    (first[downs][:, None] + (needing - down_first)).ravel(),
                    np.repeat(ups, len(needing)),
                    np.tile(lost, len(downs)),
                )
            )


def edges_of(coded: Sequence[LongArray], n: int) -> Edges:
    """Edges from codes `down * n + up`; a pair that two dependencies join is one edge."""
    codes = distinct(_joined(coded))
    down, up = (codes // n, codes % n) if len(codes) else (codes, codes)
    order = np.argsort(up, kind="stable")
    places = np.arange(n + 1)
    return Edges(
        np.searchsorted(down, places),
        up.astype(np.int32),
        np.searchsorted(up[order], places),
        down[order].astype(np.int32),
    )


def distinct(values: AnyArray) -> AnyArray:
    """Ascending, each once; np.unique would import numpy.ma, which costs 30 ms of every command."""
    ascending = np.sort(values)
    is_first = np.ones(len(ascending), dtype=bool)
    is_first[1:] = ascending[1:] != ascending[:-1]
    return ascending[is_first]


def _joined(parts: Sequence[AnyArray]) -> AnyArray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
