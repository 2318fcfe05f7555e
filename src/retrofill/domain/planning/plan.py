"""A plan: the template of one date, times the bizdates of a backfill (DEP-10..14, POL-3..6, SEL-8).

An instance is its offset `date_index * n + place`; dates count in running order, group 1's
first. Offsets of holes (a task outside its validity) are never used. The same catalog,
choice and policy always give the same offsets. No Python object per instance.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.errors import UnknownNameError, did_you_mean, shown
from retrofill.domain.planning.layout import Kind, Layout
from retrofill.domain.planning.outline import parameters_of, resource_group_of
from retrofill.domain.planning.overrides import check_overrides
from retrofill.domain.planning.policy import AcrossGroups, Order, Policy
from retrofill.domain.planning.size import TooManyInstancesError, count_instances
from retrofill.domain.planning.template import Edges, Template, distinct
from retrofill.domain.selection.choice import Choice, NothingToRunError
from retrofill.domain.texts import Text
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import due_seconds
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, IntArray, LongArray, MinuteArray
    from retrofill.domain.planning.transparency import Transparency

__all__ = ["Kind", "Plan", "build"]


def build(
    catalog: Catalog,
    choice: Choice,
    policy: Policy,
    *,
    frozen: Collection[str] = (),
    max_instances: int | None = None,
    template: Template | None = None,
) -> Plan:
    """Plan a backfill.

    Args:
        frozen: full names of tasks that a command has frozen, besides those of mode `paused`.
        max_instances: refuse more (POL-13); None when an accepted plan is built again.
        template: of the same tasks and time range, where one is at hand.

    Raises:
        TooManyInstancesError: with the count, before anything is built.
        NothingToRunError: no task that really runs has a slot (SEL-6).
        UnknownNameError: the policy's resource group does not exist (POL-10).
        OverrideError, ParameterError: an override that does not fit (PAR-5).
    """
    tasks = tuple(catalog.tasks[name] for name in choice.tasks)
    counts = count_instances(tasks, policy)
    total = sum(counts)
    if max_instances is not None and total > max_instances:
        raise TooManyInstancesError(
            f"{many(total, 'instance')} ({many(len(tasks), 'task')}, {many(policy.date_count, 'bizdate')}) are more than the "
            f"{max_instances:,} that a backfill may have"
        )
    if not any(count for task, count in zip(tasks, counts, strict=True) if task.name not in choice.dry_runs):
        raise NothingToRunError(
            "nothing is left to run: no chosen task has a slot in the time range and its validity period",
            "Widen the time range, or choose bizdates on which a task is valid.",
        )
    if policy.resource_group is not None and policy.resource_group not in catalog.resource_groups:
        near = did_you_mean(policy.resource_group, catalog.resource_groups)
        raise UnknownNameError(
            f'there is no resource group "{shown(policy.resource_group)}"{near}',
            Text("{resource_group.list} shows all of them."),
        )
    check_overrides(tasks, policy.overrides, catalog.connections)
    return Plan(catalog, choice, policy, tasks, tuple(counts), frozenset(frozen), template)


class Plan(Layout):
    """All instances of a backfill, as arrays, and who waits for whom. Made by `build`."""

    # -- edges

    @cached_property
    def _date_before(self) -> IntArray:
        """For each date, the index of the calendar date before if its edges count, else -1 (DEP-12..14)."""
        before = np.full(len(self.dates), -1, dtype=np.int32)
        if self.policy.order is Order.DESCENDING:
            return before
        group_of = self._first_groups.numbers
        for i, bizdate in enumerate(self.dates):
            j = self._index_of.get(bizdate - ONE_DAY, -1)
            if j >= 0 and (self.policy.across_groups is AcrossGroups.WAIT or group_of[i] == group_of[j]):
                before[i] = j
        return before

    @cached_property
    def _date_after(self) -> LongArray:
        after = np.full(len(self.dates), -1, dtype=np.int64)
        indices = np.nonzero(self._date_before >= 0)[0]
        after[self._date_before[indices]] = indices
        return after

    def date_before(self, date_index: int) -> int | None:
        """Index of the date to which this one's previous-cycle edges lead, None when they are dropped."""
        before = int(self._date_before[date_index])
        return before if before >= 0 else None

    def date_after(self, date_index: int) -> int | None:
        """Index of the date whose previous-cycle edges lead to this one, None when there is none."""
        after = int(self._date_after[date_index])
        return after if after >= 0 else None

    @cached_property
    def has_holes(self) -> bool:
        """Whether any task is outside its validity on any date."""
        return not bool(self._valid.all())

    @cached_property
    def _transparency(self) -> Transparency | None:
        """None where every dry run by SEL-6 has all its instances, so that the template tells all."""
        is_dry = np.array([task.name in self.dry_runs for task in self.tasks], dtype=bool)
        dry = np.nonzero(is_dry)[0].tolist()
        is_whole = all(len(self.template.slots_of(i)) == len(self.tasks[i].schedule.slots) for i in dry)
        if is_whole and self._valid[:, dry].all():
            return None
        from retrofill.domain.planning.transparency import Transparency

        return Transparency(self.template, is_dry, self._valid)

    @property
    def has_bypasses(self) -> bool:
        """Whether there are waits that lead through dry runs that are removed (SEL-6)."""
        return self._transparency is not None

    def edges_within(self, date_index: int) -> Edges:
        """Edges between the places of a date; equal dates give the same object."""
        if self._transparency is None:
            return self.template.within
        return self._transparency.within(self.validity(date_index))

    def edges_before(self, date_index: int, before: int) -> Edges:
        """Edges from the places of a date to those of `before`, as of the calendar date before."""
        if self._transparency is None:
            return self.template.before
        return self._transparency.before(self.validity(date_index), self.validity(before))

    def upstream(self, offset: int) -> LongArray:
        """Offsets of the instances that this one waits for, ascending within each date."""
        date_index, place = divmod(offset, self.n)
        places = self.edges_within(date_index).above(place)
        above: LongArray = places[self.present(date_index)[places]].astype(np.int64) + date_index * self.n
        before = self.date_before(date_index)
        if before is None:
            return above
        places = self.edges_before(date_index, before).above(place)
        earlier: LongArray = places[self.present(before)[places]].astype(np.int64) + before * self.n
        return np.concatenate((earlier, above))

    def downstream(self, offsets: LongArray) -> LongArray:
        """Offsets of the instances that wait for these: one entry per edge, repeats allowed."""
        offsets = np.asarray(offsets, dtype=np.int64)
        dates, places = np.divmod(offsets, self.n)
        found = [
            self._below(self.edges_within(int(dates[alike[0]])).below(places[alike]), dates[alike])
            for alike in self._alike(dates, dates)
        ]
        after = self._date_after[dates]
        ahead = np.nonzero(after >= 0)[0]
        after, dates, places = after[ahead], dates[ahead], places[ahead]
        for alike in self._alike(after, dates):
            edges = self.edges_before(int(after[alike[0]]), int(dates[alike[0]]))
            if len(edges):
                found.append(self._below(edges.below(places[alike]), after[alike]))
        return np.concatenate(found) if found else offsets

    def _alike(self, on: LongArray, before: LongArray) -> list[LongArray]:
        """Indices of pairs of dates, those together that have the same edges."""
        if self._transparency is None:
            return [np.arange(len(on))] if len(on) else []
        kinds = self._validity_of[on].astype(np.int64) * len(self._valid) + self._validity_of[before]
        return [np.nonzero(kinds == kind)[0] for kind in distinct(kinds).tolist()]

    def _below(self, edges: tuple[LongArray, IntArray], dates: LongArray) -> LongArray:
        index, places = edges
        on = dates[index]
        there = self._valid[self._validity_of[on], self.task_of[places]]
        offsets: LongArray = on * self.n + places
        return offsets[there]

    def open_waits(self, date_index: int) -> IntArray:
        """int32[n]: edges that each place of the date waits through, without POL-6. Not to be changed."""
        before = self.date_before(date_index)
        key = ("waits", self.validity(date_index), -1 if before is None else self.validity(before))
        return self._kept(key, lambda: self.count_waits(date_index, before))

    def count_waits(self, date_index: int, before: int | None) -> IntArray:
        """int32[n]: open waits, if this were the date before."""
        present = self.present(date_index)
        edges = self.edges_within(date_index)
        counts = np.bincount(edges.waiting[present[edges.up]], minlength=self.n)
        if before is not None:
            edges = self.edges_before(date_index, before)
            counts += np.bincount(edges.waiting[self.present(before)[edges.up]], minlength=self.n)
        counts[~present] = 0
        return counts.astype(np.int32)

    def isolated(self, date_index: int) -> BoolArray:
        """bool[n]: which lost all slots of a same-cycle upstream task (DEP-11). Not to be changed."""
        key = ("isolated", self.validity(date_index))
        return self._kept(key, lambda: self._find_isolated(date_index))

    def _find_isolated(self, date_index: int) -> BoolArray:
        isolated = np.zeros(self.n, dtype=bool)
        isolated[self.missed(date_index)[0]] = True
        return isolated & self.present(date_index)

    def missed(self, date_index: int) -> tuple[LongArray, LongArray]:
        """Places, ascending, and an upstream task of which nothing is left that the place waits for (DEP-11).

        Only the time range takes that away: what is outside its validity period is not waited for.
        """
        if self._transparency is not None:
            return self._transparency.missed(self.validity(date_index))
        found = self._missed.get(self.validity(date_index))
        if found is None:
            t = self.template
            lost = t.needs_lost & self.valid_tasks(date_index)[t.needs_task]
            found = self._missed[self.validity(date_index)] = (t.needs_place[lost], t.needs_task[lost])
        return found

    @cached_property
    def _missed(self) -> dict[int, tuple[LongArray, LongArray]]:
        return {}

    def isolated_from(self, offset: int) -> tuple[str, ...]:
        """Names of the upstream tasks that leave the instance isolated, ascending; empty when it is not."""
        date_index, place = divmod(offset, self.n)
        places, tasks = self.missed(date_index)
        start, end = np.searchsorted(places, [place, place + 1])
        return tuple(sorted({self.tasks[i].name for i in tasks[start:end].tolist()}))

    # -- what an instance is given

    def due(self, date_index: int) -> LongArray:
        """int64[n]: epoch seconds at which T comes in the workspace's time zone (TIME-5)."""
        day = self.dates[date_index] + ONE_DAY
        due = np.zeros(self.n, dtype=np.int64)
        for timezone, places, minutes, index in self._clocks:
            due[places] = due_seconds(day, minutes, timezone)[index]
        return due

    @cached_property
    def _clocks(self) -> list[tuple[str, BoolArray, MinuteArray, LongArray]]:
        """Per time zone: its places, their distinct minutes, and each place's index among these."""
        zones = [self.catalog.timezone_of(task) for task in self.tasks]
        clocks = []
        for timezone in sorted(set(zones)):
            places = np.array([zone == timezone for zone in zones])[self.task_of]
            minutes, index = np.unique(self.slot_of[places], return_inverse=True)
            clocks.append((timezone, places, minutes, index))
        return clocks

    def resource_group(self, task: Task) -> str:
        """The backfill's group, or the task's own where its workspace is not bound to that (POL-10)."""
        return resource_group_of(self.catalog, self.policy, task)

    def parameters_of(self, task: Task) -> tuple[tuple[str, str], ...]:
        """Declared parameters in their order, with the backfill's overrides (PAR-5)."""
        return parameters_of(self.policy, task)
