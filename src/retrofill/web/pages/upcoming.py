"""What happens by itself, as lines of an agenda."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retrofill.web import looks
from retrofill.web.words import at_clock, since

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Coming


@dataclass(frozen=True)
class ShownComing:
    """A line.

    Attributes:
        iso, clock, full: when: for programs, the time of day, and all of it.
        is_other_day: whether that is of another day than now.
        backfill: that it is about; `before`, `after`: what is said around its link.
        beside: a second line.
        until_now: how long until then.
    """

    iso: str
    clock: str
    full: str
    is_other_day: bool
    kind: str
    backfill: int | None
    name: str
    before: str
    after: str
    beside: str
    until: str


def shown_coming(one: Coming, zone: ZoneInfo, now: datetime) -> ShownComing:
    """The line of a document."""
    at = datetime.fromisoformat(one["at"]).astimezone(zone)
    before, after, beside = _words(one, zone)
    return ShownComing(
        iso=one["at"],
        clock=at_clock(one["at"], zone),
        full=looks.moment(one["at"], zone, now).full,
        is_other_day=at.date() != now.astimezone(zone).date(),
        kind=one["kind"],
        backfill=one["backfill"],
        name=one["name"] or "",
        before=before,
        after=after,
        beside=beside,
        until=since(one["at"], now),
    )


def _words(one: Coming, zone: ZoneInfo) -> tuple[str, str, str]:
    left = (
        ""
        if one["left"] is None
        else f"{one['left']:,} {'instance' if one['left'] == 1 else 'instances'} left"
    )
    if one["kind"] == "night":
        return "Night of bizdate", f"{looks.day(one['bizdate'] or '')}", ""
    if one["kind"] == "window":
        until = "" if one["until"] is None else f", until {at_clock(one['until'], zone)}"
        return "Window of", "opens", f"{left}{until}"
    if one["kind"] == "start":
        return "Backfill", "starts", ""
    return (
        "Backfill",
        "done but for what waits for you" if one["held_up"] else "done, about",
        looks.middle_cut(one["name"] or "", 34),
    )
