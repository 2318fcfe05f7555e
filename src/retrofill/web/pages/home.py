"""The first page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retrofill.web.rendering import Page
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import Me
    from retrofill.web.visits import PageVisit


@dataclass(frozen=True, kw_only=True)
class HomePage(Page):
    """What somebody sees who has signed in."""

    template: ClassVar[str] = "home.html"
    nav: ClassVar[str] = "home"
    me: Me


def home(visit: PageVisit) -> Response:
    """Who one is."""
    return visit.show(HomePage(title="Home", me=visit.me))


ROUTES = [page("/", home)]
