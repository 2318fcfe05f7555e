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
        ListedTask,
        Page,
        RenderedRun,
        TaskInGraph,
        WorkspaceRow,
    )

_ALL = 10_000_000


class TaskDesk(Desk):
    # Questions

    def list(
        self,
        filters: Mapping[str, str] | None = None,
        name_part: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[ListedTask]:
        """Tasks by their full names."""
        query = {**(filters or {}), "name": name_part, "cursor": after}
        return self._page("tasks", query, _ALL if limit is None else limit)

    def show(self, name: str) -> CurrentTask:
        """One task: schedule, dependencies, parameters, settings, code, lineage."""
        return self._server.get(f"tasks/{part(name)}")

    def graph(self, name: str | None = None) -> Sequence[TaskInGraph]:
        """Who waits for whom, of all tasks or around one."""
        return self._server.get("tasks/graph" if name is None else f"tasks/{part(name)}/graph")

    def workspaces(self) -> Sequence[WorkspaceRow]:
        """Workspaces that one is a member of, with their members."""
        return self._server.get("workspaces")["items"]

    def render(self, name: str, bizdate: date, minute: int | None = None) -> RenderedRun:
        """What a task would run at a bizdate, with its values and its environment."""
        query = {"bizdate": bizdate.isoformat(), "minute": minute}
        return self._server.get(f"tasks/{part(name)}/render", query)

    # Acts

    def freeze(self, tasks: Sequence[str], comment: str = "") -> Sequence[TaskResult]:
        """Freeze deployed tasks: what is made of them from now on stands still."""
        return self._set_frozen("freeze", tasks, comment)

    def unfreeze(self, tasks: Sequence[str], comment: str = "") -> Sequence[TaskResult]:
        """Take back a freeze; instances that are frozen stay so."""
        return self._set_frozen("unfreeze", tasks, comment)

    def _set_frozen(self, act: str, tasks: Sequence[str], comment: str) -> Sequence[TaskResult]:
        rows = self._server.act("POST", f"tasks/{act}", {"tasks": [*tasks], "comment": comment})
        return [
            TaskResult(
                row["task"],
                row["frozen"],
                None if row["error"] is None else error_of(row),
                bool(row.get("unchanged")),
            )
            for row in rows
        ]
