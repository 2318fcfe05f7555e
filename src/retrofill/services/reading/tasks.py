"""Tasks of a catalog as people and programs see them; what others must not know of is left out (SEC-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog, DependencyKind, Task

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Lineage, TaskInGraph, TaskNeighbour, TaskPage, TaskRow


def task_row(task: Task, ids: Mapping[str, int]) -> TaskRow:
    """A task in a list; `ids` are those of tasks that were deployed."""
    return {
        "id": ids.get(task.name),
        "task": task.name,
        "type": task.type.value,
        "cycle": task.schedule.cycle.value,
        "schedule": task.schedule.text,
        "owner": task.owner or None,
        "priority": task.priority,
        "resource_group": task.resource_group,
    }


def task_page(
    catalog: Catalog, task: Task, ids: Mapping[str, int], lineage: Lineage, sees: Callable[[str], bool]
) -> TaskPage:
    """Everything that is declared of a task."""
    return {
        **task_row(task, ids),
        "description": task.description or None,
        "timezone": catalog.timezone_of(task),
        "schedule_in_words": task.schedule.words(),
        "depends_on": [
            d.task if d.kind is DependencyKind.SAME_CYCLE else dependency_words(d.kind, d.task)
            for d in task.depends_on
            if not d.task or sees(d.task)
        ],
        "downstream": [name for name in catalog.graph.downstream[task.name] if sees(name)],
        "parameters": dict(task.parameters),
        "baseline": task.baseline or None,
        "mode": task.mode.value,
        "rerun": {
            "mode": task.rerun.mode,
            "times": task.rerun.times,
            "interval_seconds": task.rerun.interval_seconds,
            "on_lost": task.rerun.on_lost,
        },
        "timeout_seconds": task.timeout_seconds,
        "max_parallel_instances": task.max_parallel_instances,
        "valid_from": task.valid_from.isoformat() if task.valid_from else None,
        "valid_until": task.valid_until.isoformat() if task.valid_until else None,
        "tags": list(task.tags),
        "reads": list(task.reads),
        "writes": list(task.writes),
        "connection": task.connection or None,
        "code_file": task.code_file or None,
        "code": task.code,
        "included": [file.path for file in catalog.workspaces[task.workspace].files],
        "lineage": lineage,
    }


def graph_of(catalog: Catalog, around: str | None, sees: Callable[[str], bool]) -> Iterator[TaskInGraph]:
    """Tasks in an order in which each follows those that it depends on.

    Args:
        around: only this task, what lies above it and what lies below it.
    """
    graph = catalog.graph
    inside = {name for name in catalog.tasks if sees(name)}
    if around is not None:
        inside &= graph.ancestors([around]) | graph.descendants([around]) | {around}
    for name in graph.in_order():
        if name in inside:
            yield {
                "task": name,
                "upstream": [above for above in graph.upstream[name] if above in inside],
                "downstream": [below for below in graph.downstream[name] if below in inside],
                "earlier_cycles": [
                    dependency_words(d.kind, d.task)
                    for d in catalog.tasks[name].depends_on
                    if d.kind is not DependencyKind.SAME_CYCLE and (not d.task or sees(d.task))
                ],
            }


def neighbours(
    catalog: Catalog,
    name: str,
    edges: Mapping[str, Sequence[str]],
    levels: int,
    sees: Callable[[str], bool],
    ids: Mapping[str, int],
) -> list[TaskNeighbour]:
    """What lies above or below a task, the nearest first.

    Args:
        edges: who waits for whom, or the other way round.
    """
    found: list[TaskNeighbour] = []
    seen, front = {name}, [name]
    for level in range(1, levels + 1):
        reached = dict.fromkeys(other for one in front for other in edges[one] if sees(other))
        front = [other for other in reached if other not in seen]
        seen.update(front)
        found += [{**task_row(catalog.tasks[one], ids), "level": level} for one in sorted(front)]
        if not front:
            break
    return found


def dependency_words(kind: DependencyKind, name: str) -> str:
    """What a task waits for, in words."""
    return {
        DependencyKind.SELF: "its own previous cycle",
        DependencyKind.PREVIOUS: f"{name} (previous cycle)",
        DependencyKind.CHILDREN: "the previous cycle of its downstream tasks",
    }.get(kind, name)
