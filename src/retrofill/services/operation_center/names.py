"""Names and ids that can be written in a request: what a shell or a form offers while one types.

Of what is deployed, and only what the actor may see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import NamedBackfill, NamedTask


class NameDesk(Desk):
    # Questions

    def tasks(self) -> Sequence[NamedTask]:
        """Every task that the actor sees."""
        deployed = self._parts.deployed
        tasks = () if deployed is None else deployed.catalog.tasks.values()
        return [
            {"task": task.name, "short_name": task.short_name, "description": task.description}
            for task in tasks
            if self._actor.sees(task.name)
        ]

    def workspaces(self) -> Sequence[str]:
        """Those that the actor is a member of."""
        deployed = self._parts.deployed
        return [] if deployed is None else list(filter(self._actor.sees, deployed.catalog.workspaces))

    def resource_groups(self) -> Sequence[str]:
        """All of them."""
        deployed = self._parts.deployed
        return [] if deployed is None else list(deployed.catalog.resource_groups)

    def users(self) -> Sequence[str]:
        """Who may be named to the actor: himself and the members of his workspaces; to some, everybody."""
        with self.view_if_deployed() as view:
            return [] if view is None else sorted(view.access.known_users())

    def backfills(self, limit: int = 50) -> Sequence[NamedBackfill]:
        """The newest ones."""
        with self.view_if_deployed() as view:
            if view is None:
                return []
            records = filter(view.access.sees_backfill, view.reader.backfills(limit=limit))
            return [{"id": record.id, "name": view.access.shown_name(record)} for record in records]
