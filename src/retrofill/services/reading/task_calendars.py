"""What has become of tasks, bizdate by bizdate: a letter each, the one that tells most.

Whoever ran a partition last has written what its table holds (RUN-7), be it the schedule or a backfill.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.running.filters import BackfillFilter, InstanceFilter
from retrofill.domain.running.states import WAITING, State
from retrofill.domain.time.bizdates import EARLIEST, ONE_DAY
from retrofill.domain.time.instants import due_at
from retrofill.domain.time.milliseconds import ms_of
from retrofill.services.ports.records import BackfillRecord, Outcome
from retrofill.services.reading.dates import visible_backfills
from retrofill.services.reading.grid import LETTERS
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Task
    from retrofill.services.reading.documents import InstanceRow, TaskCalendar, TaskNights
    from retrofill.services.reading.view import View

NONE, OFF_DAY, DRY_RUN, FORGOTTEN = ".", "o", "d", "?"
_TELLING = "rfzwtnsdo"  # of several times of a date, the first that occurs
_DRY = ("dry_run", "off_day")
_DAY_MS = 24 * 60 * 60 * 1000
MOST_CELLS = 60_000  # instances that are read for one calendar
_LATEST = 10
_NEWEST = 5  # backfills and nights that are looked into for what ran last
_EVER = ("", "9999-12-32")


class Found(NamedTuple):
    """What one instance tells of its partition; `backfill` is None where it is auto triggered."""

    outcome: Outcome
    backfill: int | None
    is_held: bool

    @property
    def letter(self) -> str:
        state, kind = State(self.outcome.state), self.outcome.kind
        if kind in _DRY and state is State.SUCCESSFUL:
            return OFF_DAY if kind == "off_day" else DRY_RUN
        return LETTERS[State.NOT_RUN if self.is_held and state in WAITING else state]  # OPS-0

    @property
    def weight(self) -> tuple[int, int, int]:
        """Of the instances of one partition the greatest counts: what runs, then what ran last, then what is to run."""
        state, kind = self.outcome.state, self.outcome.kind
        rank = 1
        if state == State.RUNNING:
            rank = 3
        elif state in (State.SUCCESSFUL, State.FAILED):
            rank = 0 if kind in _DRY else 2
        return rank, self.outcome.ended_ms or 0, self.outcome.id


def telling(found: Iterable[Found]) -> Found | None:
    """Of the instances of one bizdate, the one that tells most; None where there are none."""
    by_slot: dict[int, Found] = {}
    for one in found:
        known = by_slot.get(one.outcome.slot)
        if known is None or known.weight < one.weight:
            by_slot[one.outcome.slot] = one
    return min(by_slot.values(), key=lambda one: _TELLING.index(one.letter), default=None)


def nights_of(view: View, tasks: Sequence[str], limit: int) -> TaskNights:
    """The auto triggered instances of tasks on the latest nights.

    Args:
        limit: how many nights.
    """
    bizdates = view.reader.generations.bizdates(limit)[::-1]
    names = {view.task_ids[name]: name for name in tasks if name in view.task_ids}
    cells: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one in view.reader.generations.outcomes(bizdates, [*names]) if bizdates and names else ():
        cells[names[one.task_id], one.bizdate].append(Found(one, None, view.schedule_is_held))
    return {
        "bizdates": bizdates,
        "tasks": [
            {"task": name, "cells": "".join(_letter(telling(cells[name, day])) for day in bizdates)}
            for name in tasks
        ],
    }


def _letter(found: Found | None) -> str:
    return NONE if found is None else found.letter


class CalendarReader:
    """One task on the bizdates up to one.

    Args:
        kept_days: how long instances are kept after their last change.
        most: instances that are read at most, of the schedule and of backfills each.
    """

    def __init__(
        self,
        view: View,
        catalog: Catalog,
        task: Task,
        last: date,
        days: int,
        kept_days: int,
        most: int = MOST_CELLS,
    ) -> None:
        self._view, self._task, self._kept_days = view, task, kept_days
        self._zone = catalog.timezone_of(task)
        number = min(_fitting(days, task, most), (last - EARLIEST).days + 1)
        self._days = [last - n * ONE_DAY for n in range(number)][::-1]
        self._texts = [day.isoformat() for day in self._days]
        self._most, self._left_out = most, 0

    def document(self) -> TaskCalendar:
        found: dict[str, list[Found]] = defaultdict(list)
        for one in self._found():
            found[one.outcome.bizdate].append(one)
        told = [telling(found[day]) for day in self._texts]
        cells = [
            self._absent(day) if one is None else one.letter
            for day, one in zip(self._days, told, strict=True)
        ]
        return {
            "task": self._task.name,
            "first": self._texts[0],
            "last": self._texts[-1],
            "cells": "".join(cells),
            "instances": [None if one is None else one.outcome.id for one in told],
            "backfills": [None if one is None else one.backfill for one in told],
            "to_backfill": [
                day.isoformat()
                for day, cell in zip(self._days, cells, strict=True)
                if cell in "f." and self._due_ms(day) <= self._view.now_ms
            ],
            "kept_days": self._kept_days,
            "left_out": self._left_out,
            "latest": self._latest(),
        }

    def _found(self) -> Iterator[Found]:
        task_id = self._view.task_ids.get(self._task.name)
        if task_id is None:
            return
        held = self._view.schedule_is_held
        for one in self._view.reader.generations.outcomes(self._texts, [task_id]):
            yield Found(one, None, held)
        left = self._most
        asked = BackfillFilter(
            phase="active", bizdates=(self._texts[0], self._texts[-1]), tasks=[[self._task.name]]
        )
        for record in visible_backfills(self._view, asked):
            if left <= 0:
                self._left_out += 1
                continue
            ids, is_held = (
                self._ids(record, task_id, self._texts[0], self._texts[-1]),
                self._view.is_held(record),
            )
            left -= max(len(ids), 1)
            for one in self._view.reader.outcomes(ids):
                if one.task_id == task_id:
                    yield Found(one, record.id, is_held)

    def _ids(self, record: BackfillRecord, task_id: int, first: str, last: str) -> list[int]:
        """Of a task, the places are the same on every date: those of two dates tell them."""
        within = [d for d in self._view.reader.dates(record.id) if first <= d.bizdate <= last]
        if not within:
            return []
        begins = [record.first_instance_id + d.position * record.stride for d in within]
        wanted = InstanceFilter(task_ids=frozenset({task_id}))
        places = {
            row.id - begin
            for begin in {begins[0], begins[-1]}
            for row in self._view.reader.instance_range(begin, begin + record.stride - 1, wanted)
        }
        return [begin + place for begin in begins for place in sorted(places)]

    def _absent(self, day: date) -> str:
        """Why there is nothing: it is no day of the task's, it was never made, or that is not known any more."""
        scheduled = day + ONE_DAY
        if not (self._task.schedule.matches(scheduled) and self._task.is_valid_on(scheduled)):
            return OFF_DAY
        kept_from_ms = self._kept_from_ms
        return FORGOTTEN if kept_from_ms is not None and self._due_ms(day) < kept_from_ms else NONE

    @cached_property
    def _kept_from_ms(self) -> int | None:
        """What was due before then may have been removed; None: nothing was there so long ago."""
        kept_from_ms = self._view.now_ms - self._kept_days * _DAY_MS
        deployed_ms = self._view.reader.first_deployed_ms()
        return kept_from_ms if deployed_ms is not None and deployed_ms < kept_from_ms else None

    def _due_ms(self, day: date) -> int:
        """When the first of a bizdate's times is due."""
        local = datetime.combine(day + ONE_DAY, time()) + timedelta(minutes=self._task.schedule.slots[0])
        return ms_of(due_at(local, self._zone))

    def _latest(self) -> list[InstanceRow]:
        """Of the newest backfills and nights, whatever their bizdates."""
        task_id = self._view.task_ids.get(self._task.name)
        if task_id is None:
            return []
        generations = self._view.reader.generations
        nights = generations.bizdates(_NEWEST)
        found = generations.outcomes(nights, [task_id]) if nights else []
        asked = BackfillFilter(phase="active", tasks=[[self._task.name]])
        for record in islice(visible_backfills(self._view, asked), _NEWEST):
            ids = self._ids(record, task_id, *_EVER)
            found += self._view.reader.outcomes(ids[: self._most])
        began = [one for one in found if one.started_ms is not None and one.task_id == task_id]
        began.sort(key=lambda one: (one.started_ms or 0, one.id), reverse=True)
        ids = [one.id for one in began[:_LATEST]]
        rows = {row.id: row for row in self._view.reader.instances(ids)}
        reader = InstanceReader(self._view)
        return [reader.row(rows[number]) for number in ids]


def _fitting(days: int, task: Task, most: int) -> int:
    """So many days that not more instances are read than can be in a moment."""
    return max(1, min(days, most // len(task.schedule.slots)))
