"""Resource groups: slots, who holds them, and who waits for them (RUN-1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, did_you_mean, shown
from retrofill.domain.texts import Text
from retrofill.services.operation_center.desk import Desk
from retrofill.services.reading.queues import counts, group_row, queue_of

if TYPE_CHECKING:
    from retrofill.services.reading.documents import GroupRow, Queue


class GroupDesk(Desk):
    # Questions

    def list(self) -> Sequence[GroupRow]:
        """All resource groups with slots in use and the length of their queues."""
        groups = self._parts.in_force.resource_groups.values()
        sees = self._actor.sees
        with self.view_if_deployed() as view:
            counted = {} if view is None else counts(view)
        return [
            group_row(group, counted, None if group.workspaces is None else filter(sees, group.workspaces))
            for group in groups
        ]

    def show(self, name: str, limit: int = 20) -> Queue:
        """What holds a group's slots, and what waits for them in the order in which it will start.

        Args:
            limit: of the queue.

        Raises:
            UnknownNameError: there is no such group.
        """
        groups = self._parts.in_force.resource_groups
        if name not in groups:
            raise UnknownNameError(
                f'there is no resource group "{shown(name)}"{did_you_mean(name, groups)}',
                Text("{resource_group.list} shows all of them."),
            )
        with self.view_if_deployed() as view:
            return queue_of(view, groups[name], limit)
