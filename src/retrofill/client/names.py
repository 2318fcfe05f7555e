"""Names and ids that can be written in a request, from a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import NamedBackfill, NamedTask


class NameDesk(Desk):
    # Questions

    def tasks(self) -> Sequence[NamedTask]:
        """Every task that one sees."""
        return self._server.get("names/tasks")["items"]

    def workspaces(self) -> Sequence[str]:
        """Those that one is a member of."""
        return self._server.get("names/workspaces")["items"]

    def resource_groups(self) -> Sequence[str]:
        """All of them."""
        return self._server.get("names/resource-groups")["items"]

    def users(self) -> Sequence[str]:
        """Who may be named to who asks."""
        return self._server.get("names/users")["items"]

    def backfills(self, limit: int = 50) -> Sequence[NamedBackfill]:
        """The newest ones."""
        return self._server.get("names/backfills", {"limit": limit})["items"]
