"""Small words of sentences on pages: numbers, how long ago, how long until."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from retrofill.web.looks import took

_NUMBERS = (
    "No",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)


def number_word(number: int) -> str:
    """At the head of a sentence: `Three`, `13`."""
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def since(iso: str, now: datetime) -> str:
    """`1h 14m ago`, `in 3h 58m`, `just now`."""
    seconds = (now - datetime.fromisoformat(iso)).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    length = took(float(round(abs(seconds))))
    return f"{length} ago" if seconds > 0 else f"in {length}"


def at_clock(iso: str, zone: ZoneInfo) -> str:
    """`14:32`: the time of day, where the zone and the day are said beside it."""
    return f"{datetime.fromisoformat(iso).astimezone(zone):%H:%M}"


def short_moment(iso: str, zone: ZoneInfo, now: datetime) -> str:
    """`14:32` of today, `23 Nov 22:00` of other days; for columns whose head names the zone."""
    at, today = datetime.fromisoformat(iso).astimezone(zone), now.astimezone(zone)
    if at.date() == today.date():
        return f"{at:%H:%M}"
    year = "" if at.year == today.year else f" {at.year}"
    return f"{at.day} {at:%b}{year} {at:%H:%M}"


def slot(scheduled_at: str) -> str:
    """`13 Sep 02:40`: a wall-clock time of a schedule, which has no zone and is not shifted."""
    at = datetime.fromisoformat(scheduled_at)
    return f"{at.day} {at:%b %H:%M}"
