"""The record of what people did, over everything (OPS-8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import OperationFilter
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.domain.running.searches import OperationSearch
    from retrofill.services.reading.documents import OperationRow, Page
    from retrofill.services.reading.view import View

_ALL = 100_000


class OperationDesk(Desk):
    # Questions

    def list(self, search: OperationSearch, limit: int = 50, before: int | None = None) -> Page[OperationRow]:
        """Operations that the actor may see, newest first.

        What was done to tasks, instances and backfills is seen by who sees these; all else (a deploy, users,
        the schedule) by system administrators and by who did it. A page may hold fewer than `limit`, and
        more behind them: `next` says whether there are.

        Args:
            before: only those with a smaller id.

        Raises:
            UnknownNameError: there is no such backfill, instance or task, as far as the actor knows.
        """
        from retrofill.services.reading.audit_log import latest, operation_row

        with self.view_if_deployed() as view:
            if view is None:
                return {"items": [], "next": None}
            asked = self._asked(view, search)
            found, following = latest(view.reader, view.access, asked, limit, before)
            rows = [
                operation_row(o, None if o.task_id is None else view.task_names[o.task_id]) for o in found
            ]
        return {"items": rows, "next": following}

    def of_task(self, task: str) -> Sequence[OperationRow]:
        """Who froze and unfroze a task, newest first.

        Raises:
            UnknownNameError: there is no such task, as far as the actor knows.
        """
        from retrofill.domain.running.searches import OperationSearch

        page = self.list(OperationSearch(task=task), _ALL)
        rows = page["items"]
        while isinstance(page["next"], int) and len(rows) < _ALL:
            page = self.list(OperationSearch(task=task), _ALL - len(rows), page["next"])
            rows += page["items"]
        return rows

    def _asked(self, view: View, search: OperationSearch) -> OperationFilter:
        from retrofill.services.catalogs.deploy import find_task

        task_id = None
        if search.task is not None:
            catalog = view.graphs.current(view.reader)
            assert catalog is not None, "what is looked at is deployed"
            task_id = view.task_ids[find_task(catalog, view.task_ids, search.task, view.sees)]
        return OperationFilter(search.user, search.action, search.backfill_id, search.instance_id, task_id)
