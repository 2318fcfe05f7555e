"""Backfills as people and programs see them, on one view of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from retrofill.domain.running.expected import Expected, is_stale
from retrofill.domain.running.status import Status
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.services.backfills.expected import as_expected, basis, first_estimate
from retrofill.services.instances.backfill_status import Counted, status, took_seconds
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.stored import analysis_of, planned_dates_of
from retrofill.services.reading.redaction import shown_analysis, shown_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retrofill.services.ports.records import AlertRecord, BackfillFigures, BackfillRecord
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

    def rows(self, records: Sequence[BackfillRecord]) -> list[BackfillRow]:
        """Backfills in a list, read together: status, counts by state, dates, instants (BF-2).

        What is stored of their ends is shown, however old it is.
        """
        reader, ids = self._view.reader, [record.id for record in records]
        figures, alerts = reader.figures(ids), reader.outbox.of_backfills(ids)
        return [self._row(record, figures[record.id], alerts.get(record.id, ())) for record in records]

    def row(self, record: BackfillRecord) -> BackfillRow:
        """One backfill alone: an estimate that is out of date is made anew (BF-2)."""
        (figures,) = self._view.reader.figures([record.id]).values()
        alerts = self._view.reader.outbox.of_backfill(record.id)
        return self._row(record, figures, alerts, is_alone=True)

    def _row(
        self,
        record: BackfillRecord,
        figures: BackfillFigures,
        alerts: Iterable[AlertRecord],
        is_alone: bool = False,
    ) -> BackfillRow:
        holds = holds_of([record], instant_of(self._view.now_ms))
        counted = Counted(figures.progress, figures.waiting)
        found, blocked_by = status(self._view.reader, record, record.id in holds.window_closed, counted)
        first = cast(
            "FirstEstimate | None",
            first_estimate(figures.first_estimate, record, has_succeeded=found is Status.SUCCEEDED),
        )
        stored = as_expected(figures.expected)
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
            "counts": self._counts(counted, record.id in holds.may_not_start),
            "bizdates": list(figures.bizdates) or planned_dates_of(record),
            "version": record.version_id,
            "created_by": record.created_by,
            "created_at": shown_instant(record.created_ms),
            "started_at": shown_instant(record.started_ms),
            "ended_at": shown_instant(record.ended_ms),
            "took_seconds": took_seconds(record),
            "estimated_end_at": self._estimated_end(record, found, first, stored, is_alone),
            "first_estimate": first,
            "alerts": [*map(alert_row, alerts)],
        }
        return shown_row(self._view.access, record, row)

    def page(self, record: BackfillRecord, failures: FailureReader) -> BackfillPage:
        """A backfill with everything that it was asked for, what its instances do, and its dates (BF-2, VER-1)."""
        from retrofill.services.backfills.tags import tag_of
        from retrofill.services.backfills.whole import refusals
        from retrofill.services.reading.asked_for import request_of

        access = self._view.access
        listed = access.listed_tasks(record)
        request = request_of(
            record, lambda task: listed is None or task in listed or access.sees(task), access.sees
        )
        analysis = analysis_of(record)
        return {
            **self.row(record),
            "kinds": analysis.get("kinds"),
            "runs_by_bizdate": analysis.get("runs_by_bizdate"),
            "request": request,
            "dates": self.dates(record),
            "first_failures": failures.first(record, self._view.reader.dates(record.id)),
            "refusals": refusals(self._view.reader, access, record, self._view.now_ms),
            "tag": tag_of(record),
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

    def _counts(self, counted: Counted, is_held: bool) -> Counts:
        """Instances by state."""
        total, successful, failed, running, frozen = counted.ended_or_running
        # OPS-0: a held backfill's instances are Not run.
        for_resources, for_time = (0, 0) if is_held else counted.waiting
        started = successful + failed + running + frozen
        return {
            "not_run": total - started - for_resources - for_time,
            "waiting_time": for_time,
            "waiting_resources": for_resources,
            "running": running,
            "successful": successful,
            "failed": failed,
            "frozen": frozen,
        }

    def _estimated_end(
        self,
        record: BackfillRecord,
        found: Status,
        first: FirstEstimate | None,
        stored: Expected | None,
        is_alone: bool,
    ) -> str | None:
        """When what is left will have run (BF-2); None where it is unknown, held, or needs a person."""
        if found not in _UNDER_WAY or record.paused or record.stopped:
            return None
        if record.phase != "active":
            return first["end_at"] if first is not None else None
        if is_alone:
            stored = self._up_to_date(record, stored)
        return None if stored is None else shown_instant(stored.now(self._view.now_ms, found))

    def _up_to_date(self, record: BackfillRecord, stored: Expected | None) -> Expected:
        """What is stored or was estimated in this process lately, else a new estimate."""
        reader, graphs, now_ms = self._view.reader, self._view.graphs, self._view.now_ms
        now = basis(reader, record)
        for known in (stored, graphs.expected.get(record.id)):
            if known is not None and not is_stale(known, now, now_ms):
                return known
        from retrofill.services.backfills.estimates import estimate_left

        left = estimate_left(reader, graphs, record, now_ms)
        return graphs.expected.put(record.id, Expected(None if left is None else left.end_ms, now_ms, *now))


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
