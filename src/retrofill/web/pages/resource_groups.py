"""Resource groups: slots as places, with what holds each, and who waits for one in the order in which it will start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.api.links import PREFIX
from retrofill.domain.words import many
from retrofill.web.pages.host_rows import ShownHost, shown_host
from retrofill.web.rendering import Page
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import GroupRow, GroupUse, HeldSlot, Queue
    from retrofill.web.visits import PageVisit

_FEW, _MANY = 6, 200  # of a queue
_MOST_PLACES = 30  # that are drawn of one group
_HOURS = 24
_USE_WIDTH, _USE_HEIGHT = 480.0, 80.0
_LIVE = f"{PREFIX}/backfills/events"


class Place(NamedTuple):
    """A slot.

    Attributes:
        kind: `busy`, `hidden`, `free`, or `kept` for the schedule.
        percent: of the usual run time that is over; None: that is not known.
        seconds: since the run began.
    """

    kind: str
    held: HeldSlot | None = None
    percent: int | None = None
    seconds: float | None = None


class Slots(NamedTuple):
    """A group with its slots.

    Attributes:
        more: slots that are not drawn, in words; empty: all are.
        bound: the workspaces that may use it, in words.
        hosts: that take its instances; none where they run on the machine that schedules.
    """

    queue: Queue
    places: Sequence[Place]
    more: str
    bound: str
    hosts: Sequence[ShownHost] = ()


class Use(NamedTuple):
    """Slots in use over the last day, as bars in a box of 480 x 80.

    Attributes:
        bars: left end, height of what the schedule held, height of what backfills held.
        kept_y: up to where backfills may use slots; None: up to all of them.
        label: the same in words.
    """

    bars: Sequence[tuple[float, float, float]]
    kept_y: float | None
    moments: Sequence[str]
    label: str
    complete: bool


@dataclass(frozen=True, kw_only=True)
class GroupsPage(Page):
    """All groups."""

    template: ClassVar[str] = "resource_groups.html"
    nav: ClassVar[str] = "groups"
    title: str = "Resource groups"
    groups: Sequence[Slots]
    words: str
    has_hosts: bool


@dataclass(frozen=True, kw_only=True)
class GroupPage(Page):
    """One group with more of its queue."""

    template: ClassVar[str] = "resource_group.html"
    nav: ClassVar[str] = "groups"
    group: Slots
    tasks: int
    use: Use


def groups(visit: PageVisit) -> Response:
    """Each with its slots and the head of its queue; those that are in use first."""
    rows = sorted(visit.center.groups.list(), key=lambda row: (-row["running"] - row["waiting"],))
    found = [_slots(visit.center.groups.show(row["resource_group"], _FEW), visit.now) for row in rows]
    has_hosts = any(row["hosts"] is not None for row in rows)
    return visit.show(GroupsPage(groups=found, words=_words(rows), has_hosts=has_hosts, events=_LIVE))


def group(visit: PageVisit, group: str) -> Response:
    """One of them."""
    found = _slots(visit.center.groups.show(group, _MANY), visit.now)
    tasks = visit.center.tasks.list({"resource_group": group}, limit=1)["total"]
    use = _use(visit.center.groups.use(group, _HOURS), visit.now)
    return visit.show(GroupPage(title=group, group=found, tasks=tasks, use=use, events=_LIVE))


def _words(rows: Sequence[GroupRow]) -> str:
    held, slots, kept, waiting = (
        sum(row[name] for row in rows) for name in ("running", "slots", "reserved_for_auto", "waiting")
    )
    parts = [
        f"{held:,} of {many(slots, 'slot')} hold instances" if slots != 1 else f"{held} of 1 slot holds one"
    ]
    if kept:
        parts.append(f"{kept:,} {'is' if kept == 1 else 'are'} kept free for the schedule")
    parts.append(
        "nothing waits for one"
        if not waiting
        else f"{many(waiting, 'instance')} {'waits' if waiting == 1 else 'wait'} for one"
    )
    return f"{', '.join(parts)}."


def _slots(queue: Queue, now: datetime) -> Slots:
    """Slots in the order: those that are seen to be held, those that others hold, free ones, those for the schedule."""
    seen = [held(one, now) for one in queue["running"]]
    others = [Place("hidden")] * (queue["held"] - len(seen))
    autos = sum(one["backfill"] is None for one in queue["running"])
    left = max(queue["slots"] - queue["held"], 0)
    kept = min(left, max(queue["reserved_for_auto"] - autos, 0))
    places = [*seen, *others, *[Place("free")] * (left - kept), *[Place("kept")] * kept]
    hosts = [*map(shown_host, queue["hosts"])]
    return Slots(queue, places[:_MOST_PLACES], _more(places[_MOST_PLACES:]), _bound(queue), hosts)


def _use(found: GroupUse, now: datetime) -> Use:
    """As high as all slots are, or as most of them were held where there were more once."""
    both = [a + b for a, b in zip(found["schedule"], found["backfills"], strict=True)]
    most = max(found["slots"], *both)
    scale, width = _USE_HEIGHT / most, _USE_WIDTH / len(both)
    since = datetime.fromisoformat(found["since"])
    moments = [(since + (now - since) * n / 4).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(5)]
    kept = found["reserved_for_auto"]
    return Use(
        bars=[
            (round(n * width, 1), round(a * scale, 1), round(b * scale, 1))
            for n, (a, b) in enumerate(zip(found["schedule"], found["backfills"], strict=True))
        ],
        kept_y=round(_USE_HEIGHT - (found["slots"] - kept) * scale, 1) if kept else None,
        moments=moments,
        label=f"Slots in use over the last {_HOURS} hours: {max(both):g} of {found['slots']:,} at most, "
        f"{sum(both) / len(both):.1f} on average",
        complete=found["complete"],
    )


def held(one: HeldSlot, now: datetime) -> Place:
    """An instance that holds a slot; what is offered has not begun."""
    if one["offered"]:
        return Place("busy", one)
    seconds = None
    if one["started_at"] is not None:
        seconds = max((now - datetime.fromisoformat(one["started_at"])).total_seconds(), 0.0)
    usual = one["usual_seconds"]
    percent = None if seconds is None or not usual else min(round(100 * seconds / usual), 100)
    return Place("busy", one, percent, seconds)


def _more(places: Sequence[Place]) -> str:
    if not places:
        return ""
    held = sum(place.kind in ("busy", "hidden") for place in places)
    return f"and {many(len(places), 'slot')} more, {held:,} of them held"


def _bound(queue: Queue) -> str:
    if queue["workspaces"] is None:
        return ""
    names = ", ".join(queue["workspaces"])
    return f"only for {names}" if names else "only for workspaces that you are no member of"


ROUTES = [page("/resource-groups", groups), page("/resource-groups/{group}", group)]
