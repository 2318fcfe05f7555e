"""What can be chosen for a backfill, before there are dates: what lies below tasks, and between them (SEL-1, SEL-2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.people.rights import Rights
    from retrofill.services.reading.documents import ChoosableTask, TaskWays


class Choosing(Desk):
    def below(self, tasks: Sequence[str]) -> list[ChoosableTask]:
        """These tasks, level 0, and all descendants of them that the actor sees, by level and name.

        Raises:
            UnknownNameError: one of them is not there, as far as the actor knows.
        """
        catalog, rights, ids = self._what_there_is()
        levels = catalog.graph.levels(self._found(catalog, tasks, ids))
        names = sorted(filter(rights.sees, levels), key=lambda name: (levels[name], name))
        return [_choosable(catalog, name, levels[name], rights, ids) for name in names]

    def between(self, start: str, ends: Sequence[str]) -> TaskWays:
        """All that lies on the ways from a task to others, these included, and who waits for whom of it.

        Tasks that the actor does not see are named, as a plan names them (SEC-2).

        Raises:
            UnknownNameError: one of them is not there, as far as the actor knows.
            NotReachableError: one of the others does not lie below the first.
        """
        from retrofill.domain.selection.choice import ways_between

        catalog, rights, ids = self._what_there_is()
        first, *others = self._found(catalog, [start, *ends], ids)
        names = ways_between(first, others, catalog.graph)
        levels = catalog.graph.levels([first])
        tasks = [_choosable(catalog, name, levels[name], rights, ids) for name in sorted(names)]
        edges = [
            [up, name]
            for name in sorted(names)
            for up in catalog.graph.upstream[name]
            if up in names and name != first
        ]
        return {"tasks": tasks, "edges": edges}

    def _what_there_is(self) -> tuple[Catalog, Rights, dict[str, int]]:
        catalog = self._parts.folder.catalog
        with self.view_if_deployed() as view:
            ids = {} if view is None else view.task_ids
        return catalog, self._actor.rights(catalog), ids

    def _found(self, catalog: Catalog, names: Sequence[str], ids: dict[str, int]) -> list[str]:
        from retrofill.services.catalogs.deploy import find_task

        return list(dict.fromkeys(find_task(catalog, ids, name, self._actor.sees) for name in names))


def _choosable(catalog: Catalog, name: str, level: int, rights: Rights, ids: dict[str, int]) -> ChoosableTask:
    task, is_seen = catalog.tasks[name], rights.sees(name)
    return {
        "id": ids.get(name) if is_seen else None,
        "task": name,
        "level": level,
        "type": task.type.value if is_seen else None,
        "schedule_in_words": task.schedule.words() if is_seen else None,
        "owner": (task.owner or None) if is_seen else None,
        "permitted": is_seen and rights.may_run(name),
    }
