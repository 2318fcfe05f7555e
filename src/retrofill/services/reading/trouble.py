"""What a person has to look after before all of a backfill can go on, and how much of it waits for that (OPS-9)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.running.filters import InstanceFilter
from retrofill.domain.running.states import State
from retrofill.services.instances.held_up import Standing
from retrofill.services.instances.stored import analysis_of
from retrofill.services.reading.failures import failed_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.services.instances.backfill_graph import BackfillGraph
    from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord
    from retrofill.services.reading.documents import Cause, Trouble
    from retrofill.services.reading.view import View

_NAMED = 5  # causes of each sort of which is counted what they hold up
_FROZEN = InstanceFilter(states=frozenset({State.FROZEN}))


def standing_of(
    view: View, record: BackfillRecord, dates: Sequence[DateRecord], context: BackfillGraph | None = None
) -> Standing:
    """Where its instances stand.

    Args:
        context: of another policy than the stored one.
    """
    view.graphs.follow([record])
    found = context or view.graphs.get(view.reader, record.id)
    return Standing(view.reader, found, dates, has_isolated(record))


def has_isolated(record: BackfillRecord) -> bool:
    """Whether instances of it were made isolated (DEP-11)."""
    return any(finding["code"] == "isolated" for finding in analysis_of(record).get("findings", ()))


def held_up_count(
    view: View, record: BackfillRecord, dates: Sequence[DateRecord], context: BackfillGraph | None = None
) -> int:
    """How many instances wait for something that failed, is frozen or isolated.

    Args:
        context: of another policy than the stored one.
    """
    _, _, failed, _, frozen = view.reader.progress(record.id)
    if record.phase != "active" or not (failed or frozen or has_isolated(record)):
        return 0
    return int(np.count_nonzero(standing_of(view, record, dates, context).held_up))


def held_up_ids(view: View, record: BackfillRecord) -> set[int]:
    """Ids of what waits for something that failed, is frozen or isolated."""
    _, _, failed, _, frozen = view.reader.progress(record.id)
    if record.phase != "active" or not (failed or frozen or has_isolated(record)):
        return set()
    held = standing_of(view, record, view.reader.dates(record.id)).held_up
    return set((np.nonzero(held)[0] + record.first_instance_id).tolist())


def trouble(view: View, record: BackfillRecord) -> Trouble:
    """The document; of a backfill in which nothing failed, is frozen or isolated, nothing is read."""
    total, successful, failed, _, frozen = view.reader.progress(record.id)
    found: Trouble = {
        "id": record.id,
        "causes": [],
        "failed": failed,
        "frozen": frozen,
        "isolated": 0,
        "held_up": 0,
        "held_up_tasks": 0,
        "going_on": total - successful - failed - frozen,
    }
    if record.phase != "active" or not (failed or frozen or has_isolated(record)):
        return found
    dates = view.reader.dates(record.id)
    standing = standing_of(view, record, dates)
    held = standing.held_up
    count, isolated = int(np.count_nonzero(held)), len(standing.isolated)
    causes = [_cause(view, record, standing, row) for row in causes_of(view, record, dates, standing)]
    causes.sort(key=lambda cause: -cause["held_up"])
    return {
        **found,
        "causes": causes[:_NAMED],
        "isolated": isolated,
        "held_up": count,
        "held_up_tasks": standing.tasks_of(held),
        "going_on": found["going_on"] - count - isolated,
    }


def causes_of(
    view: View, record: BackfillRecord, dates: Sequence[DateRecord], standing: Standing
) -> list[InstanceRecord]:
    """The first of each sort that the actor sees."""
    first, sees = record.first_instance_id, view.access.sees_instance
    rows = failed_first(view, record, dates)[:_NAMED]
    frozen = standing.of_state(State.FROZEN)
    if len(frozen):
        asked = view.reader.instance_range(first + int(frozen[0]), first + int(frozen[-1]), _FROZEN)
        rows += islice(filter(sees, asked), _NAMED)
    isolated = view.reader.instances((standing.isolated + first).tolist())
    return [*rows, *islice(filter(sees, isolated), _NAMED)]


def _cause(view: View, record: BackfillRecord, standing: Standing, row: InstanceRecord) -> Cause:
    held = standing.held_up_by(np.array([row.id - record.first_instance_id], dtype=np.int64))
    position = (row.id - record.first_instance_id) // record.stride
    return {
        "id": row.id,
        "task": view.task_names[row.task_id],
        "bizdate": row.bizdate,
        "scheduled_at": row.scheduled_at.isoformat(),
        "group": int(standing.plan.group_of[position]),
        "state": row.state,
        "reason": row.reason,
        "run_number": row.run_number,
        "message": _message(view, row),
        "held_up": int(np.count_nonzero(held)),
        "held_up_tasks": standing.tasks_of(held),
        "held_up_groups": standing.groups_of(held),
    }


def _message(view: View, row: InstanceRecord) -> str | None:
    return next((run.message for run in view.reader.runs(row.id) if run.number == row.run_number), None)
