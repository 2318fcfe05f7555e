"""Times of day: the daily period in which a backfill may start instances (POL-11), and ranges of slots (POL-3).

Minutes count from midnight. A window is closed at its start and open at its end.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from retrofill.domain.errors import InvalidValueError, shown
from retrofill.domain.time.milliseconds import instant_of, ms_of


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


def parse_time_range(text: str) -> tuple[int, int]:
    """First and last minute of the day from HH:MM-HH:MM, both included (POL-3).

    Raises:
        ClockRangeError: another form, or the end lies before the start.
    """
    first, last = parse_clock_range(text)
    if last < first:
        raise ClockRangeError(
            f"the time range {text} runs backwards: {clock(last)} comes before {clock(first)}",
            "A time range lies within one day, for example 06:00-23:59.",
        )
    return first, last


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


NEVER = 1 << 62


_WEEK = 7 * 24 * 3_600_000


_MOST_WEEKS = 52 * 200  # further ahead nobody looks, and calendars end


class OpenTimes:
    """When a window is open, asked in ascending order of time; without a window, always."""

    def __init__(self, window: Window | None) -> None:
        self._window = window
        self._from, self._to = (0, NEVER) if window is None else (0, 0)

    def next_open(self, at_ms: int) -> int:
        """The first moment, not before this one, at which it is open."""
        if self._window is None or self._from <= at_ms < self._to:
            return at_ms
        opens = self._window.next_open(instant_of(at_ms))
        self._from = max(at_ms, ms_of(opens))
        self._to = ms_of(self._window.next_close(instant_of(self._from)))
        return self._from

    def close_after(self, at_ms: int) -> int:
        """The end of the opening that this moment, at which it is open, lies in."""
        self.next_open(at_ms)
        return self._to

    def between(self, from_ms: int, to_ms: int) -> int:
        """For how much of this time it is open; weeks are alike, so that long spans are not walked."""
        if self._window is None:
            return to_ms - from_ms
        weeks = max((to_ms - from_ms) // _WEEK - 1, 0)
        total = weeks * self._week_after(from_ms) if weeks else 0
        at_ms = self.next_open(from_ms + weeks * _WEEK)
        while at_ms < to_ms:
            closes = self.close_after(at_ms)
            total += min(closes, to_ms) - at_ms
            at_ms = self.next_open(closes) if closes < to_ms else to_ms
        return total

    def after(self, from_ms: int, open_ms: int) -> int:
        """The moment by which it has been open for so long, at most some 200 years ahead."""
        open_ms = min(open_ms, _MOST_WEEKS * _WEEK)
        if self._window is None:
            return from_ms + open_ms
        at_ms = self.next_open(from_ms)
        week_ms = self._week_after(at_ms)
        weeks = min(max(open_ms // week_ms - 1, 0), _MOST_WEEKS)
        if weeks == _MOST_WEEKS:
            return at_ms + weeks * _WEEK
        at_ms, open_ms = self.next_open(at_ms + weeks * _WEEK), open_ms - weeks * week_ms
        while open_ms > (length := self.close_after(at_ms) - at_ms):
            open_ms -= length
            at_ms = self.next_open(self.close_after(at_ms))
        return at_ms + open_ms

    def _week_after(self, at_ms: int) -> int:
        """Open time of the week from this moment on; some of it, because every window opens within a week."""
        return max(OpenTimes(self._window).between(at_ms, at_ms + _WEEK), 1)
