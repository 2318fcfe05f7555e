"""What is declared of the tasks that are deployed, for programs that ask by number and page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.catalog.searches import TaskSearch
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.searches import Numbered
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.declared import TaskDeclarations
    from retrofill.services.reading.documents import DeclaredNeighbour, DeclaredTask, NumberedPage

_EVERYTHING = TaskSearch()
_FIRST_PAGE = Numbered()


class DeclaredDesk(Desk):
    # Questions

    def list(
        self, search: TaskSearch = _EVERYTHING, page: Numbered = _FIRST_PAGE
    ) -> NumberedPage[DeclaredTask]:
        """Tasks by their ids, which is the order in which they were deployed first."""
        found = self._found()
        rows = [] if found is None else [name for name in found.names() if found.fits(name, search)]
        if page.is_descending:
            rows.reverse()
        last = None if page.limit < 0 else page.offset + page.limit
        items = [found.document(name) for name in rows[page.offset : last]] if found is not None else []
        return {"items": items, "total": len(rows)}

    def show(self, task_id: int) -> DeclaredTask:
        """One task.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        found = self._found()
        if found is None:
            raise UnknownNameError(f"there is no task {task_id}")
        return found.document(found.name_of(task_id))

    def neighbours(self, task_id: int, below: bool) -> Sequence[DeclaredNeighbour]:
        """The tasks that a task waits for, or that wait for it, by id.

        Args:
            below: those that wait for it.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        found = self._found()
        if found is None:
            raise UnknownNameError(f"there is no task {task_id}")
        return found.neighbours(found.name_of(task_id), below)

    # Inside

    def _found(self) -> TaskDeclarations | None:
        from retrofill.services.reading.declared import TaskDeclarations

        deployed = self._parts.deployed
        with self.view_if_deployed() as view:
            if view is None or deployed is None:
                return None
            frozen = frozenset(view.reader.frozen_tasks.names())
            workspaces = view.reader.workspace_ids()
            return TaskDeclarations(deployed.catalog, view.task_ids, workspaces, frozen, view.sees)
