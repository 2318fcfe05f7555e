"""A plan: the template of one date, times the bizdates of a backfill (DEP-10..14, POL-3..6, SEL-8).

An instance is its offset `date_index * n + place`; dates count in running order, group 1's
first. Offsets of holes (a task outside its validity) are never used. The same catalog,
choice and policy always give the same offsets. No Python object per instance.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from retrofill.domain.catalog import Catalog, RunMode, Task, TaskType
from retrofill.domain.counting import TooManyInstancesError, count_instances
from retrofill.domain.cron import Schedule
from retrofill.domain.errors import UnknownNameError, did_you_mean, shown
from retrofill.domain.findings import many
from retrofill.domain.groups import Groups, dealt, from_runs
from retrofill.domain.instants import due_seconds
from retrofill.domain.overrides import check_overrides
from retrofill.domain.policy import AcrossGroups, Order, Policy, deal
from retrofill.domain.selection import Choice, DryRunReason, NothingToRunError
from retrofill.domain.template import Template

if TYPE_CHECKING:
    from retrofill.domain.arrays import AnyArray, BoolArray, CodeArray, IntArray, LongArray, MinuteArray

ONE_DAY = timedelta(days=1)
_KEPT = 8  # arrays of past dates that are kept for reuse


class Kind(IntEnum):
    """What an instance does when its turn comes; by SEL-8 the first that fits."""

    RUN = 0
    DRY_RUN = 1
    OFF_DAY = 2
    VIRTUAL = 3
    FROZEN = 4

    @property
    def word(self) -> str:
        return self.name.lower()


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
            "`retrofill resource-group list` shows all of them.",
        )
    check_overrides(tasks, policy.overrides)
    return Plan(catalog, choice, policy, tasks, tuple(counts), frozenset(frozen), template)


class Plan:
    """All instances of a backfill, as arrays. Made by `build`.

    Attributes:
        tasks: that take part, in order of their full names; `choice.tasks` with definitions.
        counts: instances per task over all dates.
        dates: bizdates in running order over all groups.
        grouping: which date follows which.
        groups: the same dates, one tuple per group.
        group_of: int16[dates], group numbers from 1.
        n: places of one date; `task_of`, `slot_of` and `first_of_task` are the template's.
    """

    def __init__(
        self,
        catalog: Catalog,
        choice: Choice,
        policy: Policy,
        tasks: tuple[Task, ...],
        counts: tuple[int, ...],
        frozen: frozenset[str],
        template: Template | None = None,
    ) -> None:
        self.catalog, self.choice, self.policy = catalog, choice, policy
        self.tasks, self.counts = tasks, counts
        self.template = template or Template(tasks, policy.time_range)
        self.n = self.template.n
        self.task_of, self.slot_of = self.template.task_of, self.template.slot_of
        self.first_of_task = self.template.first_of_task
        self.dates = tuple(d for group in deal(policy.bizdates, policy.groups, policy.order) for d in group)
        # Which previous-cycle edges count is decided by the first groups and stays (DEP-13, BF-3).
        self._first_groups = dealt(len(self.dates), policy.groups)
        self.grouping = (
            self._first_groups if policy.regrouped is None else Groups(from_runs(policy.regrouped.runs))
        )
        self.groups = tuple(tuple(self.dates[i] for i in chain) for chain in self.grouping.chains)
        self.group_of = np.array(self.grouping.numbers, dtype=np.int16)
        self._frozen = frozen
        self._index_of = {bizdate: i for i, bizdate in enumerate(self.dates)}
        self._arrays: OrderedDict[tuple[object, ...], AnyArray] = OrderedDict()

    @property
    def dry_runs(self) -> Mapping[str, DryRunReason]:
        """Dry runs by SEL-6, with their reasons."""
        return self.choice.dry_runs

    @property
    def instance_count(self) -> int:
        return sum(self.counts)

    @cached_property
    def by_bizdate(self) -> Mapping[date, int]:
        """Instances per bizdate, ascending by bizdate."""
        slots = np.diff(self.first_of_task)
        per_validity = self._valid @ slots
        return {d: int(per_validity[self._validity_of[self._index_of[d]]]) for d in sorted(self.dates)}

    def index_of(self, bizdate: date) -> int:
        """Index of a bizdate in running order; KeyError for one that is not in the plan."""
        return self._index_of[bizdate]

    def previous_in_group(self, date_index: int) -> int | None:
        """The date that this one follows in its group (POL-6)."""
        return self.grouping.previous(date_index)

    def next_in_group(self, date_index: int) -> int | None:
        """The date that follows this one in its group."""
        return self.grouping.next(date_index)

    def previous_of_task(self, date_index: int, task: int) -> int | None:
        """The date whose instances of the task this date's wait for with `barrier: task` (POL-6).

        The nearest earlier date of the group on which the task is within its validity.
        """
        before = self.previous_in_group(date_index)
        while before is not None and not self.is_valid(before, task):
            before = self.previous_in_group(before)
        return before

    def next_of_task(self, date_index: int, task: int) -> int | None:
        """The date whose instances of the task wait for this date's with `barrier: task`."""
        after = self.next_in_group(date_index)
        while after is not None and not self.is_valid(after, task):
            after = self.next_in_group(after)
        return after

    # -- holes and kinds

    @cached_property
    def _validities(self) -> tuple[BoolArray, IntArray]:
        """Distinct rows of "which tasks are within their validity" (TIME-4), and each date's row."""
        starts = np.array([(t.valid_from or date.min).toordinal() for t in self.tasks])
        ends = np.array([(t.valid_until or date.max).toordinal() for t in self.tasks])
        rows: dict[bytes, int] = {}
        row_of = []
        distinct: list[BoolArray] = []
        for bizdate in self.dates:
            ordinal = bizdate.toordinal() + 1
            valid = (starts <= ordinal) & (ordinal <= ends)
            key = np.packbits(valid).tobytes()
            if key not in rows:
                rows[key] = len(distinct)
                distinct.append(valid)
            row_of.append(rows[key])
        return np.array(distinct), np.array(row_of, dtype=np.int32)

    @property
    def _valid(self) -> BoolArray:
        return self._validities[0]

    @property
    def _validity_of(self) -> IntArray:
        return self._validities[1]

    def is_valid(self, date_index: int, task: int) -> bool:
        """Whether the task is within its validity on the date of T (TIME-4)."""
        return bool(self._valid[self._validity_of[date_index], task])

    def valid_tasks(self, date_index: int) -> BoolArray:
        """bool[t]: the tasks that are within their validity on the date of T."""
        valid: BoolArray = self._valid[self._validity_of[date_index]]
        return valid

    def validity(self, date_index: int) -> int:
        """Equal for dates on which the same tasks are valid: such dates are alike but for their kinds."""
        return int(self._validity_of[date_index])

    def present(self, date_index: int) -> BoolArray:
        """bool[n]: False for holes. Not to be changed."""
        validity = self.validity(date_index)
        return self._kept(("present", validity), lambda: self._valid[validity][self.task_of])

    def kinds(self, date_index: int) -> CodeArray:
        """uint8[n] of `Kind`, whether or not a place is a hole (SEL-8)."""
        codes = self._kinds_of_tasks.copy()
        day = self.dates[date_index] + ONE_DAY
        matches = np.array([schedule.matches(day) for schedule in self._calendars[0]])
        may_be_off = (codes == Kind.RUN) | (codes == Kind.VIRTUAL)
        codes[may_be_off & ~matches[self._calendars[1]]] = Kind.OFF_DAY
        return codes[self.task_of]

    @cached_property
    def running_counts(self) -> tuple[int, ...]:
        """Instances per task that take a slot: neither dry runs, frozen, virtual nor off-day ones."""
        schedules, index = self._calendars
        matches = np.array(
            [[schedule.matches(d + ONE_DAY) for schedule in schedules] for d in self.dates], dtype=bool
        )
        runs = self._kinds_of_tasks == Kind.RUN
        per_task = (matches[:, index] & self._valid[self._validity_of]).sum(axis=0) * runs
        return tuple((per_task * np.diff(self.first_of_task)).tolist())

    @cached_property
    def _kinds_of_tasks(self) -> CodeArray:
        return np.array([self.kind_of_task(task) for task in self.tasks], dtype=np.uint8)

    def kind_of_task(self, task: Task) -> Kind:
        """What the task's instances are on a date that its schedule matches."""
        if task.name in self.dry_runs:
            return Kind.DRY_RUN
        if self.is_frozen(task):
            return Kind.FROZEN
        if task.mode is RunMode.DRY_RUN:
            return Kind.DRY_RUN
        return Kind.VIRTUAL if task.type is TaskType.VIRTUAL else Kind.RUN

    def is_frozen(self, task: Task) -> bool:
        """Whether it was frozen by its mode or by a command (CAT-8, AUTO-4)."""
        return task.mode is RunMode.PAUSED or task.name in self._frozen

    def dry_run_reason(self, task: Task) -> DryRunReason | None:
        """Why all instances of the task are dry runs, None when they are not."""
        reason = self.dry_runs.get(task.name)
        if reason is None and self.kind_of_task(task) is Kind.DRY_RUN:
            return DryRunReason.MODE
        return reason

    @cached_property
    def _calendars(self) -> tuple[list[Schedule], IntArray]:
        """One schedule for each distinct way of matching dates, and each task's index among them."""
        seen: dict[object, int] = {}
        distinct: list[Schedule] = []
        index = []
        for task in self.tasks:
            cron = task.schedule
            key = (cron.months, cron.days, cron.has_last_day, cron.weekdays, cron.is_either)
            if key not in seen:
                seen[key] = len(distinct)
                distinct.append(task.schedule)
            index.append(seen[key])
        return distinct, np.array(index, dtype=np.int32)

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

    def upstream(self, offset: int) -> LongArray:
        """Offsets of the instances that this one waits for, ascending within each date."""
        date_index, place = divmod(offset, self.n)
        places = self.template.within.above(place)
        above: LongArray = places[self.present(date_index)[places]].astype(np.int64) + date_index * self.n
        before = self.date_before(date_index)
        if before is None:
            return above
        places = self.template.before.above(place)
        earlier: LongArray = places[self.present(before)[places]].astype(np.int64) + before * self.n
        return np.concatenate((earlier, above))

    def downstream(self, offsets: LongArray) -> LongArray:
        """Offsets of the instances that wait for these: one entry per edge, repeats allowed."""
        offsets = np.asarray(offsets, dtype=np.int64)
        dates, places = np.divmod(offsets, self.n)
        after = self._date_after[dates]
        ahead = after >= 0
        found = self._below(self.template.within.below(places), dates)
        if not len(self.template.before) or not ahead.any():
            return found
        later = self._below(self.template.before.below(places[ahead]), after[ahead])
        return np.concatenate((found, later))

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
        counts = np.bincount(self.template.within.waiting[present[self.template.within.up]], minlength=self.n)
        if before is not None:
            edges = self.template.before
            counts += np.bincount(edges.waiting[self.present(before)[edges.up]], minlength=self.n)
        counts[~present] = 0
        return counts.astype(np.int32)

    def isolated(self, date_index: int) -> BoolArray:
        """bool[n]: which lost all slots of a same-cycle upstream task (DEP-11). Not to be changed."""
        key = ("isolated", self.validity(date_index))
        return self._kept(key, lambda: self._find_isolated(date_index))

    def _find_isolated(self, date_index: int) -> BoolArray:
        isolated = np.zeros(self.n, dtype=bool)
        isolated[self.template.needs_place[self.lost_needs(date_index)]] = True
        return isolated & self.present(date_index)

    def lost_needs(self, date_index: int) -> BoolArray:
        """For each of the template's needs, whether none of its slots exists on the date (DEP-11)."""
        t = self.template
        lost: BoolArray = t.needs_lost | ~self._valid[self.validity(date_index)][t.needs_task]
        return lost

    def isolated_from(self, offset: int) -> tuple[str, ...]:
        """Names of the upstream tasks that leave the instance isolated, ascending; empty when it is not."""
        date_index, place = divmod(offset, self.n)
        start, end = self.template.needs_from[place : place + 2]
        lost = self.lost_needs(date_index)[start:end]
        return tuple(sorted({self.tasks[i].name for i in self.template.needs_task[start:end][lost].tolist()}))

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
        name = self.policy.resource_group
        if name is None or not self.catalog.resource_groups[name].is_bound_to(task.workspace):
            return task.resource_group
        return name

    def parameters_of(self, task: Task) -> tuple[tuple[str, str], ...]:
        """Declared parameters in their order, with the backfill's overrides (PAR-5)."""
        overrides = self.policy.overrides.get(task.name, {})
        return tuple((name, overrides.get(name, text)) for name, text in task.parameters)

    def lines(
        self,
        now: datetime,
        node_ids: Mapping[str, int] | None = None,
        sees: Callable[[str], bool] = lambda _: True,
    ) -> Iterator[dict[str, Any]]:
        """Every instance as a row, in an order in which they may run: see `listing.lines`."""
        from retrofill.domain.listing import lines  # which needs this module

        return lines(self, now, node_ids, sees)

    def _kept(self, key: tuple[object, ...], make: Callable[[], AnyArray]) -> AnyArray:
        """An array that many dates share, from the last few that were made."""
        array = self._arrays.get(key)
        if array is None:
            array = make()
            array.flags.writeable = False
            self._arrays[key] = array
            if len(self._arrays) > _KEPT:
                self._arrays.popitem(last=False)
        else:
            self._arrays.move_to_end(key)
        return array
