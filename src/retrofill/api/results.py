"""What became of what somebody did, as documents: named tuples of the core are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypedDict, TypeVar

if TYPE_CHECKING:
    from retrofill.api.requests import Visit
    from retrofill.domain.errors import RetrofillError
    from retrofill.domain.running.results import ChangeReport, ItemResult, StopResult, TaskResult
    from retrofill.domain.texts import Step, Text
    from retrofill.services.reading.documents import ChangeDocument, ItemRow, Page, StopReport, TaskItemRow

_Row = TypeVar("_Row")


class _Refusal(TypedDict):
    """Of an item; null where there is none."""

    error: Text | None
    code: str | None
    kind: str | None
    hint: Text | None
    steps: list[Step]


def page_of(rows: Iterable[_Row]) -> Page[_Row]:
    """All there is, as a page of its own."""
    return {"items": list(rows), "next": None}


def items_of(visit: Visit, results: Sequence[ItemResult]) -> Page[ItemRow]:
    """What became of each item of a batch."""
    return page_of(_rows(visit, results))


def task_items_of(results: Sequence[TaskResult]) -> Page[TaskItemRow]:
    """What became of each task."""
    return page_of(
        {
            "task": one.task,
            "ok": one.error is None,
            "frozen": one.frozen,
            "unchanged": one.unchanged,
            **_refusal(one.error),
        }
        for one in results
    )


def stop_report(visit: Visit, result: StopResult) -> StopReport:
    """What the stop of a backfill ends."""
    return {"items": _rows(visit, result.items), "whole": result.is_whole}


def change_document(backfill_id: int, report: ChangeReport) -> ChangeDocument:
    """What a change has changed."""
    changed = report.differences
    return {
        "id": backfill_id,
        "changed": [{"what": one.what, "before": one.before, "after": one.after} for one in changed],
        "notes": list(report.notes),
    }


def _rows(visit: Visit, results: Sequence[ItemResult]) -> list[ItemRow]:
    # What was unknown stays so: it may be there, and not to be seen.
    states = visit.center.instances.states([item.id for item in results if item.state is not None])
    return [_row(item, states.get(item.id)) for item in results]


def _row(item: ItemResult, state: str | None) -> ItemRow:
    return {
        "id": item.id,
        "ok": item.ok,
        "state": state,
        "unchanged": item.unchanged,
        "note": item.note,
        **_refusal(item.error),
    }


def _refusal(error: RetrofillError | None) -> _Refusal:
    if error is None:
        return {"error": None, "code": None, "kind": None, "hint": None, "steps": []}
    return {
        "error": error.text,
        "code": error.code,
        "kind": error.kind.value,
        "hint": error.hint,
        "steps": list(error.hint.steps),
    }
