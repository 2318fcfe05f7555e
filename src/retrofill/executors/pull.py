"""The executor `pull`: workers look for offers themselves, so nobody is told of them.

They are woken by the store when there are some (`ports.hosts.Hosts.call`), and look now and then in any case.
"""

from __future__ import annotations

from retrofill.executors.routing import Silent, Surroundings


class PullDispatcher(Silent):
    """Has nothing to do."""

    def __init__(self, surroundings: Surroundings) -> None:
        """As every dispatcher is made."""
        super().__init__(None)
