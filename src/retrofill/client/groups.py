"""Resource groups at a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.client.desk import Desk
from retrofill.client.transport import part

if TYPE_CHECKING:
    from retrofill.services.reading.documents import GroupRow, GroupUse, Queue


class GroupDesk(Desk):
    # Questions

    def list(self) -> Sequence[GroupRow]:
        """All resource groups with slots in use and the length of their queues."""
        return self._server.get("resource-groups")["items"]

    def show(self, name: str, limit: int = 20) -> Queue:
        """What holds a group's slots, and what waits for them in the order in which it will start."""
        return self._server.get(f"resource-groups/{part(name)}", {"limit": limit})

    def use(self, name: str, hours: int = 24) -> GroupUse:
        """How many of a group's slots were in use over the last hours, by the schedule and by backfills."""
        return self._server.get(f"resource-groups/{part(name)}/use", {"hours": hours})
