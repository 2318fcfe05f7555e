"""What stands around every page: where one may go, how the engine stands, who one is, in which zone moments are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from retrofill.web.pulse import Beat

THEMES = ("light", "dark")


class Place(NamedTuple):
    """An entry of the rail.

    Attributes:
        is_wide: left out where the rail is a bar at the bottom; there "More" leads to it.
    """

    key: str
    icon: str
    label: str
    path: str
    is_wide: bool = False


PLACES = (
    Place("home", "home", "Home", "/"),
    Place("backfills", "backfills", "Backfills", "/backfills"),
    Place("schedule", "schedule", "Schedule", "/schedule"),
    Place("tasks", "tasks", "Tasks", "/tasks"),
    Place("lineage", "lineage", "Lineage", "/lineage", is_wide=True),
    Place("groups", "groups", "Resource groups", "/resource-groups", is_wide=True),
    Place("operations", "operations", "Operations", "/operations", is_wide=True),
    Place("workspaces", "people", "Workspaces", "/workspaces", is_wide=True),
)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """As one person sees it now.

    Attributes:
        path: the address of the page, with its query: where forms of the frame come back to.
        theme: `light` or `dark`; empty: the system's.
        zones: that one may choose from, with the one shown.
        version: that is deployed; None: nothing is.
        counts: numbers beside entries of the rail, by key.
        said: what became of what one has just done; shown once.
        revision: of the store, before anything of the page was looked up: what has changed since is told by its stream.
    """

    project: str
    user: str
    is_administrator: bool
    path: str
    now: datetime
    zone: ZoneInfo
    zones: Sequence[str]
    theme: str
    version: int | None
    beat: Beat
    counts: Mapping[str, int] = field(default_factory=dict)
    said: str = ""
    revision: str = ""
    places: Sequence[Place] = PLACES

    @property
    def zone_name(self) -> str:
        """`CET`: what the zone is called now."""
        return self.now.astimezone(self.zone).tzname() or self.zone.key

    @property
    def initials(self) -> str:
        """One or two letters for who one is."""
        words = [word for word in self.user.replace(".", " ").replace("_", " ").split() if word]
        return "".join(word[0] for word in words[:2]).upper() or "?"
