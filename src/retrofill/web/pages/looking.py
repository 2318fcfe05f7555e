"""How pages look to one person: light or dark, in which zone; and, where the rail is short, the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retrofill.domain.errors import InvalidValueError
from retrofill.web import cookies
from retrofill.web.addresses import own_path
from retrofill.web.frame import THEMES
from retrofill.web.rendering import Page
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit


@dataclass(frozen=True, kw_only=True)
class MorePage(Page):
    """Where one may go besides."""

    template: ClassVar[str] = "more.html"


def more(visit: PageVisit) -> Response:
    """What the rail has no room for."""
    return visit.show(MorePage(title="More"))


def look(visit: PageVisit, form: Form) -> Response:
    """Another theme, another zone; back to where one was."""
    answer = visit.goes_to(own_path(form.one("back")))
    if form.has("theme"):
        theme = form.one("theme")
        cookies.keep(answer, cookies.THEME, theme if theme in THEMES else "")
    if form.has("zone"):
        zone = form.one("zone")
        if zone and cookies.known_zone(zone) is None:
            raise InvalidValueError(
                f'"{zone[:60]}" is no time zone', "Write one of the zones of the IANA, as Europe/Berlin."
            )
        cookies.keep(answer, cookies.ZONE, zone)
    return answer


ROUTES = [page("/more", more), act("/look", look)]
