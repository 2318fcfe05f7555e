"""What somebody sees first, of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Home, HomeCounts


class HomeDesk(Desk):
    def show(self) -> Home:
        """What needs a person, what is under way, what comes."""
        return self._server.get("home")

    def count(self) -> HomeCounts:
        """How much of it there is."""
        return self._server.get("home/counts")
