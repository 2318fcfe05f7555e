"""When what ran, and what will run when: the runs of a backfill as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.running.outcomes import Outcome
from retrofill.domain.running.states import State
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.reading.grid import LETTERS, Cells

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord, RunRecord
    from retrofill.services.reading.documents import Forecast, TimelineDocument
    from retrofill.services.reading.view import View


def timeline(view: View, record: BackfillRecord) -> TimelineDocument:
    """The document of a backfill's timeline; of runs of tasks that the actor may not see, nothing (SEC-2)."""
    cells = Cells(view, record)
    task_at = {lane.place: lane.task for lane in cells.lanes()}
    tasks = sorted(set(task_at.values()))
    index_of = {task: index for index, task in enumerate(tasks)}
    first, stride = record.first_instance_id, record.stride
    runs = [
        (run, index_of[task])
        for run in view.reader.runs_between(first, first + stride * len(cells.dates) - 1)
        if (task := task_at.get((run.instance_id - first) % stride)) is not None
    ]
    began_ms = min((run.started_ms for run, _ in runs), default=0)
    return {
        "id": record.id,
        "began_at": shown_instant(began_ms) if runs else None,
        "tasks": tasks,
        "instances": [run.instance_id for run, _ in runs],
        "run_numbers": [run.number for run, _ in runs],
        "task_of": [index for _, index in runs],
        "started": [run.started_ms - began_ms for run, _ in runs],
        "ended": [None if run.ended_ms is None else run.ended_ms - began_ms for run, _ in runs],
        "states": "".join(LETTERS[_state(run)] for run, _ in runs),
    }


def forecast(view: View, record: BackfillRecord) -> Forecast | None:
    """The document of what will run; None where nothing of it may start, or it has not begun."""
    if record.phase != "active" or record.paused or record.stopped or record.ended_ms is not None:
        return None
    from retrofill.services.backfills.estimates import estimate_left

    found = estimate_left(view.reader, view.graphs, record, view.now_ms, with_spread=True)
    plan = view.graphs.get(view.reader, record.id).plan
    seen = [view.sees(task.name) for task in plan.tasks]
    runs = sorted(
        (start_ms, offset, end_ms)
        for offset, start_ms, end_ms in found.runs
        if seen[plan.task_of[offset % plan.n]]
    )
    return {
        "id": record.id,
        "at": shown_instant(view.now_ms),
        "end_at": shown_instant(found.end_ms),
        "low_end_at": shown_instant(found.low_ms),
        "high_end_at": shown_instant(found.high_ms),
        "unknown_tasks": view.access.shown_tasks(record, found.unknown_tasks),
        "is_partial": found.is_extrapolated,
        "instances": [record.first_instance_id + offset for _, offset, _ in runs],
        "started": [start_ms - view.now_ms for start_ms, _, _ in runs],
        "ended": [end_ms - view.now_ms for _, _, end_ms in runs],
    }


def _state(run: RunRecord) -> State:
    if run.ended_ms is None:
        return State.RUNNING
    return State.SUCCESSFUL if run.outcome == Outcome.EXITED and run.exit_code == 0 else State.FAILED
