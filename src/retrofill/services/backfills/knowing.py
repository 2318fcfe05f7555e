"""What the ledger knows that a plan does not: who else writes, and what was computed from it before (VER-1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from retrofill.domain.people.rights import Rights
from retrofill.domain.running.startable import Known, obstacles
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.verification.findings import by_level
from retrofill.domain.verification.staleness import Later, Question, later_dates, later_questions
from retrofill.services.backfills.holders import with_same_partition
from retrofill.services.backfills.requests import PlannedBackfill
from retrofill.services.instances.graphs import GraphCache

if TYPE_CHECKING:
    from retrofill.services.ports import Reader

MOST_SEEKS = 20_000  # in the index of what is there, for all questions together
_MOST_EACH = 400


def with_ledger(
    planned: PlannedBackfill, reader: Reader, graphs: GraphCache, rights: Rights, besides: int | None = None
) -> PlannedBackfill:
    """The plan with the findings that need the ledger.

    Args:
        rights: of whoever plans; foreign tasks are not named (SEC-2).
        besides: the backfill that the plan is of.
    """
    planned = with_same_partition(planned, reader, graphs, besides)
    found = tuple(later_dates(list(_answers(planned, reader)), rights))
    return replace(planned, findings=by_level([*planned.findings, *found])) if found else planned


def _answers(planned: PlannedBackfill, reader: Reader) -> Iterator[Later]:
    questions = later_questions(planned.plan)
    if not questions:
        return
    ids = reader.task_ids()
    left = MOST_SEEKS
    for question in questions:
        task_id = ids.get(question.task)
        if task_id is None:
            continue
        most = max(min(_MOST_EACH, left), 2)
        found: list[date] = []
        for first, last in _outside(question):
            texts = (first.isoformat(), None if last is None else last.isoformat())
            found += map(date.fromisoformat, reader.done_bizdates(task_id, *texts, most - len(found)))
            left -= 1
            if len(found) >= most:
                break
        left -= len(found)
        yield Later(question, tuple(filter(question.is_meant, found)), len(found) >= most)


def _outside(question: Question) -> Iterator[tuple[date, date | None]]:
    """The stretches of dates that a question is about, without the backfill's own."""
    first = question.first
    for own in sorted(question.own):
        if own < first:
            continue
        if question.last is not None and own > question.last:
            break
        if own > first:
            yield first, own - ONE_DAY
        first = own + ONE_DAY
    if question.last is None or first <= question.last:
        yield first, question.last


def with_obstacles(planned: PlannedBackfill, known: Known) -> PlannedBackfill:
    """The plan with the findings about what a start would fail for here."""
    found = tuple(obstacles(planned.plan, known))
    return replace(planned, findings=by_level([*planned.findings, *found])) if found else planned
