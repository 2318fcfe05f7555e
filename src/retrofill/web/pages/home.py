"""The first page: what needs a person, what is under way, what comes, how the nights went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar

from retrofill.web import looks
from retrofill.web.pages.backfill_rows import ShownBackfill, shown_backfill
from retrofill.web.pages.needs import ShownNeed, shown_need
from retrofill.web.pages.nights import NightStrip, night_strip
from retrofill.web.pages.upcoming import ShownComing, shown_coming
from retrofill.web.rendering import Page
from retrofill.web.visits import page
from retrofill.web.words import number_word

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import Home, NightRow
    from retrofill.web.visits import PageVisit


@dataclass(frozen=True, kw_only=True)
class HomePage(Page):
    """What somebody sees who has signed in.

    Attributes:
        headline: how many things need somebody, in words.
        more_needs: how many there are besides those shown.
        counts: of everything, shown or not.
        next_end: the backfill that is expected to end next; None where nothing is expected.
        last_night: how the last night went, in a sentence; empty where there was none.
    """

    template: ClassVar[str] = "home.html"
    nav: ClassVar[str] = "home"
    headline: str
    needs: Sequence[ShownNeed]
    more_needs: int
    under_way: Sequence[ShownBackfill]
    under_way_count: int
    ended: Sequence[ShownBackfill]
    coming: Sequence[ShownComing]
    next_end: ShownComing | None
    nights: NightStrip | None
    last_night: str
    schedule_held: bool


@dataclass(frozen=True, kw_only=True)
class FirstStepsPage(Page):
    """What somebody sees before anything has run.

    Attributes:
        tasks, workspaces: how many the actor sees.
    """

    template: ClassVar[str] = "first_steps.html"
    nav: ClassVar[str] = "home"
    tasks: int
    workspaces: int
    is_deployed: bool


def home(visit: PageVisit) -> Response:
    """What needs somebody, first; where nothing has run yet, how to begin."""
    found = visit.center.home.show()
    if not (found["nights"] or found["under_way"] or found["ended"] or found["needs"]):
        first = visit.center.backfills.list(limit=1)["items"]
        if not first:
            return visit.show(_first_steps(visit))
    return visit.show(_home(visit, found))


def _first_steps(visit: PageVisit) -> FirstStepsPage:
    center = visit.center
    return FirstStepsPage(
        title="Welcome",
        events="/api/v1/backfills/events",
        tasks=len(center.names.tasks()),
        workspaces=len(center.names.workspaces()),
        is_deployed=center.is_deployed,
    )


def _home(visit: PageVisit, found: Home) -> HomePage:
    zone, now = visit.frame.zone, visit.now
    count = found["counts"]["needs"]
    coming = [shown_coming(one, zone, now) for one in found["coming"]]
    return HomePage(
        title=_headline(count).rstrip("."),
        events="/api/v1/backfills/events",
        headline=_headline(count),
        needs=[shown_need(one, now) for one in found["needs"]],
        more_needs=count - len(found["needs"]),
        under_way=[shown_backfill(row, zone, now) for row in found["under_way"]],
        under_way_count=found["counts"]["under_way"],
        ended=[shown_backfill(row, zone, now) for row in found["ended"]],
        coming=coming,
        next_end=next((one for one in coming if one.kind == "end"), None),
        nights=night_strip(found["nights"], zone),
        last_night=_last_night(found["nights"], now.astimezone(zone).date()),
        schedule_held=found["schedule_held"],
    )


def _headline(count: int) -> str:
    if not count:
        return "Nothing needs you."
    return f"{number_word(count)} {'thing needs' if count == 1 else 'things need'} you."


def _last_night(nights: Sequence[NightRow], today: date) -> str:
    """Of the last one that was made."""
    if not nights:
        return ""
    last = nights[0]
    is_of_yesterday = date.fromisoformat(last["bizdate"]) == today - timedelta(days=1)
    named = "Last night" if is_of_yesterday else f"The night of bizdate {looks.day(last['bizdate'])}"
    left = last["instance_count"] - last["counts"]["successful"]
    if not left:
        return f"{named} is complete."
    return f"{named} is complete but for {left:,} {'instance' if left == 1 else 'instances'}."


ROUTES = [page("/", home)]
