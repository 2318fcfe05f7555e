"""The next times at which a schedule really runs (TIME-1, TIME-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import NamedTuple

from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.cron import Schedule
from retrofill.domain.time.instants import due_at, local_date

_MOST_DAYS = 9 * 366  # 29 February is eight years away at most


class Upcoming(NamedTuple):
    """A slot that lies ahead: `local` is its wall-clock time, `at` the instant of it in UTC."""

    local: datetime
    at: datetime

    @property
    def bizdate(self) -> date:
        """Whose data it produces (TIME-3)."""
        return self.local.date() - ONE_DAY


def upcoming(
    schedule: Schedule,
    timezone: str,
    after: datetime,
    count: int,
    is_valid: Callable[[date], bool] = lambda _: True,
) -> list[Upcoming]:
    """The next slots on dates that match, in order; fewer where there are none within nine years.

    Args:
        after: an aware instant; slots of that very instant are not ahead any more.
        is_valid: whether instances are made on a date of T (TIME-4).
    """
    slots = (one for one in _slots(schedule, timezone, after, is_valid) if one.at > after)
    return list(islice(slots, count))


def _slots(
    schedule: Schedule, timezone: str, after: datetime, is_valid: Callable[[date], bool]
) -> Iterator[Upcoming]:
    """From the day before on: where the clock is set back, its last slots may still lie ahead."""
    first = local_date(after, timezone) - ONE_DAY
    for number in range(_MOST_DAYS):
        day = first + number * ONE_DAY
        if not (schedule.matches(day) and is_valid(day)):
            continue
        if day < first + ONE_DAY and due_at(_at(day, schedule.slots[-1]), timezone) <= after:
            continue  # all of it is past
        for slot in schedule.slots:
            local = _at(day, slot)
            yield Upcoming(local, due_at(local, timezone))


def _at(day: date, slot: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=slot)
