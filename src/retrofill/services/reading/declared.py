"""Tasks as they are declared: found, and as documents; nothing is said of foreign ones (SEC-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import DependencyKind, RunMode
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.texts import Text
from retrofill.services.reading.tasks import task_row

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Dependency, Task
    from retrofill.domain.catalog.searches import TaskSearch
    from retrofill.services.reading.documents import DeclaredNeighbour, DeclaredTask, TaskWait


@dataclass(frozen=True)
class TaskDeclarations:
    """The tasks of one version.

    Attributes:
        ids, workspaces: by full name.
        frozen: of which instances made from now on are frozen.
        sees: whether the actor may know of one.
    """

    catalog: Catalog
    ids: Mapping[str, int]
    workspaces: Mapping[str, int]
    frozen: frozenset[str]
    sees: Callable[[str], bool]

    def names(self) -> list[str]:
        """Those that are seen, by id."""
        return sorted(filter(self.sees, self.catalog.tasks), key=self.ids.__getitem__)

    def name_of(self, task_id: int) -> str:
        """The full name of a task.

        Raises:
            UnknownNameError: there is none with this id, or none that is seen.
        """
        for name in self.catalog.tasks:
            if self.ids[name] == task_id and self.sees(name):
                return name
        raise UnknownNameError(f"there is no task {task_id}", Text("{task.list} shows all tasks."))

    def fits(self, name: str, search: TaskSearch) -> bool:
        """Whether all that is asked holds of a task."""
        task = self.catalog.tasks[name]
        return (
            search.workspace in (None, task.workspace)
            and (not search.ids or self.ids[name] in search.ids)
            and (search.name or "").lower() in task.short_name.lower()
            and search.owner in (None, task.owner)
            and search.type in (None, task.type.value)
            and search.resource_group in (None, task.resource_group)
            and (not search.modes or self._mode(task) in search.modes)
        )

    def document(self, name: str) -> DeclaredTask:
        task = self.catalog.tasks[name]
        return {
            **task_row(task, self.ids),
            "workspace": task.workspace,
            "workspace_id": self.workspaces[task.workspace],
            "description": task.description or None,
            "timezone": self.catalog.timezone_of(task),
            "connection": task.connection or None,
            "baseline": task.baseline or None,
            "mode": self._mode(task),
            "generation": task.generation,
            "rerun": {
                "mode": task.rerun.mode,
                "times": task.rerun.times,
                "interval_seconds": task.rerun.interval_seconds,
                "on_lost": task.rerun.on_lost,
            },
            "timeout_seconds": task.timeout_seconds,
            "parameters": dict(task.parameters),
            "valid_from": task.valid_from.isoformat() if task.valid_from else None,
            "valid_until": task.valid_until.isoformat() if task.valid_until else None,
            "tags": list(task.tags),
            "writes": list(task.writes),
            "code": task.code,
            "waits_for": [self._wait(d) for d in task.depends_on if not d.task or self.sees(d.task)],
        }

    def neighbours(self, name: str, below: bool) -> list[DeclaredNeighbour]:
        """What a task waits for, or what waits for it, by id; of both kinds the one of the same cycle."""
        kinds: dict[str, set[DependencyKind]] = {}
        for upper, lower, kind in self._edges():
            if (upper if below else lower) == name:
                kinds.setdefault(lower if below else upper, set()).add(kind)
        same = DependencyKind.SAME_CYCLE
        return [
            {"dependency": same if same in kinds[other] else "earlier_cycle", "task": self.document(other)}
            for other in self.names()
            if other in kinds
        ]

    def _edges(self) -> Iterator[tuple[str, str, DependencyKind]]:
        for lower, task in self.catalog.tasks.items():
            for dependency in task.depends_on:
                for upper in upstream_of(self.catalog, task, dependency):
                    yield upper, lower, dependency.kind

    def _wait(self, dependency: Dependency) -> TaskWait:
        name = dependency.task or None
        number = None if name is None else self.ids.get(name)
        return {"kind": dependency.kind.value, "task": name, "id": number}

    def _mode(self, task: Task) -> str:
        return (RunMode.PAUSED if task.name in self.frozen else task.mode).value


def upstream_of(catalog: Catalog, task: Task, dependency: Dependency) -> tuple[str, ...]:
    """The full names of the tasks that one entry of `depends_on` stands for."""
    if dependency.kind is DependencyKind.SELF:
        return (task.name,)
    if dependency.kind is DependencyKind.CHILDREN:
        return tuple(catalog.graph.downstream[task.name])
    return (dependency.task,)
