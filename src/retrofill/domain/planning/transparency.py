"""Dry runs that are not there: what waits for one waits for what it would have waited for (SEL-6).

The time range and validity periods remove dry runs like any instance. Here they still lead
from what is below them to what is above, however many of them lie in a row. Places are those
of two templates: "whole" ones of all slots of a day, and "kept" ones within the time range.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog.definitions import DependencyKind, Task
from retrofill.domain.planning.template import Edges, Template, distinct, edges_of

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, LongArray

_SLOTS = 1_440


class Transparency:
    """The edges and isolations of a plan some of whose dry runs are removed, by rows of validity.

    Pairs are coded as `down * (number of whole places) + up`.

    Args:
        kept: the template of the plan.
        is_dry: bool[t], dry runs by SEL-6.
        valid: bool[v, t], the distinct rows of which tasks are within their validity (TIME-4).
    """

    def __init__(self, kept: Template, is_dry: BoolArray, valid: BoolArray) -> None:
        self._kept, self._is_dry, self._valid = kept, is_dry, valid
        slots = sum(len(task.schedule.slots) for task in kept.tasks)
        self._whole = kept if slots == kept.n else Template(kept.tasks)
        whole = self._whole
        codes = whole.task_of.astype(np.int64) * _SLOTS + whole.slot_of
        self._whole_of = np.searchsorted(codes, kept.task_of.astype(np.int64) * _SLOTS + kept.slot_of)
        self._kept_of = np.full(whole.n, -1, dtype=np.int64)
        self._kept_of[self._whole_of] = np.arange(kept.n)
        self._within: dict[int, Edges] = {}
        self._before: dict[tuple[int, int], Edges] = {}
        self._missed: dict[int, tuple[LongArray, LongArray]] = {}

    def within(self, validity: int) -> Edges:
        """Edges between kept places of a date, through removed dry runs too."""
        found = self._within.get(validity)
        if found is None:
            there = self._there(validity)
            up = self._step(self._through(validity), self._whole.within)
            found = self._within[validity] = self._joined(self._kept.within, up[there[up % self._whole.n]])
        return found

    def before(self, validity: int, validity_before: int) -> Edges:
        """Edges to the calendar date before; where they would lead to an earlier one, they end there."""
        found = self._before.get((validity, validity_before))
        if found is None:
            there, removed = self._there(validity_before), self._removed(validity_before)
            direct = _codes(self._whole.before)
            direct = direct[self._there(validity)[direct // self._whole.n]]
            first = self._step(self._through(validity), self._whole.before)
            starts = np.concatenate((direct, first))
            through = self._closed(starts[removed[starts % self._whole.n]], removed)
            up = np.concatenate((first, self._step(through, self._whole.within)))
            found = self._joined(self._kept.before, up[there[up % self._whole.n]])
            self._before[validity, validity_before] = found
        return found

    def missed(self, validity: int) -> tuple[LongArray, LongArray]:
        """Kept places, ascending, and the upstream task that leaves each isolated: nothing of it is left (DEP-11).

        A removed dry run isolates nothing by itself, but what is missing above it does.
        """
        found = self._missed.get(validity)
        if found is None:
            found = self._missed[validity] = self._find_missed(validity)
        return found

    # Inside

    def _there(self, validity: int) -> BoolArray:
        """bool[whole]: the places that have an instance."""
        there: BoolArray = (self._kept_of >= 0) & self._valid[validity][self._whole.task_of]
        return there

    def _removed(self, validity: int) -> BoolArray:
        """bool[whole]: dry runs that have none."""
        removed: BoolArray = self._is_dry[self._whole.task_of] & ~self._there(validity)
        return removed

    def _through(self, validity: int) -> LongArray:
        """Pairs of an instance and a removed dry run of its date that it depends on, directly or not."""
        removed = self._removed(validity)
        direct = _codes(self._whole.within)
        down, up = direct // self._whole.n, direct % self._whole.n
        return self._closed(direct[self._there(validity)[down] & removed[up]], removed)

    def _closed(self, codes: LongArray, removed: BoolArray) -> LongArray:
        """These pairs, and those that lead on to other removed dry runs of the same date."""
        found: list[LongArray] = []
        seen: set[int] = set()
        fresh = distinct(codes)
        while len(fresh):
            found.append(fresh)
            seen.update(fresh.tolist())
            up = self._step(fresh, self._whole.within)
            further = distinct(up[removed[up % self._whole.n]])
            fresh = np.array([code for code in further.tolist() if code not in seen], dtype=np.int64)
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)

    def _step(self, codes: LongArray, edges: Edges) -> LongArray:
        """For each pair, the pairs of its lower end with what its upper end waits for."""
        index, up = edges.all_above(codes % self._whole.n)
        stepped: LongArray = codes[index] // self._whole.n * self._whole.n + up
        return stepped

    def _joined(self, kept: Edges, codes: LongArray) -> Edges:
        n = self._kept.n
        down, up = self._kept_of[codes // self._whole.n], self._kept_of[codes % self._whole.n]
        return edges_of([_codes(kept), down * n + up], n)

    def _find_missed(self, validity: int) -> tuple[LongArray, LongArray]:
        kept, valid = self._kept, self._valid[validity]
        there, n = self._there(validity), self._whole.n
        present = valid[kept.task_of]
        is_dry = self._is_dry[kept.needs_task]
        needed = present[kept.needs_place]
        lost = needed & kept.needs_lost & valid[kept.needs_task] & ~is_dry
        places, tasks = [kept.needs_place[lost]], [kept.needs_task[lost]]
        passed = needed & is_dry & (kept.needs_lost | ~valid[kept.needs_task])
        waiting: dict[int, list[LongArray]] = defaultdict(list)
        downs = self._whole_of[kept.needs_place[passed]]
        direct = self._step(downs * n + downs, self._whole.same_cycle)
        self._gather(waiting, direct, downs * len(kept.tasks) + kept.needs_task[passed])
        for task in _downstream_first(kept.tasks, self._is_dry):
            if task not in waiting:
                continue
            up = self._step(distinct(np.concatenate(waiting.pop(task))), self._whole.same_cycle)
            keys = self._keys(up)
            gone = keys[~np.isin(keys, keys[there[up % n]])]
            self._gather(waiting, up, gone)
            missing: LongArray = distinct(gone)
            down, above = missing // len(kept.tasks), missing % len(kept.tasks)
            isolates = valid[above] & ~self._is_dry[above]
            places.append(self._kept_of[down[isolates]])
            tasks.append(above[isolates])
        found = np.concatenate(places)
        order = np.argsort(found, kind="stable")
        return found[order], np.concatenate(tasks)[order]

    def _keys(self, codes: LongArray) -> LongArray:
        """For each pair, its lower end with the task of its upper end."""
        down, up = codes // self._whole.n, codes % self._whole.n
        keys: LongArray = down * len(self._kept.tasks) + self._whole.task_of[up]
        return keys

    def _gather(self, waiting: dict[int, list[LongArray]], codes: LongArray, keys: LongArray) -> None:
        """Note the pairs that lead to a dry run of which nothing is left, by the task of that."""
        tasks = self._whole.task_of[codes % self._whole.n]
        chosen = self._is_dry[tasks] & np.isin(self._keys(codes), keys)
        for task in distinct(tasks[chosen]).tolist():
            waiting[task].append(codes[chosen & (tasks == task)])


def _codes(edges: Edges) -> LongArray:
    """Every edge as a pair."""
    codes: LongArray = edges.waiting.astype(np.int64) * (len(edges.up_from) - 1) + edges.up
    return codes


def _downstream_first(tasks: tuple[Task, ...], is_dry: BoolArray) -> Iterator[int]:
    """The dry runs, each before those it depends on in the same cycle."""
    index_of = {task.name: i for i, task in enumerate(tasks) if is_dry[i]}
    above = {
        i: [
            index_of[d.task]
            for d in tasks[i].depends_on
            if d.kind is DependencyKind.SAME_CYCLE and d.task in index_of
        ]
        for i in index_of.values()
    }
    return reversed(list(TopologicalSorter(above).static_order()))
