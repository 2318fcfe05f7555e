"""When the auto triggered instances of a bizdate are made, and which were missed (AUTO-1, AUTO-3).

The night of a bizdate D is the moment at which D's instances are made, late on D: those
instances are due on D + 1. All workspaces share it: the zone that reaches it first decides.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import due_at

# A zone may be a day ahead of UTC, and one that skips a day even more.
_MOST_AHEAD = timedelta(days=2)


def night_of(bizdate: date, minute: int, timezones: Collection[str]) -> datetime:
    """The instant at which the bizdate's instances are made, aware UTC (AUTO-1).

    Args:
        minute: of the day, by the setting `generation_time`.
        timezones: of all workspaces; at least one.
    """
    local = datetime.combine(bizdate, time()) + timedelta(minutes=minute)
    return min(due_at(local, timezone) for timezone in timezones)


def next_night(now: datetime, minute: int, timezones: Collection[str]) -> date:
    """The first bizdate whose night lies after `now` (aware)."""
    bizdate = (now.astimezone(UTC) - _MOST_AHEAD).date()
    while night_of(bizdate, minute, timezones) <= now:
        bizdate += ONE_DAY
    return bizdate


@dataclass(frozen=True, slots=True)
class DueNights:
    """Bizdates whose night has come, oldest first: too far back to be made, and to be made now (AUTO-3)."""

    missed: tuple[date, ...]
    made: tuple[date, ...]


def due_nights(
    now: datetime, minute: int, timezones: Collection[str], since: datetime, last: date | None, most: int
) -> DueNights:
    """Bizdates whose instances are owed now (AUTO-1, AUTO-3).

    Args:
        since: aware; nights up to then were nobody's to make: nothing was deployed.
        last: the newest bizdate whose night was made, or is known to be missed.
        most: how many are made at most, the newest ones.
    """
    bizdate = next_night(now, minute, timezones) - ONE_DAY
    owed: list[date] = []
    while (last is None or bizdate > last) and night_of(bizdate, minute, timezones) > since:
        owed.append(bizdate)
        bizdate -= ONE_DAY
    owed.reverse()
    first_made = max(len(owed) - most, 0)
    return DueNights(tuple(owed[:first_made]), tuple(owed[first_made:]))
