"""Names and ids that can be written in a request: what a shell or a form offers while one types.

Of what is deployed, and only what the actor may see.
"""

from __future__ import annotations

from collections.abc import Sequence

from retrofill.services.operation_center.desk import Desk


class NameDesk(Desk):
    # Questions

    def tasks(self) -> Sequence[tuple[str, str, str]]:
        """Full name, name inside its workspace and description of each task."""
        deployed = self._parts.deployed
        tasks = () if deployed is None else deployed.catalog.tasks.values()
        return [(t.name, t.short_name, t.description) for t in tasks if self._actor.sees(t.name)]

    def workspaces(self) -> Sequence[str]:
        deployed = self._parts.deployed
        return [] if deployed is None else list(filter(self._actor.sees, deployed.catalog.workspaces))

    def resource_groups(self) -> Sequence[str]:
        deployed = self._parts.deployed
        return [] if deployed is None else list(deployed.catalog.resource_groups)

    def users(self) -> Sequence[str]:
        """Who may be named to the actor: himself and the members of his workspaces; to some, everybody."""
        with self.view_if_deployed() as view:
            return [] if view is None else sorted(view.access.known_users())

    def backfills(self, limit: int) -> Sequence[tuple[str, str]]:
        """Id and name of the newest ones."""
        with self.view_if_deployed() as view:
            if view is None:
                return []
            records = filter(view.access.sees_backfill, view.reader.backfills(limit=limit))
            return [(str(record.id), view.access.shown_name(record)) for record in records]
