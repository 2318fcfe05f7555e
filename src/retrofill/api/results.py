"""What became of what somebody did, as documents: named tuples of the core are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from retrofill.api.requests import Visit
    from retrofill.domain.running.results import ChangeReport, ItemResult, StopResult
    from retrofill.services.reading.documents import ChangeDocument, ItemRow, Page, StopReport

_Row = TypeVar("_Row")


def page_of(rows: Iterable[_Row]) -> Page[_Row]:
    """All there is, as a page of its own."""
    return {"items": list(rows), "next": None}


def items_of(visit: Visit, results: Sequence[ItemResult]) -> Page[ItemRow]:
    """What became of each item of a batch."""
    return page_of(_rows(visit, results))


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
    error, hint = item.error, None if item.error is None else item.error.hint
    return {
        "id": item.id,
        "ok": item.ok,
        "state": state,
        "unchanged": item.unchanged,
        "note": item.note,
        "error": None if error is None else error.text,
        "code": None if error is None else error.code,
        "kind": None if error is None else error.kind.value,
        "hint": hint,
        "steps": [] if hint is None else list(hint.steps),
    }
