"""Hosts: the machines that carry out runs, which of them are heard of, and what runs where (RUN-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.operation_center.host_acts import HostActs, unknown_host
from retrofill.services.reading.known_hosts import KnownHosts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.services.reading.documents import HostPage, HostRow


class HostDesk(HostActs):
    # Questions

    def list(self, everything: bool = False) -> Sequence[HostRow]:
        """Hosts by label.

        Args:
            everything: also those that have left, and lost ones where nothing lives.
        """
        from retrofill.services.reading.hosts import host_row, is_gone

        with self.view_if_deployed() as view:
            if view is None:
                return []
            hosts = KnownHosts(view.reader, self._parts.watch)
            return [host_row(host) for host in hosts.all if everything or not is_gone(host)]

    def show(self, host: str) -> HostPage:
        """One host, with the instances that it carries out.

        Args:
            host: its name, or its label where no other host has that.

        Raises:
            UnknownNameError: there is no such host.
            SeveralHostsError: several have this label.
        """
        from retrofill.services.reading.hosts import host_page

        with self.view(unknown_host(host)) as view:
            hosts = KnownHosts(view.reader, self._parts.watch)
            return host_page(view, hosts, self._find(view.reader, host))
