"""The record of what people did, over everything (OPS-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.running.filters import OperationFilter
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.people.access import Access
from retrofill.services.ports.records import OperationRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Reader
    from retrofill.services.reading.documents import OperationRow

_PAGE = 500
MOST_LOOKED_AT = 20_000  # lines, for one page of who may see few of them


def latest(
    reader: Reader, access: Access, asked: OperationFilter, limit: int, before: int | None = None
) -> tuple[list[OperationRecord], int | None]:
    """Operations that the actor may see, newest first, and where the next page goes on; None at the end.

    What was done to tasks, instances and backfills is seen by who sees these; all else (a deploy, users,
    the schedule) by system administrators and by who did it. There may be fewer than `limit`, and more
    behind them: a page ends after so many lines, seen or not.

    Args:
        before: only those with a smaller id.

    Raises:
        UnknownNameError: there is no such backfill or instance, as far as the actor knows.
    """
    if asked.backfill_id is not None:
        access.get_backfill(asked.backfill_id)
    if asked.instance_id is not None:
        access.get_instance(asked.instance_id)
    found: list[OperationRecord] = []
    for _ in range(0, MOST_LOOKED_AT, _PAGE):
        page = reader.latest_operations(asked, before, _PAGE)
        found += access.seen_lines(page)
        if len(found) > limit:
            return found[:limit], found[limit - 1].id
        if len(page) < _PAGE:
            return found, None
        before = page[-1].id
    return found, before


def operation_row(operation: OperationRecord, task: str | None = None) -> OperationRow:
    """One line of the record of operations (OPS-8); `task` is the full name of the one it was done to."""
    return {
        "id": operation.id,
        "at": shown_instant(operation.at_ms),
        "user": operation.user,
        "action": operation.action,
        "backfill": operation.backfill_id,
        "instance": operation.instance_id,
        "task": task,
        "from_state": operation.from_state,
        "to_state": operation.to_state,
        "comment": operation.comment,
    }
