"""Which instances of a backfill failed first, and how (POL-14)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import FAILED_BY_THEMSELVES

if TYPE_CHECKING:
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord
    from retrofill.services.reading.documents import Failure
    from retrofill.services.reading.view import View

_MOST_DATES = 50  # with failures; the counters tell which these are
_NAMED = 3


def failed_first(view: View, record: BackfillRecord, dates: Sequence[DateRecord]) -> list[InstanceRecord]:
    """What is Failed for a reason of its own and seen by the actor, by the time at which it failed.

    Only dates with failures are read, and of these only so many.
    """
    found: list[InstanceRecord] = []
    for date in [date for date in dates if date.failed][:_MOST_DATES]:
        first = record.first_instance_id + date.position * record.stride
        rows = view.reader.instance_range(first, first + record.stride - 1, FAILED_BY_THEMSELVES)
        found += filter(view.access.sees_instance, rows)
    found.sort(key=lambda row: (row.ended_ms or 0, row.id))
    return found


class FailureReader:
    """The first failures of a backfill that the actor may see, each with what it left behind.

    Args:
        logs, specs: asked for when something has failed: both take time to import.
    """

    def __init__(self, view: View, logs: Callable[[], Logs], specs: Callable[[], RunSpecs]) -> None:
        self._view, self._logs, self._specs = view, logs, specs

    def first(self, record: BackfillRecord, dates: Sequence[DateRecord], most: int = _NAMED) -> list[Failure]:
        """Those of instances that are Failed for a reason of their own, the first ones in time."""
        return [self.failure(row) for row in failed_first(self._view, record, dates)[:most]]

    def failure(self, row: InstanceRecord) -> Failure:
        """An instance that failed, with how its last run ended."""
        from retrofill.services.reading.logs import last_line

        view = self._view
        runs = [run for run in view.reader.runs(row.id) if run.number == row.run_number]
        message = runs[-1].message if runs else None
        return {
            "id": row.id,
            "task": view.task_names[row.task_id],
            "bizdate": row.bizdate,
            "scheduled_at": row.scheduled_at.isoformat(),
            "run_number": row.run_number,
            "message": message or (row.reason or "failed").replace("_", " "),
            "last_line": (last_line(view, self._logs(), self._specs(), row, runs[-1]) if runs else "")
            or None,
        }
