"""Task by bizdate: the states of all instances of a backfill, a byte each (BF-2).

A place is where an instance stands among those of one date; its id follows from place and date.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.running.states import WAITING, State

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord
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
_NONE = ord(".")


class Lane(NamedTuple):
    """What one place holds: an instance a date.

    Attributes:
        slot: minute of the day.
        cells: a letter a date, in running order.
    """

    place: int
    task: str
    slot: int
    cells: str


class Cells:
    """The states of a backfill's instances, as the actor sees them."""

    def __init__(self, view: View, record: BackfillRecord) -> None:
        self._view, self._record = view, record
        self.dates = view.reader.dates(record.id)

    def lanes(self) -> list[Lane]:
        """By place; of tasks that the actor may not see, nothing (SEC-2)."""
        record = self._record
        if record.phase != "active" or not record.stride:
            return []
        cells = self._read()
        lanes = []
        for place, row in self._examples(cells).items():
            task = self._view.task_names[row.task_id]
            if self._view.sees(task):
                lanes.append(Lane(place, task, row.slot, cells[place :: record.stride].decode()))
        return lanes

    def _read(self) -> bytearray:
        """A letter for each id, dates in running order."""
        record = self._record
        first, size = record.first_instance_id, record.stride * len(self.dates)
        letters = dict(LETTERS)
        if self._view.is_held(record):
            letters |= dict.fromkeys(WAITING, LETTERS[State.NOT_RUN])  # OPS-0
        table = bytearray([_NONE]) * 256
        for place, state in enumerate(State):
            table[place] = ord(letters[state])
        return self._view.reader.states_between(first, first + size - 1).translate(table)

    def _examples(self, cells: bytearray) -> dict[int, InstanceRecord]:
        """One instance of each place that has any: it tells the task and the time of all of them."""
        first, stride = self._record.first_instance_id, self._record.stride
        found: list[int] = []
        for place in range(stride):
            column = next((c for c in range(len(self.dates)) if cells[c * stride + place] != _NONE), None)
            if column is not None:
                found.append(first + column * stride + place)
        return {(row.id - first) % stride: row for row in self._view.reader.instances(found)}


def grid(view: View, record: BackfillRecord) -> GridDocument:
    """The document of a backfill's grid."""
    cells = Cells(view, record)
    return {
        "id": record.id,
        "bizdates": [date.bizdate for date in cells.dates],
        "groups": [date.group_number for date in cells.dates],
        "first_instance": record.first_instance_id,
        "stride": record.stride,
        "rows": [
            {
                "task": lane.task,
                "slot": f"{lane.slot // 60:02}:{lane.slot % 60:02}",
                "place": lane.place,
                "cells": lane.cells,
            }
            for lane in sorted(cells.lanes())
        ],
    }
