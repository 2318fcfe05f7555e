"""The record of what people did, over everything (OPS-8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from retrofill.services.access import Access
from retrofill.services.records import OperationRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Reader

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """Which operations are asked for; None: all."""

    user: str | None = None
    action: str | None = None
    backfill_id: int | None = None
    instance_id: int | None = None
    task_id: int | None = None


def latest(
    reader: Reader, access: Access, asked: Asked, limit: int, before: int | None = None
) -> list[OperationRecord]:
    """Operations that the actor may see, newest first.

    What was done to tasks, instances and backfills is seen by who sees these; all else (a deploy, users,
    the schedule) by system administrators and by who did it.

    Args:
        before: only those with a smaller id; the last one's id asks for the next page.

    Raises:
        UnknownNameError: there is no such backfill or instance, as far as the actor knows.
    """
    if asked.backfill_id is not None:
        access.get_backfill(asked.backfill_id)
    if asked.instance_id is not None:
        access.get_instance(asked.instance_id)
    return list(islice((o for o in _all(reader, asked, before) if access.sees_operation(o)), limit))


def _all(reader: Reader, asked: Asked, before: int | None) -> Iterator[OperationRecord]:
    columns = {
        "user": asked.user,
        "action": asked.action,
        "backfill_id": asked.backfill_id,
        "instance_id": asked.instance_id,
        "task_id": asked.task_id,
    }
    given = {name: value for name, value in columns.items() if value is not None}
    conditions = [f'"{name}" = ?' for name in given]
    while page := reader.latest_operations(conditions, list(given.values()), before, _PAGE):
        yield from page
        before = page[-1].id
