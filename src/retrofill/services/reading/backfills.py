"""Rows as people and programs see them: the JSON of the command line and of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from retrofill.domain.running.filters import ALL_INSTANCES, InstanceFilter
from retrofill.domain.running.states import WAITING, Reason, State
from retrofill.domain.running.status import Status
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.domain.verification.findings import Finding
from retrofill.services.backfills.expected import basis, expected, first_estimate, is_stale
from retrofill.services.instances.backfill_status import status, took_seconds
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.outlines import Outlines, position_of
from retrofill.services.instances.queue_places import QueuePlaces
from retrofill.services.instances.stored import analysis_of, planned_dates_of
from retrofill.services.ports.records import (
    AlertRecord,
    BackfillRecord,
    DateRecord,
    InstanceRecord,
    OperationRecord,
    RunRecord,
)

if TYPE_CHECKING:
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader

Row = dict[str, Any]
_UNDER_WAY = frozenset({Status.RUNNING, Status.WAITING_RESOURCES, Status.PENDING})


class Views:
    """Makes rows from one consistent view of the ledger."""

    def __init__(self, reader: Reader, graphs: GraphCache, now_ms: int) -> None:
        self._reader = reader
        self._graphs = graphs
        self._now_ms = now_ms
        self._task_names: dict[int, str] | None = None
        self._held: dict[int, bool] = {}
        self._outlines = Outlines(reader, graphs)

    def backfill(self, record: BackfillRecord, is_alone: bool = False) -> Row:
        """A backfill's row: status, counts by state, dates, instants (BF-2).

        Args:
            is_alone: an estimate that is out of date is made anew; in a list what is stored is shown.
        """
        holds = holds_of([record], instant_of(self._now_ms))
        found, blocked_by = status(self._reader, record, record.id in holds.window_closed)
        dates = self._reader.dates(record.id)
        first = first_estimate(self._reader, record, has_succeeded=found is Status.SUCCEEDED)
        return {
            "id": record.id,
            "name": record.name,
            "check_status": record.check_status,
            "status": found.value,
            "blocked_by": list(blocked_by),
            "held": "stopped" if record.stopped else "paused" if record.paused else None,
            "paused_by": record.paused_by if record.paused else None,
            "failures": record.failures,
            "task_count": record.task_count,
            "instance_count": record.instance_count,
            "run_count": record.run_count,
            "counts": self.counts(record, dates),
            "bizdates": [date.bizdate for date in dates] or planned_dates_of(record),
            "version": record.version_id,
            "created_by": record.created_by,
            "created_at": shown_instant(record.created_ms),
            "started_at": shown_instant(record.started_ms),
            "ended_at": shown_instant(record.ended_ms),
            "took_seconds": took_seconds(record),
            "estimated_end_at": self._estimated_end(record, found, first, is_alone),
            "first_estimate": first,
            "alerts": [alert_row(alert) for alert in self._reader.outbox.of_backfill(record.id)],
        }

    def is_held(self, record: BackfillRecord) -> bool:
        """Whether nothing of it may start now: then what is ready or early counts as Not run (OPS-0)."""
        if record.id not in self._held:
            holds = holds_of([record], instant_of(self._now_ms))
            self._held[record.id] = bool(holds.may_not_start)
        return self._held[record.id]

    @cached_property
    def schedule_is_held(self) -> bool:
        """Whether no auto triggered instance may start now, so that those that wait count as Not run."""
        return self._reader.generations.is_held()

    def state(self, row: InstanceRecord) -> str:
        """An instance's state as people see it (OPS-0)."""
        if row.state not in WAITING:
            return row.state
        id_of_backfill = row.backfill_id
        held = self.schedule_is_held if id_of_backfill is None else self.is_held(self._record(id_of_backfill))
        return State.NOT_RUN.value if held else row.state

    def queues(self) -> dict[tuple[str, str], int]:
        """How many instances run, and wait for resources, by resource group and state."""
        found = self._reader.queues(self.held(), auto=not self.schedule_is_held)
        return {(group, state): count for group, state, count in found}

    def held(self) -> tuple[int, ...]:
        """Backfills of which nothing may start now."""
        return holds_of(self._reader.open_backfills(), instant_of(self._now_ms)).may_not_start

    def counts(self, record: BackfillRecord, dates: list[DateRecord]) -> dict[str, int]:
        """Instances by state."""
        sums = {
            name: sum(getattr(date, name) for date in dates)
            for name in ("total", "successful", "failed", "running", "frozen")
        }
        for_resources, for_time = self._reader.waiting(record.id) if dates else (0, 0)
        if self.is_held(record):
            for_resources = for_time = 0  # OPS-0: a held backfill's instances are Not run
        started = sums["successful"] + sums["failed"] + sums["running"] + sums["frozen"]
        not_run = sums["total"] - started - for_resources - for_time
        by_state = {
            State.NOT_RUN: not_run,
            State.WAITING_TIME: for_time,
            State.WAITING_RESOURCES: for_resources,
            State.RUNNING: sums["running"],
            State.SUCCESSFUL: sums["successful"],
            State.FAILED: sums["failed"],
            State.FROZEN: sums["frozen"],
        }
        return {state.value: count for state, count in by_state.items()}

    def _estimated_end(
        self, record: BackfillRecord, found: Status, first: Row | None, is_alone: bool
    ) -> str | None:
        """When what is left will have run (BF-2); None where it is unknown, held, or needs a person."""
        if found not in _UNDER_WAY or record.paused or record.stopped:
            return None
        if record.phase != "active":
            return first["end_at"] if first is not None else None
        stored = expected(self._reader, record.id)
        if is_alone and (stored is None or is_stale(stored, basis(self._reader, record), self._now_ms)):
            from retrofill.services.backfills.estimates import estimate_left

            left = estimate_left(self._reader, self._graphs, record, self._now_ms)
            return shown_instant(left.end_ms) if left is not None else None
        return None if stored is None else shown_instant(stored.now(self._now_ms, found))

    def instance(self, row: InstanceRecord) -> Row:
        """An instance's row (BF-2)."""
        priority, resource_group = row.priority, row.resource_group
        if row.backfill_id is not None and row.state in (State.NOT_RUN, State.WAITING_TIME):
            placing = QueuePlaces(self._outlines.of(row), self._now_ms)
            priority, resource_group = self._place(row, placing.of(row))
        state = self.state(row)
        ended_ms = None if state == State.RUNNING else row.ended_ms
        ran = row.started_ms is not None and ended_ms is not None
        return {
            "id": row.id,
            "backfill": row.backfill_id,
            "task": self._task_name(row.task_id),
            "bizdate": row.bizdate,
            "scheduled_at": row.scheduled_at.isoformat(),
            "kind": row.kind,
            "state": state,
            "reason": row.reason,
            "group": self._outlines.group(row),
            "priority": priority,
            "resource_group": resource_group or self._own_group(row),
            "version": row.code_version_id or self._outlines.of(row).version_id(row.id),
            "run_number": row.run_number,
            "started_at": shown_instant(row.started_ms),
            "ended_at": shown_instant(ended_ms),
            "run_seconds": (ended_ms - row.started_ms) / 1000 if ran else None,  # type: ignore[operator]
        }

    def _place(self, row: InstanceRecord, judged: tuple[int, str]) -> tuple[int, str]:
        """Where it will queue: as judged now, but for what an administrator has set (OPS-7)."""
        if judged == (row.priority, row.resource_group):
            return judged
        fixed = self._reader.interventions.find_place(row.id)
        if fixed is None:
            return judged
        return fixed.priority or judged[0], fixed.resource_group or judged[1]

    def today(self) -> date:
        """The date from which relative bizdates count: now, in the deployment's time zone."""
        from retrofill.domain.time.instants import local_date

        catalog = self._graphs.current(self._reader)
        return local_date(instant_of(self._now_ms), "UTC" if catalog is None else catalog.timezone)

    def instances(
        self,
        record: BackfillRecord,
        asked: InstanceFilter = ALL_INSTANCES,
        has_bizdate: Callable[[str], bool] = lambda _: True,
        after: InstanceRecord | None = None,
    ) -> Iterator[Row]:
        """Instances of a backfill by bizdate in running order, then scheduled time, then task.

        Args:
            after: only what follows this one.
        """
        if record.phase != "active":
            return
        positions = [d.position for d in self._reader.dates(record.id) if has_bizdate(d.bizdate)]
        begin = -1 if after is None else position_of(record, after.id)
        for position in positions:
            if position < begin:
                continue
            first = record.first_instance_id + position * record.stride
            rows = list(self._reader.instance_range(first, first + record.stride - 1, asked))
            if after is not None and position == begin:
                rows = self.rows_after(rows, after)
            rows.sort(key=self._key)
            yield from map(self.instance, rows)

    def auto_triggered(self, rows: Iterable[InstanceRecord]) -> Iterator[Row]:
        """Auto triggered instances of one bizdate by scheduled time, then task."""
        for row in sorted(rows, key=self._key):
            yield self.instance(row)

    def rows_after(self, rows: Iterable[InstanceRecord], last: InstanceRecord) -> list[InstanceRecord]:
        """Those of one bizdate that follow another one in lists."""
        return [row for row in rows if self._key(row) > self._key(last)]

    def _key(self, row: InstanceRecord) -> tuple[int, str]:
        return row.slot, self._task_name(row.task_id)

    def nights(self, limit: int = -1) -> list[Row]:
        """Bizdates with auto triggered instances, newest first: how many, by state (`/schedule`)."""
        bizdates = self._reader.generations.bizdates(limit)
        counts: dict[str, dict[str, int]] = {day: {state.value: 0 for state in State} for day in bizdates}
        for day, state, count in (
            self._reader.generations.counts(bizdates[-1], bizdates[0]) if bizdates else ()
        ):
            shown = State.NOT_RUN if self.schedule_is_held and state in WAITING else state
            counts[day][shown] += count
        return [
            {"bizdate": day, "instance_count": sum(counts[day].values()), "counts": counts[day]}
            for day in bizdates
        ]

    def analysis(self, record: BackfillRecord) -> Row:
        """What verification found when the backfill was created, or started (VER-1)."""
        found = analysis_of(record)
        findings = [Finding.from_json(finding).document() for finding in found["findings"]]
        return {"id": record.id, "check_status": record.check_status, **found, "findings": findings}

    def dates(self, record: BackfillRecord) -> list[Row]:
        return [
            {
                "bizdate": date.bizdate,
                "group": date.group_number,
                "reached": bool(date.reached),
                "total": date.total,
                "successful": date.successful,
                "failed": date.failed,
                "running": date.running,
                "frozen": date.frozen,
            }
            for date in self._reader.dates(record.id)
        ]

    def _record(self, backfill_id: int) -> BackfillRecord:
        return self._outlines.record(backfill_id)

    def _task_name(self, task_id: int) -> str:
        if self._task_names is None:
            self._task_names = {i: name for name, i in self._reader.task_ids().items()}
        return self._task_names[task_id]

    def _own_group(self, row: InstanceRecord) -> str:
        """The group of an instance that needs no slot."""
        around = self._outlines.of(row)
        return around.plan_of(row.id).resource_group(around.task(row.id))


