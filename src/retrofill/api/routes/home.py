"""What somebody sees first."""

from __future__ import annotations

from retrofill.api.operations import Routes
from retrofill.api.requests import Asking
from retrofill.services.reading.documents import Home, HomeCounts

routes = Routes("home")


@routes.get("", "home.show", Home)
def show(visit: Asking) -> Home:
    """What needs a person, what is under way, what has ended lately, what comes, and how the last nights went."""
    return visit.center.home.show()


@routes.get("/counts", "home.count", HomeCounts)
def count(visit: Asking) -> HomeCounts:
    """How much there is of what needs a person, and of what is under way."""
    return visit.center.home.count()
