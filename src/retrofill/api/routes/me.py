"""Who asks."""

from __future__ import annotations

from retrofill.api.operations import Routes
from retrofill.api.requests import Asking
from retrofill.services.reading.documents import Me

routes = Routes("me")


@routes.get("", "people.me", Me)
def me(visit: Asking) -> Me:
    """Who you are here, with roles and contacts."""
    return visit.center.people.me()
