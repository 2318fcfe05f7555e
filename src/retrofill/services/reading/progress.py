"""How far a backfill has come: what is shown again and again while somebody waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.reading.backfills import BackfillReader

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord
    from retrofill.services.reading.documents import Progress, TimeLeft
    from retrofill.services.reading.view import View

_SHOWN = 4  # of what runs


def progress(view: View, record: BackfillRecord) -> Progress:
    """Counters by bizdate, and the first of what runs that the actor sees."""
    running = [row for row, _ in view.reader.running() if row.backfill_id == record.id]
    seen = [row for row in running if view.access.sees_instance(row)][:_SHOWN]
    return {
        "id": record.id,
        "name": view.access.shown_name(record),
        "check_status": record.check_status,
        "held": "stopped" if record.stopped else "paused" if record.paused else None,
        "paused_by": record.paused_by if record.paused else None,
        "failures": record.failures,
        "run_count": record.run_count,
        "ended_at": shown_instant(record.ended_ms),
        "dates": BackfillReader(view).dates(record),
        "running": [
            {"id": row.id, "task": view.task_names[row.task_id], "scheduled_at": row.scheduled_at.isoformat()}
            for row in seen
        ],
        "running_count": len(running),
    }


def time_left(view: View, record: BackfillRecord) -> TimeLeft | None:
    """From where it stands; tasks that may not be named are told in words."""
    if record.phase != "active" or record.paused or record.stopped:
        return None
    from retrofill.services.backfills.estimates import estimate_left

    found = estimate_left(view.reader, view.graphs, record, view.now_ms)
    return {
        "end_at": shown_instant(found.end_ms),
        "seconds": None if found.end_ms is None else max(found.end_ms - view.now_ms, 0) / 1000,
        "unknown_tasks": view.access.shown_tasks(record, found.unknown_tasks),
    }
