"""Tasks and workspaces, as the folder or what stands for it has them (CAT-1, OPS-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from retrofill.domain.errors import WrongStateError
from retrofill.domain.texts import Text
from retrofill.services.operation_center.task_acts import TaskActs

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Task
    from retrofill.services.reading.documents import (
        CurrentTask,
        Lineage,
        ListedTask,
        RenderedRun,
        TaskCalendar,
        TaskInGraph,
        TaskList,
        TaskNeighbour,
        TaskNights,
        TaskPage,
        WorkspaceRow,
    )


_NEXT = 5  # times that are told of one task


class TaskDesk(TaskActs):
    # Questions

    def list(
        self,
        filters: Mapping[str, str] | None = None,
        name_part: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        search: str | None = None,
        frozen: bool | None = None,
    ) -> TaskList:
        """Tasks by their full names.

        Args:
            filters: `workspace`, `type`, `tag`, `cycle`, `owner`, `resource_group`, `baseline`.
            name_part: is in the full name, in whatever case.
            limit: None for all.
            after: only those that follow this name.
            search: is in the full name, in a tag or in the name of a table, in whatever case; or is the id.
            frozen: only those of which instances made from now on are frozen; False: only the others.

        Raises:
            UnknownNameError: there is no such workspace, owner or group, as far as the actor knows.
            InvalidValueError: there is no such cycle or type.
        """
        from bisect import bisect_right

        from retrofill.domain.selection.filters import matching
        from retrofill.services.reading.task_lists import is_found, listed_task

        catalog, (ids, frozen_tasks) = self._catalog, self._ledger()
        conditions = {key: frozenset({value}) for key, value in (filters or {}).items()}
        lineages = self._parts.lineages(catalog)
        names = [
            name
            for name in matching(catalog, conditions, self._actor.rights(catalog))
            if (name_part is None or name_part.lower() in name.lower())
            and (frozen is None or frozen == (name in frozen_tasks))
            and (search is None or is_found(catalog.tasks[name], search, ids, lineages))
        ]
        start = 0 if after is None else bisect_right(names, after)
        found = names[start : None if limit is None else start + limit]
        now, run_times = self._now, self._run_times(found, ids)
        rows: Sequence[ListedTask] = [
            listed_task(
                catalog, catalog.tasks[n], ids, n in frozen_tasks, now, run_times.get(n), self._actor.sees
            )
            for n in found
        ]
        return {
            "items": [*rows],
            "next": found[-1] if len(names) > start + len(found) else None,
            "total": len(names),
        }

    def show(self, name: str) -> CurrentTask:
        """One task: schedule, dependencies, parameters, settings, code, lineage.

        Raises:
            UnknownNameError: there is none of this name or id, as far as the actor knows.
        """
        from retrofill.services.reading.task_lists import next_slots

        catalog, (ids, frozen) = self._catalog, self._ledger()
        full = self._find(name, ids)
        return {
            **self._page(catalog, full, ids),
            "frozen": full in frozen,
            "next": next_slots(catalog, catalog.tasks[full], self._now, _NEXT),
            "run_seconds": [ms / 1000 for ms in self._run_times([full], ids).get(full, ())],
        }

    def calendar(self, name: str, until: date | None = None, days: int = 366) -> TaskCalendar:
        """What there is of a task, bizdate by bizdate, whoever made it.

        Args:
            until: the last bizdate; None for that of today in the task's time zone, or of its last day.
            days: how many; fewer are answered of a task with very many times a day.

        Raises:
            UnknownNameError: there is none of this name or id, as far as the actor knows.
            BizdateError: `until` is outside of what bizdates are.
            WrongStateError: nothing is deployed yet.
        """
        from retrofill.domain.time.bizdates import ONE_DAY, DateRange
        from retrofill.domain.time.instants import local_date
        from retrofill.services.reading.task_calendars import CalendarReader

        catalog, (ids, _) = self._catalog, self._ledger()
        task = catalog.tasks[self._find(name, ids)]
        last = until or _last_of(task, local_date(self._now, catalog.timezone_of(task))) - ONE_DAY
        DateRange(last, last)  # refuses what is no bizdate
        with self.view(_nothing_deployed()) as view:
            return CalendarReader(view, catalog, task, last, days, self._parts.retention_days).document()

    def nights(self, tasks: Sequence[str], limit: int = 30) -> TaskNights:
        """What has become of tasks on the latest nights that were made.

        Args:
            tasks: full names; those that the actor may not see are left out.
            limit: how many nights.
        """
        from retrofill.services.reading.task_calendars import nights_of

        catalog = self._catalog
        seen = [name for name in dict.fromkeys(tasks) if name in catalog.tasks and self._actor.sees(name)]
        with self.view_if_deployed() as view:
            return {"bizdates": [], "tasks": []} if view is None else nights_of(view, seen, limit)

    def graph(self, name: str | None = None) -> Sequence[TaskInGraph]:
        """Who waits for whom, of all tasks or around one.

        Raises:
            UnknownNameError: there is none of this name or id, as far as the actor knows.
        """
        from retrofill.services.reading.tasks import graph_of

        full = None if name is None else self._find(name, self._ledger()[0])
        return list(graph_of(self._catalog, full, self._actor.sees))

    def upstream(self, name: str, levels: int = 1) -> Sequence[TaskNeighbour]:
        """Tasks whose same cycle a task waits for, level by level; a foreign one ends its branch.

        Raises:
            UnknownNameError: there is none of this name or id, as far as the actor knows.
        """
        return self._neighbours(self._find(name, self._ledger()[0]), self._catalog.graph.upstream, levels)

    def downstream(self, name: str, levels: int = 1) -> Sequence[TaskNeighbour]:
        """Tasks that wait for a task's same cycle, level by level. Errors as `upstream`."""
        return self._neighbours(self._find(name, self._ledger()[0]), self._catalog.graph.downstream, levels)

    def lineage(self, name: str) -> Lineage:
        """The tables that a task reads and writes (OPS-10). Errors as `upstream`."""
        from retrofill.services.reading.lineage import lineage_of

        return lineage_of(self._parts.lineages(self._catalog), self._find(name, self._ledger()[0]))

    def workspaces(self) -> Sequence[WorkspaceRow]:
        """Workspaces that the actor is a member of, with their members."""
        catalog = self._catalog
        with self.view_if_deployed() as view:
            ids = {} if view is None else view.reader.workspace_ids()
        return [
            {
                "id": ids.get(found.name),
                "workspace": found.name,
                "timezone": found.timezone,
                "region": found.region,
                "tasks": sum(1 for task in catalog.tasks.values() if task.workspace == found.name),
                "members": dict(found.members),
            }
            for found in catalog.workspaces.values()
            if self._actor.sees(found.name)
        ]

    def render(self, name: str, bizdate: date, minute: int | None = None) -> RenderedRun:
        """What a task would run at a bizdate, with its values and its environment; secrets stay names (SEC-3).

        Args:
            minute: the slot, after midnight; None for the first of the date.

        Raises:
            UnknownNameError: there is none of this name or id, as far as the actor knows.
            UsageError: it has no instance then, or no code.
        """
        from retrofill.services.reading.rendering import Around, render

        ids, folder = self._ledger()[0], self._parts.folder
        parts = self._parts
        around = Around(parts.directory, parts.interpreter, parts.working_folders)
        full = self._find(name, ids)
        rendered = render(folder.catalog, full, bizdate, minute, around, folder.version_id, ids)
        return rendered.document(folder.version_id)

    # Inside

    @property
    def _catalog(self) -> Catalog:
        return self._parts.folder.catalog

    def _find(self, name: str, ids: Mapping[str, int]) -> str:
        from retrofill.services.catalogs.deploy import find_task

        return find_task(self._catalog, ids, name, self._actor.sees)

    @property
    def _now(self) -> datetime:
        from retrofill.domain.time.milliseconds import instant_of

        return instant_of(self._parts.clock.now_ms())

    def _run_times(self, names: Sequence[str], ids: Mapping[str, int]) -> dict[str, Sequence[int]]:
        """In milliseconds, by full name; of tasks that never ran, nothing."""
        known = {ids[name]: name for name in names if name in ids}
        with self.view_if_deployed() as view:
            found = {} if view is None else view.reader.times.recent(known)
        return {known[number]: times for number, times in found.items()}

    def _neighbours(
        self, name: str, edges: Mapping[str, Sequence[str]], levels: int
    ) -> Sequence[TaskNeighbour]:
        from retrofill.services.reading.tasks import neighbours

        return neighbours(self._catalog, name, edges, levels, self._actor.sees, self._ledger()[0])

    def _ledger(self) -> tuple[Mapping[str, int], frozenset[str]]:
        """Ids of deployed tasks, and tasks of which instances made from now on are frozen (SEC-4)."""
        from retrofill.domain.catalog.definitions import RunMode

        by_mode = {name for name, task in self._catalog.tasks.items() if task.mode is RunMode.PAUSED}
        with self.view_if_deployed() as view:
            if view is None:
                return {}, frozenset(by_mode)
            return view.task_ids, frozenset(by_mode | set(view.reader.frozen_tasks.names()))

    def _page(self, catalog: Catalog, full: str, ids: Mapping[str, int]) -> TaskPage:
        from retrofill.services.reading.lineage import lineage_of
        from retrofill.services.reading.tasks import task_page

        lineage = lineage_of(self._parts.lineages(catalog), full)
        return task_page(catalog, catalog.tasks[full], ids, lineage, self._actor.sees)


def _nothing_deployed() -> WrongStateError:
    return WrongStateError(
        "nothing is deployed yet, so nothing was made of it", Text("{project.deploy} publishes the folder.")
    )


def _last_of(task: Task, today: date) -> date:
    """Today, or the last day on which anything is made of a task (TIME-4)."""
    return today if task.valid_until is None else min(today, task.valid_until)
