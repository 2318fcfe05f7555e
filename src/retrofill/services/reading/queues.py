"""Who holds the slots of resource groups, and who waits for them in which order (RUN-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.ports.start_filter import StartFilter
from retrofill.services.reading.instances import InstanceReader
from retrofill.services.reading.task_lists import usual_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrofill.domain.catalog.definitions import ResourceGroup
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import GroupRow, HeldSlot, InstanceRow, Queue
    from retrofill.services.reading.view import View


def counts(view: View) -> dict[tuple[str, str], int]:
    """How many instances run, and wait for resources, by resource group and state."""
    found = view.reader.queues(view.held_backfills, auto=not view.schedule_is_held)
    return {(group, state): count for group, state, count in found}


def group_row(
    group: ResourceGroup, counted: dict[tuple[str, str], int], seen: Iterable[str] | None
) -> GroupRow:
    """A resource group in a list.

    Args:
        seen: of the workspaces that it is bound to, those that may be named; None where it is bound to none.
    """
    return {
        "resource_group": group.name,
        "type": group.type,
        "slots": group.slots,
        "running": counted.get((group.name, "running"), 0),
        "waiting": counted.get((group.name, "waiting_resources"), 0),
        "reserved_for_auto": group.reserved_for_auto,
        "workspaces": None if seen is None else sorted(seen),
    }


def queue_of(view: View | None, group: ResourceGroup, limit: int, bound: Iterable[str] | None) -> Queue:
    """What runs in a group and what only lacks a slot of it, first to start first.

    Limits of tasks and auto triggered instances that go first may let one further back start
    earlier; `why` of an instance tells.

    Args:
        view: None where nothing is deployed, and so nothing runs or waits.
        limit: of the queue.
        bound: of the workspaces that it is bound to, those that may be named; None where it is bound to none.
    """
    running, waiting = ([], []) if view is None else _rows(view, group.name, limit)
    seen = [[] if view is None else _seen(view, rows) for rows in (running, waiting)]
    counted = {} if view is None else counts(view)
    row = group_row(group, counted, bound)
    return {
        "resource_group": group.name,
        "type": group.type,
        "slots": group.slots,
        "reserved_for_auto": group.reserved_for_auto,
        "workspaces": row["workspaces"],
        "held": len(running),
        "waiting": row["waiting"],
        "running": [] if view is None else _held(view, seen[0]),
        "queue": seen[1],
        "hidden": len(running) + len(waiting) - len(seen[0]) - len(seen[1]),
    }


def _rows(view: View, group: str, limit: int) -> tuple[list[InstanceRecord], list[InstanceRecord]]:
    wanted = StartFilter(held=view.held_backfills, auto=not view.schedule_is_held)
    running = [row for row, _ in view.reader.running() if row.resource_group == group]
    return running, list(view.reader.candidates(group, wanted, limit))


def _seen(view: View, rows: Iterable[InstanceRecord]) -> list[InstanceRow]:
    reader = InstanceReader(view)
    return [reader.row(row) for row in rows if view.access.sees_instance(row)]


def _held(view: View, rows: Iterable[InstanceRow]) -> list[HeldSlot]:
    """Slots with how long such a run usually takes, the one that is held longest first."""
    rows = sorted(rows, key=lambda row: (row["started_at"] or "", row["id"]))
    times = view.reader.times.recent({view.task_ids[row["task"]] for row in rows})
    return [{**row, "usual_seconds": usual_seconds(times.get(view.task_ids[row["task"]]))} for row in rows]
