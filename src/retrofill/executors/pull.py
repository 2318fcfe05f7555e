"""The executor `pull`: workers look for offers themselves, so nobody is told of them.

They are woken by the store when there are some (`ports.hosts.Hosts.call`), and look now and then in any case.
"""

from __future__ import annotations

from collections.abc import Sequence

from retrofill.executors.routing import Surroundings
from retrofill.services.ports.dispatching import Offered
from retrofill.services.ports.hosting import Offer


class PullDispatcher:
    """Has nothing to do."""

    def __init__(self, surroundings: Surroundings) -> None:
        """As every dispatcher is made."""

    def offer(self, offers: Sequence[Offered]) -> None:
        """Who claims them looks for them."""

    def withdraw(self, offers: Sequence[Offer]) -> None:
        """Who looks for them does not find them any more."""

    def alive(self, host: str) -> bool | None:
        return None

    def trouble(self) -> str | None:
        return None

    def close(self) -> None:
        """Holds nothing."""