def alert_row(alert: AlertRecord) -> Row:
    """One message about a backfill: what it tells, how far it has come (POL-9)."""
    from retrofill.domain.alerts import AlertState

    return {
        "event": alert.event,
        "method": alert.method,
        "state": alert.state,
        "queued_at": shown_instant(alert.queued_ms),
        "tries": alert.tries,
        "next_try_at": shown_instant(alert.next_ms),
        "sent_at": shown_instant(alert.done_ms) if alert.state == AlertState.SENT else None,
        "reason": alert.reason,
    }


def run_row(run: RunRecord, version_id: int) -> Row:
    """A run of an instance; `version_id` is the one that the instance was made from."""
    return {
        "run_number": run.number,
        "version": run.version_id or version_id,
        "started_at": shown_instant(run.started_ms),
        "ended_at": shown_instant(run.ended_ms),
        "outcome": run.outcome,
        "exit_code": run.exit_code,
        "message": run.message,
    }


def operation_row(operation: OperationRecord, task: str | None = None) -> Row:
    """One line of the record of operations (OPS-8); `task` is the full name of the one it was done to."""
    return {
        "at": shown_instant(operation.at_ms),
        "user": operation.user,
        "action": operation.action,
        "backfill": operation.backfill_id,
        "instance": operation.instance_id,
        "task": task,
        "from_state": operation.from_state,
        "to_state": operation.to_state,
        "comment": operation.comment,
    }


def log_line(row: InstanceRecord, dry_run_reasons: Mapping[str, str], task: str) -> str:
    """The one line that stands for the log of an instance that ran no code (RUN-2)."""
    if row.reason == Reason.OFF_DAY:
        return "Off day: the schedule leaves this date out, so nothing was run.\n"
    if row.reason == Reason.SET_SUCCESSFUL:
        return "Set successful by hand; nothing was run.\n"
    if row.kind == "virtual":
        return "Virtual task: it has no code and succeeds at once.\n"
    why = {
        "blacklisted": "it is on the backfill's blacklist",
        "intermediate": "it was not chosen, but lies between tasks that run",
        "no_permission": "the backfill's creator may not run it",
    }.get(dry_run_reasons.get(task, ""), "its task is in mode dry_run")
    return f"Dry run: {why}, so nothing was run.\n"
