"""Resource groups: slots, who holds them, and who waits for them (RUN-1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, did_you_mean, shown
from retrofill.domain.texts import Text
from retrofill.services.operation_center.desk import Desk
from retrofill.services.reading.known_hosts import KnownHosts
from retrofill.services.reading.queues import counts, group_row, offered, queue_of, use_of

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import ResourceGroup
    from retrofill.services.reading.documents import GroupRow, GroupUse, Queue
    from retrofill.services.reading.known_hosts import KnownHost


class GroupDesk(Desk):
    # Questions

    def list(self) -> Sequence[GroupRow]:
        """All resource groups with slots in use and the length of their queues."""
        groups = self._parts.in_force.resource_groups.values()
        with self.view_if_deployed() as view:
            if view is None:
                return [group_row(group, {}, self._bound(group)) for group in groups]
            counted, waits, hosts = counts(view), offered(view), KnownHosts(view.reader, self._parts.watch)
            return [
                group_row(group, counted, self._bound(group), waits[group.name], _serving(hosts, group))
                for group in groups
            ]

    def show(self, name: str, limit: int = 20) -> Queue:
        """What holds a group's slots, and what waits for them in the order in which it will start.

        Args:
            limit: of the queue.

        Raises:
            UnknownNameError: there is no such group.
        """
        group = self._find(name)
        with self.view_if_deployed() as view:
            hosts = None if view is None else KnownHosts(view.reader, self._parts.watch)
            return queue_of(view, hosts, group, limit, self._bound(group))

    def use(self, name: str, hours: int = 24) -> GroupUse:
        """How many of a group's slots were in use over the last hours, by the schedule and by backfills.

        Raises:
            UnknownNameError: there is no such group.
        """
        group = self._find(name)
        with self.view_if_deployed() as view:
            return use_of(view, group, hours, self._parts.clock.now_ms())

    # Inside

    def _find(self, name: str) -> ResourceGroup:
        groups = self._parts.in_force.resource_groups
        if name not in groups:
            raise UnknownNameError(
                f'there is no resource group "{shown(name)}"{did_you_mean(name, groups)}',
                Text("{resource_group.list} shows all of them."),
            )
        return groups[name]

    def _bound(self, group: ResourceGroup) -> Iterable[str] | None:
        """Of the workspaces that a group is bound to, those that the actor may know of."""
        return None if group.workspaces is None else filter(self._actor.sees, group.workspaces)


def _serving(hosts: KnownHosts, group: ResourceGroup) -> Sequence[KnownHost]:
    """None is asked for where the group runs on the machine that schedules."""
    return () if group.is_local else hosts.serving(group.name)
