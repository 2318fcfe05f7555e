"""Tasks in lists: which of them fit a search, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from retrofill.domain.time.upcoming import Upcoming, upcoming
from retrofill.services.reading.tasks import task_row

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Task
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.reading.documents import ListedTask, NextSlot


def is_found(task: Task, text: str, ids: Mapping[str, int], lineages: Lineages) -> bool:
    """Whether a text is in the full name, a tag or the name of a table of a task, in whatever case, or is its id."""
    wanted = text.strip().casefold()
    if not wanted or wanted in task.name.casefold() or wanted == str(ids.get(task.name)):
        return True
    if any(wanted in tag.casefold() for tag in task.tags):
        return True
    declared = any(wanted in table.casefold() for table in (*task.reads, *task.writes))
    return declared or (task.type.traits.is_sql and _is_used(task, wanted, lineages))


def _is_used(task: Task, wanted: str, lineages: Lineages) -> bool:
    """The code of a task is read only where the last part of the name stands in it."""
    if wanted.rpartition(".")[2] not in task.code.casefold():
        return False
    found = lineages.of(task.name)
    return any(wanted in table.name.casefold() for table in (*found.reads, *found.writes))


def next_slots(catalog: Catalog, task: Task, now: datetime, count: int) -> list[NextSlot]:
    """When a task really runs next."""
    zone = catalog.timezone_of(task)
    return [_slot(one) for one in upcoming(task.schedule, zone, now, count, task.is_valid_on)]


def _slot(one: Upcoming) -> NextSlot:
    return {
        "scheduled_at": one.local.isoformat(),
        "due_at": f"{one.at.isoformat()[:19]}Z",
        "bizdate": one.bizdate.isoformat(),
    }


def listed_task(
    catalog: Catalog,
    task: Task,
    ids: Mapping[str, int],
    is_frozen: bool,
    now: datetime,
    run_times: Sequence[int] | None,
    sees: Callable[[str], bool],
) -> ListedTask:
    """A task in a list.

    Args:
        sees: whether the actor may know of another task, which else does not count.
        run_times: of its latest successful runs, in milliseconds.
    """
    following = next_slots(catalog, task, now, 1)
    return {
        **task_row(task, ids),
        "frozen": is_frozen,
        "mode": task.mode.value,
        "description": task.description or None,
        "schedule_in_words": task.schedule.words(),
        "timezone": catalog.timezone_of(task),
        "next": following[0] if following else None,
        "tags": list(task.tags),
        "upstream": sum(map(sees, catalog.graph.upstream[task.name])),
        "downstream": sum(map(sees, catalog.graph.downstream[task.name])),
        "usual_seconds": usual_seconds(run_times),
    }


def usual_seconds(run_times: Sequence[int] | None) -> float | None:
    """How long a task usually runs; None where it never has."""
    from retrofill.domain.estimating.run_times import summarise

    return summarise(run_times).usual_ms / 1000 if run_times else None
