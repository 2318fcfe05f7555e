"""Task by bizdate: the states of all instances of a backfill, a byte each (BF-2).

A place is where an instance stands among those of one date; its id follows from place and date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.filters import OperationFilter
from retrofill.domain.running.states import WAITING, Reason, State
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord
    from retrofill.services.reading.documents import GridDocument
    from retrofill.services.reading.view import View

LETTERS: Mapping[State, str] = MappingProxyType(
    {
        State.NOT_RUN: "n",
        State.WAITING_TIME: "t",
        State.WAITING_RESOURCES: "w",
        State.RUNNING: "r",
        State.SUCCESSFUL: "s",
        State.FAILED: "f",
        State.FROZEN: "z",
    }
)
MARKS = MappingProxyType(
    {"dry_run": "d", "off_day": "o", "virtual": "v", "held_up": "h", "set_successful": "m"}
)
_NONE, _PLAIN = ord("."), ord("-")
_CODES = MappingProxyType({state: place for place, state in enumerate(State)})
_MOST_SET = 2_000  # instances set successful that are looked for, the latest ones


class Lane(NamedTuple):
    """What one place holds: an instance a date.

    Attributes:
        slot: minute of the day.
        cells: a letter a date, in running order.
        marks: likewise; empty where there is nothing to tell.
    """

    place: int
    task: str
    slot: int
    cells: str
    marks: str = ""


class Cells:
    """The states of a backfill's instances, as the actor sees them.

    Args:
        positions: only these dates; none: all.

    Raises:
        UnknownNameError: it has no such date.
    """

    def __init__(self, view: View, record: BackfillRecord, positions: Collection[int] = ()) -> None:
        self._view, self._record = view, record
        self.all_dates = view.reader.dates(record.id)
        wanted = sorted(set(positions) or range(len(self.all_dates)))
        if wanted and not 0 <= wanted[0] <= wanted[-1] < len(self.all_dates):
            raise UnknownNameError(
                f"backfill {record.id} has bizdates 0 to {len(self.all_dates) - 1}, counted in running order",
                Text("{backfill.show} shows them."),
            )
        self.positions: Sequence[int] = wanted

    @property
    def dates(self) -> list[DateRecord]:
        return [self.all_dates[position] for position in self.positions]

    def lanes(self, with_marks: bool = False) -> list[Lane]:
        """By place; of tasks that the actor may not see, nothing (SEC-2)."""
        record = self._record
        if record.phase != "active" or not record.stride:
            return []
        cells = self._read()
        marks = self._marks(cells) if with_marks else b""
        lanes = []
        for place, row in self._examples(cells).items():
            task = self._view.task_names[row.task_id]
            if self._view.sees(task):
                told = marks[place :: record.stride].decode()
                letters = cells[place :: record.stride].decode()
                lanes.append(Lane(place, task, row.slot, letters, told if told.strip("-") else ""))
        return lanes

    def _read(self) -> bytearray:
        """A letter for each id, dates in running order."""
        record = self._record
        letters = dict(LETTERS)
        if self._view.is_held(record):
            letters |= dict.fromkeys(WAITING, LETTERS[State.NOT_RUN])  # OPS-0
        table = bytearray([_NONE]) * 256
        for place, state in enumerate(State):
            table[place] = ord(letters[state])
        states = bytearray()
        for known, run in groupby(self.dates, self._state_of_all):
            for position, count in _rows_of([date.position for date in run]):
                states += self._states(position, count, known)
        return states.translate(table)

    def _states(self, position: int, count: int, state: State | None) -> bytearray:
        """Of these dates, whose instances are all in one state, or of which nothing is known yet."""
        reader, size = self._view.reader, count * self._record.stride
        first = self._record.first_instance_id + position * self._record.stride
        if state is None or (
            state == State.NOT_RUN
            and reader.is_waiting_between(self._record.id, first, first + size - 1)  # out of turn (OPS-3)
        ):
            return reader.states_between(first, first + size - 1)
        return bytearray([_CODES[state]]) * size

    def _state_of_all(self, date: DateRecord) -> State | None:
        """That of all instances of a date as far as its counters tell; None: they have to be looked at."""
        if date.total != self._record.stride:
            return None
        if date.successful == date.total:
            return State.SUCCESSFUL
        has_begun = date.reached or date.successful or date.failed or date.running or date.frozen
        return None if has_begun else State.NOT_RUN

    def _examples(self, cells: bytearray) -> dict[int, InstanceRecord]:
        """One instance of each place that has any: it tells the task and the time of all of them."""
        first, stride = self._record.first_instance_id, self._record.stride
        found: list[int] = []
        for place in range(stride):
            column = next((c for c in range(len(self.positions)) if cells[c * stride + place] != _NONE), None)
            if column is not None:
                found.append(first + self.positions[column] * stride + place)
        return {(row.id - first) % stride: row for row in self._view.reader.instances(found)}

    def _marks(self, cells: bytearray) -> bytearray:
        """What else is to be told of each instance: why it passes, what keeps it, who let it pass."""
        marks = bytearray([_PLAIN]) * len(cells)
        self._mark_kinds(marks)
        self._mark_held_up(marks, cells)
        stride, first = self._record.stride, self._record.first_instance_id
        column_of = {position: column for column, position in enumerate(self.positions)}
        for number in self._set_successful():
            position, place = divmod(number - first, stride)
            if position in column_of:
                marks[column_of[position] * stride + place] = ord(MARKS["set_successful"])
        return marks

    def _mark_kinds(self, marks: bytearray) -> None:
        """Which are no runs; nothing is planned anew where all are."""
        record, view = self._record, self._view
        if record.run_count == record.instance_count:
            return
        from retrofill.domain.planning.plan import Kind

        letters = bytearray([_PLAIN]) * 256
        for kind in (Kind.DRY_RUN, Kind.OFF_DAY, Kind.VIRTUAL):
            letters[kind] = ord(MARKS[kind.word])
        plan = view.graphs.get(view.reader, record.id).plan
        for column, position in enumerate(self.positions):
            kinds = plan.kinds(position).tobytes().translate(letters)
            marks[column * record.stride : (column + 1) * record.stride] = kinds

    def _mark_held_up(self, marks: bytearray, cells: bytearray) -> None:
        """What cannot go on before a person mends something (OPS-9); nothing is read where there is nothing of that."""
        from retrofill.services.reading.trouble import has_isolated, standing_of

        record, stride = self._record, self._record.stride
        if not any(date.failed or date.frozen for date in self.all_dates) and not has_isolated(record):
            return
        held = standing_of(self._view, record, self.all_dates).held_up
        letter, not_run = ord(MARKS["held_up"]), ord(LETTERS[State.NOT_RUN])
        for column, position in enumerate(self.positions):
            of_date = held[position * stride : (position + 1) * stride].nonzero()[0] + column * stride
            for at in of_date.tolist():
                if cells[at] == not_run:
                    marks[at] = letter

    def _set_successful(self) -> list[int]:
        """Ids of those that a person has set successful and that still are."""
        wanted = OperationFilter(action="set-successful", backfill_id=self._record.id)
        operations = self._view.reader.latest_operations(wanted, None, _MOST_SET)
        ids = {one.instance_id for one in operations if one.instance_id is not None}
        rows = self._view.reader.instances(sorted(ids)) if ids else []
        return [row.id for row in rows if row.reason == Reason.SET_SUCCESSFUL]


def _rows_of(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Positions that follow each other, as the first and how many."""
    begin = 0
    for end in range(1, len(positions) + 1):
        if end == len(positions) or positions[end] != positions[end - 1] + 1:
            yield positions[begin], end - begin
            begin = end


def grid(view: View, record: BackfillRecord, positions: Collection[int] = ()) -> GridDocument:
    """The document of a backfill's grid.

    Args:
        positions: only these dates, counted in running order from 0; none: all.

    Raises:
        UnknownNameError: it has no such date.
    """
    cells = Cells(view, record, positions)
    return {
        "id": record.id,
        "bizdates": [date.bizdate for date in cells.dates],
        "groups": [date.group_number for date in cells.dates],
        "positions": [*cells.positions],
        "first_instance": record.first_instance_id,
        "stride": record.stride,
        "rows": [
            {
                "task": lane.task,
                "slot": f"{lane.slot // 60:02}:{lane.slot % 60:02}",
                "place": lane.place,
                "cells": lane.cells,
                "marks": lane.marks,
            }
            for lane in sorted(cells.lanes(with_marks=True))
        ],
    }
