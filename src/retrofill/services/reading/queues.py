"""Who holds the slots of a resource group, and who waits for them in which order (RUN-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.people.access import Access
from retrofill.services.ports.start_filter import StartFilter
from retrofill.services.reading.backfills import Row, Views

if TYPE_CHECKING:
    from retrofill.services.ports import Reader


def queue_of(reader: Reader, views: Views, access: Access, group: str, limit: int) -> Row:
    """What runs in a group and what only lacks a slot of it, first to start first.

    Limits of tasks and auto triggered instances that go first may let one further back start
    earlier; `why` of an instance tells.

    Args:
        limit: of the queue.

    Returns:
        `running` and `queue`, rows of instances; `hidden`, how many of both the actor may not see.
    """
    running = [row for row, _ in reader.running() if row.resource_group == group]
    wanted = StartFilter(held=views.held(), auto=not views.schedule_is_held)
    waiting = reader.candidates(group, wanted, limit)
    seen = [[views.instance(row) for row in rows if access.sees_instance(row)] for rows in (running, waiting)]
    return {
        "running": seen[0],
        "queue": seen[1],
        "hidden": len(running) + len(waiting) - len(seen[0]) - len(seen[1]),
    }
