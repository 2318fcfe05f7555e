"""Tasks and workspaces as they are deployed at a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from retrofill.client.answers import error_of
from retrofill.client.desk import Desk
from retrofill.client.transport import part
from retrofill.domain.running.results import TaskResult

if TYPE_CHECKING:
    from retrofill.services.reading.documents import (
        CurrentTask,
        Lineage,
        RenderedRun,
        TaskCalendar,
        TaskInGraph,
        TaskList,
        TaskNeighbour,
        TaskNights,
        WorkspaceRow,
    )


class TaskDesk(Desk):
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
        """Tasks by their full names."""
        asked = {**(filters or {}), "name": name_part, "search": search, "frozen": frozen, "cursor": after}
        return self._page("tasks", asked, limit)

    def show(self, name: str) -> CurrentTask:
        """One task: schedule, dependencies, parameters, settings, code, lineage."""
        return self._server.get(f"tasks/{part(name)}")

    def calendar(self, name: str, until: date | None = None, days: int = 366) -> TaskCalendar:
        """What there is of a task, bizdate by bizdate, whoever made it."""
        last = None if until is None else until.isoformat()
        return self._server.get(f"tasks/{part(name)}/calendar", {"until": last, "days": days})

    def nights(self, tasks: Sequence[str], limit: int = 30) -> TaskNights:
        """What has become of tasks on the latest nights that were made."""
        return self._server.ask("tasks/nights", {"tasks": [*tasks], "limit": limit})

    def graph(self, name: str | None = None) -> Sequence[TaskInGraph]:
        """Who waits for whom, of all tasks or around one."""
        return self._server.get("tasks/graph", {"task": name})["items"]

    def upstream(self, name: str, levels: int = 1) -> Sequence[TaskNeighbour]:
        """Tasks whose same cycle a task waits for, level by level."""
        return self._server.get(f"tasks/{part(name)}/upstream", {"levels": levels})["items"]

    def downstream(self, name: str, levels: int = 1) -> Sequence[TaskNeighbour]:
        """Tasks that wait for a task's same cycle, level by level."""
        return self._server.get(f"tasks/{part(name)}/downstream", {"levels": levels})["items"]

    def lineage(self, name: str) -> Lineage:
        """The tables that a task reads and writes."""
        return self._server.get(f"tasks/{part(name)}/lineage")

    def workspaces(self) -> Sequence[WorkspaceRow]:
        """Workspaces that one is a member of, with their members."""
        return self._server.get("workspaces")["items"]

    def render(self, name: str, bizdate: date, minute: int | None = None) -> RenderedRun:
        """What a task would run at a bizdate, with its values and its environment."""
        time = None if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"
        return self._server.get(f"tasks/{part(name)}/render", {"bizdate": bizdate.isoformat(), "time": time})

    # Acts

    def freeze(self, tasks: Sequence[str], comment: str = "") -> Sequence[TaskResult]:
        """Freeze deployed tasks: what is made of them from now on stands still."""
        return self._set_frozen("freeze", tasks, comment)

    def unfreeze(self, tasks: Sequence[str], comment: str = "") -> Sequence[TaskResult]:
        """Take back a freeze; instances that are frozen stay so."""
        return self._set_frozen("unfreeze", tasks, comment)

    def _set_frozen(self, act: str, tasks: Sequence[str], comment: str) -> Sequence[TaskResult]:
        found = self._server.act("POST", f"tasks/{act}", {"tasks": [*tasks], "comment": comment})
        return [
            TaskResult(
                row["task"],
                row["frozen"],
                None if row["error"] is None else error_of(row),
                bool(row.get("unchanged")),
            )
            for row in found["items"]
        ]
