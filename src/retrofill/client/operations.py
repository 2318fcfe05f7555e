"""The record of what people did, at a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.client.desk import Desk
from retrofill.client.transport import part

if TYPE_CHECKING:
    from retrofill.domain.running.searches import OperationSearch
    from retrofill.services.reading.documents import OperationRow, Page


class OperationDesk(Desk):
    # Questions

    def list(self, search: OperationSearch, limit: int = 50, before: int | None = None) -> Page[OperationRow]:
        """Operations that may be seen, newest first."""
        query = {
            "user": search.user,
            "action": search.action,
            "backfill": search.backfill_id,
            "instance": search.instance_id,
            "task": search.task,
            "cursor": before,
        }
        return self._page("operations", query, limit)

    def of_task(self, task: str) -> Sequence[OperationRow]:
        """Who froze and unfroze a task, newest first."""
        return self._server.get(f"tasks/{part(task)}/operations")["items"]
