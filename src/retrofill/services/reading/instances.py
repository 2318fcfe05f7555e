"""Instances as people and programs see them, on one view of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import ALL_INSTANCES, InstanceFilter
from retrofill.domain.running.states import WAITING, State
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.instances.outlines import position_of
from retrofill.services.instances.queue_places import QueuePlaces

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord, RunRecord
    from retrofill.services.reading.documents import InstanceRow, RunRow
    from retrofill.services.reading.view import View


class InstanceReader:
    """Documents of instances; whether the actor may see one is asked before."""

    def __init__(self, view: View) -> None:
        self._view = view

    def row(self, row: InstanceRecord) -> InstanceRow:
        """An instance's row (BF-2)."""
        priority, resource_group = row.priority, row.resource_group
        if row.backfill_id is not None and row.state in (State.NOT_RUN, State.WAITING_TIME):
            placing = QueuePlaces(self._view.outlines.of(row), self._view.now_ms)
            priority, resource_group = self._place(row, placing.of(row))
        state = self.state(row)
        ended_ms = None if state == State.RUNNING else row.ended_ms
        ran = row.started_ms is not None and ended_ms is not None
        return {
            "id": row.id,
            "backfill": row.backfill_id,
            "task": self._view.task_names[row.task_id],
            "bizdate": row.bizdate,
            "scheduled_at": row.scheduled_at.isoformat(),
            "kind": row.kind,
            "state": state,
            "reason": row.reason,
            "group": self._view.outlines.group(row),
            "priority": priority,
            "resource_group": resource_group or self._own_group(row),
            "version": row.code_version_id or self._view.outlines.of(row).version_id(row.id),
            "run_number": row.run_number,
            "started_at": shown_instant(row.started_ms),
            "ended_at": shown_instant(ended_ms),
            "run_seconds": (ended_ms - row.started_ms) / 1000 if ran else None,  # type: ignore[operator]
        }

    def state(self, row: InstanceRecord) -> str:
        """An instance's state as people see it (OPS-0)."""
        if row.state not in WAITING:
            return row.state
        id_of_backfill = row.backfill_id
        held = (
            self._view.schedule_is_held
            if id_of_backfill is None
            else self._view.is_held(self._view.outlines.record(id_of_backfill))
        )
        return State.NOT_RUN.value if held else row.state

    def runs(self, row: InstanceRecord) -> list[RunRow]:
        """Its runs, the first one first."""
        made_from, hosting = self._view.outlines.of(row).version_id(row.id), self._view.reader.hosting
        runs = self._view.reader.runs(row.id)
        records = {name: hosting.find(name) for name in {run.host for run in runs} if name is not None}
        labels = {name: name if found is None else found.label for name, found in records.items()}
        return [run_row(run, made_from, labels) for run in runs]

    def of_backfill(
        self,
        record: BackfillRecord,
        asked: InstanceFilter = ALL_INSTANCES,
        has_date: Callable[[DateRecord], bool] = lambda _: True,
        after: InstanceRecord | None = None,
    ) -> Iterator[InstanceRow]:
        """Instances of a backfill by bizdate in running order, then scheduled time, then task.

        Args:
            after: only what follows this one.
        """
        if record.phase != "active":
            return
        dates = filter(has_date, self._view.reader.dates(record.id))
        positions = [date.position for date in dates if _may_have(date, asked.states)]
        begin = -1 if after is None else position_of(record, after.id)
        for position in positions:
            if position < begin:
                continue
            first = record.first_instance_id + position * record.stride
            rows = list(self._view.reader.instance_range(first, first + record.stride - 1, asked))
            if after is not None and position == begin:
                rows = self.rows_after(rows, after)
            rows.sort(key=self._key)
            yield from map(self.row, rows)

    def auto_triggered(self, rows: Iterable[InstanceRecord]) -> Iterator[InstanceRow]:
        """Auto triggered instances of one bizdate by scheduled time, then task."""
        for row in sorted(rows, key=self._key):
            yield self.row(row)

    def rows_after(self, rows: Iterable[InstanceRecord], last: InstanceRecord) -> list[InstanceRecord]:
        """Those of one bizdate that follow another one in lists."""
        return [row for row in rows if self._key(row) > self._key(last)]

    def _key(self, row: InstanceRecord) -> tuple[int, str]:
        return row.slot, self._view.task_names[row.task_id]

    def _place(self, row: InstanceRecord, judged: tuple[int, str]) -> tuple[int, str]:
        """Where it will queue: as judged now, but for what an administrator has set (OPS-7)."""
        if judged == (row.priority, row.resource_group):
            return judged
        fixed = self._view.reader.interventions.find_place(row.id)
        if fixed is None:
            return judged
        return fixed.priority or judged[0], fixed.resource_group or judged[1]

    def _own_group(self, row: InstanceRecord) -> str:
        """The group of an instance that needs no slot."""
        around = self._view.outlines.of(row)
        return around.plan_of(row.id).resource_group(around.task(row.id))


def _may_have(date: DateRecord, states: Collection[State] | None) -> bool:
    """Whether an instance of a date may be in one of these states, by its counters."""
    if states is None:
        return True
    counted = {
        State.SUCCESSFUL: date.successful,
        State.FAILED: date.failed,
        State.RUNNING: date.running,
        State.FROZEN: date.frozen,
    }
    others = date.total - sum(counted.values())
    return any(counted.get(state, others) for state in states)


def run_row(run: RunRecord, version_id: int, labels: Mapping[str, str]) -> RunRow:
    """A run of an instance.

    Args:
        version_id: the one that the instance was made from.
        labels: what people call hosts, by name.
    """
    return {
        "run_number": run.number,
        "version": run.version_id or version_id,
        "started_at": shown_instant(run.started_ms),
        "ended_at": shown_instant(run.ended_ms),
        "outcome": run.outcome,
        "exit_code": run.exit_code,
        "message": run.message,
        "host": run.host,
        "host_label": None if run.host is None else labels[run.host],
        "offered": run.is_offered,
    }
