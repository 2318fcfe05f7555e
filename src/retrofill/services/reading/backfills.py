"""Backfills as people and programs see them, on one view of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from retrofill.domain.running.status import Status
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.services.backfills.expected import basis, expected, first_estimate, is_stale
from retrofill.services.instances.backfill_status import status, took_seconds
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.stored import analysis_of, planned_dates_of
from retrofill.services.reading.redaction import shown_analysis, shown_row

if TYPE_CHECKING:
    from retrofill.services.ports.records import AlertRecord, BackfillRecord, DateRecord
    from retrofill.services.reading.documents import (
        Alert,
        Analysis,
        BackfillPage,
        BackfillRow,
        Counts,
        DateRow,
        FirstEstimate,
    )
    from retrofill.services.reading.failures import FailureReader
    from retrofill.services.reading.view import View

_UNDER_WAY = frozenset({Status.RUNNING, Status.WAITING_RESOURCES, Status.PENDING})


class BackfillReader:
    """Documents of backfills that the actor sees, without what he may not know."""

    def __init__(self, view: View) -> None:
        self._view = view

    def row(self, record: BackfillRecord, is_alone: bool = False) -> BackfillRow:
        """A backfill's row: status, counts by state, dates, instants (BF-2).

        Args:
            is_alone: an estimate that is out of date is made anew; in a list what is stored is shown.
        """
        holds = holds_of([record], instant_of(self._view.now_ms))
        found, blocked_by = status(self._view.reader, record, record.id in holds.window_closed)
        dates = self._view.reader.dates(record.id)
        first = cast(
            "FirstEstimate | None",
            first_estimate(self._view.reader, record, has_succeeded=found is Status.SUCCEEDED),
        )
        row: BackfillRow = {
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
            "alerts": self.alerts(record),
        }
        return shown_row(self._view.access, record, row)

    def page(self, record: BackfillRecord, failures: FailureReader) -> BackfillPage:
        """A backfill with everything that it was asked for, what its instances do, and its dates (BF-2, VER-1)."""
        from retrofill.services.reading.asked_for import request_of

        access = self._view.access
        listed = access.listed_tasks(record)
        request = request_of(
            record, lambda task: listed is None or task in listed or access.sees(task), access.sees
        )
        analysis = analysis_of(record)
        return {
            **self.row(record, is_alone=True),
            "kinds": analysis.get("kinds"),
            "runs_by_bizdate": analysis.get("runs_by_bizdate"),
            "request": request,
            "dates": self.dates(record),
            "first_failures": failures.first(record, self._view.reader.dates(record.id)),
        }

    def analysis(self, record: BackfillRecord) -> Analysis:
        """What verification found when the backfill was created, or started (VER-1)."""
        from retrofill.domain.verification.findings import Finding

        found = analysis_of(record)
        findings = [Finding.from_json(finding).document() for finding in found["findings"]]
        document = {"id": record.id, "check_status": record.check_status, **found, "findings": findings}
        return shown_analysis(self._view.access, record, document)

    def alerts(self, record: BackfillRecord) -> list[Alert]:
        """The messages about it (POL-9)."""
        return [alert_row(alert) for alert in self._view.reader.outbox.of_backfill(record.id)]

    def dates(self, record: BackfillRecord) -> list[DateRow]:
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
            for date in self._view.reader.dates(record.id)
        ]

    def counts(self, record: BackfillRecord, dates: list[DateRecord]) -> Counts:
        """Instances by state."""
        sums = {
            name: sum(getattr(date, name) for date in dates)
            for name in ("total", "successful", "failed", "running", "frozen")
        }
        for_resources, for_time = self._view.reader.waiting(record.id) if dates else (0, 0)
        if self._view.is_held(record):
            for_resources = for_time = 0  # OPS-0: a held backfill's instances are Not run
        started = sums["successful"] + sums["failed"] + sums["running"] + sums["frozen"]
        not_run = sums["total"] - started - for_resources - for_time
        return {
            "not_run": not_run,
            "waiting_time": for_time,
            "waiting_resources": for_resources,
            "running": sums["running"],
            "successful": sums["successful"],
            "failed": sums["failed"],
            "frozen": sums["frozen"],
        }

    def _estimated_end(
        self, record: BackfillRecord, found: Status, first: FirstEstimate | None, is_alone: bool
    ) -> str | None:
        """When what is left will have run (BF-2); None where it is unknown, held, or needs a person."""
        if found not in _UNDER_WAY or record.paused or record.stopped:
            return None
        if record.phase != "active":
            return first["end_at"] if first is not None else None
        stored = expected(self._view.reader, record.id)
        if is_alone and (
            stored is None or is_stale(stored, basis(self._view.reader, record), self._view.now_ms)
        ):
            from retrofill.services.backfills.estimates import estimate_left

            left = estimate_left(self._view.reader, self._view.graphs, record, self._view.now_ms)
            return shown_instant(left.end_ms) if left is not None else None
        return None if stored is None else shown_instant(stored.now(self._view.now_ms, found))


def alert_row(alert: AlertRecord) -> Alert:
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
