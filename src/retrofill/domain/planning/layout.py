"""Which instances a plan has: the places of its template on each bizdate, holes, and kinds (SEL-8, POL-4, TIME-4)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog.definitions import Catalog, RunMode, Task
from retrofill.domain.planning.groups import dealt, grouping_of
from retrofill.domain.planning.policy import Policy, deal
from retrofill.domain.planning.template import Template
from retrofill.domain.selection.choice import Choice, DryRunReason
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.cron import Schedule

if TYPE_CHECKING:
    from retrofill.domain.arrays import AnyArray, BoolArray, CodeArray, IntArray, LongArray

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


class Layout:
    """All instances of a backfill, as arrays; `planning.Plan` knows who waits for whom besides.

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
        self.grouping = grouping_of(len(self.dates), policy)
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
        return tuple(self.tallies[:, Kind.RUN].tolist())

    @cached_property
    def tallies(self) -> LongArray:
        """int64[t, 5]: instances per task and `Kind`, over all dates (VER-1)."""
        total, on_match = np.array(self.counts), self._on_match
        found = np.zeros((len(self.tasks), len(Kind)), dtype=np.int64)
        codes = self._kinds_of_tasks
        may_be_off = (codes == Kind.RUN) | (codes == Kind.VIRTUAL)
        found[np.arange(len(codes)), codes] = np.where(may_be_off, on_match, total)
        found[:, Kind.OFF_DAY] += np.where(may_be_off, total - on_match, 0)
        return found

    @cached_property
    def runs_by_bizdate(self) -> Mapping[date, int]:
        """How many instances of each bizdate really run, ascending by bizdate (VER-1)."""
        slots = np.diff(self.first_of_task) * (self._kinds_of_tasks == Kind.RUN)
        counts = self._matching @ slots
        return {d: int(counts[self._index_of[d]]) for d in sorted(self.dates)}

    @cached_property
    def may_run(self) -> BoolArray:
        """bool[t]: tasks of which an instance runs its code, at once or when it is unfrozen (SEL-6)."""
        codes, frozen = self._kinds_of_tasks, np.zeros(len(self.tasks), dtype=bool)
        for i in np.nonzero(codes == Kind.FROZEN)[0].tolist():
            task = self.tasks[i]
            frozen[i] = task.mode is not RunMode.DRY_RUN and task.type.traits.has_code
        may: BoolArray = ((codes == Kind.RUN) | frozen) & (self._on_match > 0)
        return may

    @cached_property
    def _on_match(self) -> LongArray:
        """int64[t]: instances on dates that the task's schedule matches."""
        on_match: LongArray = self._matching.sum(axis=0) * np.diff(self.first_of_task)
        return on_match

    @cached_property
    def _matching(self) -> BoolArray:
        """bool[dates, t]: where the task has instances on a date that its schedule matches (TIME-2)."""
        schedules, index = self._calendars
        matches = np.array(
            [[schedule.matches(d + ONE_DAY) for schedule in schedules] for d in self.dates], dtype=bool
        )
        matching: BoolArray = matches[:, index] & self._valid[self._validity_of]
        return matching

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
        return Kind.RUN if task.type.traits.has_code else Kind.VIRTUAL

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

    # -- inside

    def _kept(self, key: tuple[object, ...], make: Callable[[], AnyArray]) -> AnyArray:
        """An array that many dates share, from the last few that were wanted; threads may share a plan."""
        array = self._arrays.get(key)
        if array is None:
            array = make()
            array.flags.writeable = False
            self._arrays[key] = array
            if len(self._arrays) > _KEPT:
                self._arrays.popitem(last=False)
        else:
            self._arrays[key] = self._arrays.pop(
                key, array
            )  # to the end, also if another thread has let it go
        return array
