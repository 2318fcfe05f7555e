"""The tasks of a backfill, and which of them wait for which: the edges of its plan, seen from afar (OPS-10)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, cast

import numpy as np

from retrofill.services.reading.grid import LETTERS, Cells

if TYPE_CHECKING:
    from retrofill.domain.planning.plan import Plan
    from retrofill.domain.planning.template import Edges
    from retrofill.services.ports.records import BackfillRecord
    from retrofill.services.reading.documents import BackfillDag, Counts, TaskEdge
    from retrofill.services.reading.view import View

_Pair = tuple[int, int]  # upstream, downstream: index of the task in the plan


def task_dag(view: View, record: BackfillRecord) -> BackfillDag:
    """The document of a backfill's graph; of tasks that the actor may not see, nothing (SEC-2)."""
    lanes = Cells(view, record).lanes()
    if not lanes:
        return {"id": record.id, "nodes": [], "edges": []}
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for lane in lanes:
        counts = counted[lane.task]
        for letter in LETTERS.values():
            counts[letter] += lane.cells.count(letter)
    plan = view.graphs.get(view.reader, record.id).plan
    reasons = plan.dry_runs
    return {
        "id": record.id,
        "nodes": [
            {
                "task": task,
                "dry_run": None if task not in reasons else str(reasons[task]),
                "counts": _counts(counts),
            }
            for task, counts in sorted(counted.items())
        ],
        "edges": [edge for edge in _edges(plan) if {edge["upstream"], edge["downstream"]} <= counted.keys()],
    }


def _counts(letters: Counter[str]) -> Counts:
    return cast("Counts", {state.value: letters[letter] for state, letter in LETTERS.items()})


def _edges(plan: Plan) -> list[TaskEdge]:
    """Of all dates together: dates on which the same tasks are valid are alike."""
    same: set[_Pair] = set()
    previous: set[_Pair] = set()
    alike = {(plan.validity(i), _validity_before(plan, i)): i for i in range(len(plan.dates))}
    for index in alike.values():
        same |= _pairs(plan, plan.edges_within(index))
        before = plan.date_before(index)
        if before is not None:
            previous |= _pairs(plan, plan.edges_before(index, before))
    names = [task.name for task in plan.tasks]
    return [
        {"upstream": names[up], "downstream": names[down], "previous": is_previous}
        for is_previous, pairs in ((False, same), (True, previous))
        for up, down in sorted(pairs)
        if up != down or is_previous
    ]


def _validity_before(plan: Plan, index: int) -> int | None:
    before = plan.date_before(index)
    return None if before is None else plan.validity(before)


def _pairs(plan: Plan, edges: Edges) -> set[_Pair]:
    """Tasks of which an instance waits for one of the other."""
    if not len(edges):
        return set()
    pairs = np.stack((plan.task_of[edges.up], plan.task_of[edges.waiting]), axis=1)
    return set(map(tuple, np.unique(pairs, axis=0).tolist()))
