"""The daily period in which a backfill may start instances (POL-11).

Minutes count from midnight. A window is closed at its start and open at its end.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from retrofill.domain.errors import InvalidValueError, shown


class ClockRangeError(InvalidValueError):
    """Write times of day as HH:MM-HH:MM, from 00:00 to 23:59."""

    code = "bad_time_range"


@dataclass(frozen=True, slots=True)
class Window:
    """The daily period in which instances may start (POL-11), in minutes after midnight.

    An end before the start lies on the next day. The window belongs to the day on which it
    starts; `weekends` keeps those of Saturdays and Sundays only.
    """

    start_minute: int
    end_minute: int
    timezone: str
    weekends: bool = False

    def __post_init__(self) -> None:
        if self.start_minute == self.end_minute:
            raise ClockRangeError(
                f"the window {self.text} is empty: its ends are equal",
                "Leave the window out to run at any time of the day.",
            )

    @property
    def text(self) -> str:
        return f"{clock(self.start_minute)}-{clock(self.end_minute)}"

    @property
    def words(self) -> str:
        """As people read it."""
        return f"{self.text}{' on weekends' if self.weekends else ''} ({self.timezone})"

    def is_open(self, now: datetime) -> bool:
        """Whether instances may start at this instant (aware)."""
        return self._opening_around(now) is not None

    def next_open(self, now: datetime) -> datetime:
        """The first instant, not before `now`, at which it is open; aware UTC, or `now` itself."""
        if self.is_open(now):
            return now
        return min(start for start, _ in self._openings(now, days=9) if start > now)

    def next_close(self, now: datetime) -> datetime:
        """The end of the opening that `now` lies in or, when it is closed, of the next one; aware UTC."""
        opening = self._opening_around(now)
        if opening is not None:
            return opening[1]
        return min(end for start, end in self._openings(now, days=9) if start > now)

    def _opening_around(self, now: datetime) -> tuple[datetime, datetime] | None:
        return next((o for o in self._openings(now, days=1) if o[0] <= now < o[1]), None)

    def _openings(self, now: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Openings of the days from yesterday on; one that a leap of the clock swallows is left out."""
        # numpy comes with it; the command line imports this module for every command
        from retrofill.domain.time.instants import due_at, local_date

        today = local_date(now, self.timezone)
        passes_midnight = self.end_minute < self.start_minute
        for ahead in range(-1, days):
            day = today + timedelta(days=ahead)
            if self.weekends and day.weekday() < calendar.SATURDAY:
                continue
            start = due_at(_at(day, self.start_minute), self.timezone)
            end = due_at(_at(day + timedelta(days=int(passes_midnight)), self.end_minute), self.timezone)
            if start < end:
                yield start, end


def parse_window(text: str, timezone: str, weekends: bool = False) -> Window:
    """A window from HH:MM-HH:MM; it may pass midnight (POL-11).

    Raises:
        ClockRangeError: another form, or equal ends.
    """
    start, end = parse_clock_range(text)
    return Window(start, end, timezone, weekends)


def parse_clock_range(text: str) -> tuple[int, int]:
    """Two minutes after midnight from HH:MM-HH:MM.

    Raises:
        ClockRangeError: another form.
    """
    match = re.fullmatch(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", text)
    if match is None:
        raise ClockRangeError(f'"{shown(text)}" is not a range of times of day')
    hours = int(match[1]), int(match[3])
    minutes = int(match[2]), int(match[4])
    for hour, minute in zip(hours, minutes, strict=True):
        if hour > 23 or minute > 59:
            raise ClockRangeError(f"{hour:02}:{minute:02} in {text} is not a time of day")
    return hours[0] * 60 + minutes[0], hours[1] * 60 + minutes[1]


def clock(minute: int) -> str:
    """HH:MM of a minute after midnight."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _at(day: date, minute: int) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001
