"""How values are written on pages: counts, moments, dates, lengths of time, names, states. Pure; templates use these as
filters.

A moment is said with its zone, always; a bizdate is a plain date and never shifted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from retrofill.domain.running.states import State
from retrofill.domain.running.status import STATUS_WORDS

HELD_UP = "held_up"  # counted beside the states: what is Not run and waits for something that failed
_NAME = 44  # characters of a name before it is cut in the middle
_LOOKS: Mapping[str, str] = MappingProxyType(
    {
        State.NOT_RUN: "idle",
        State.WAITING_TIME: "wait",
        State.WAITING_RESOURCES: "wait",
        State.RUNNING: "run",
        State.SUCCESSFUL: "ok",
        State.FAILED: "fail",
        State.FROZEN: "frozen",
        HELD_UP: "blocked",
        # of backfills
        "pending": "idle",
        "checking": "wait",
        "paused": "paused",
        "stopped": "stopped",
        "succeeded": "ok",
    }
)
_BACKFILL_WORDS: Mapping[str, str] = MappingProxyType(
    {status.value: words for status, words in STATUS_WORDS.items()} | {"checking": "Being checked"}
)
_WITHOUT_RUNNING = frozenset({"dry_run", "off_day"})


class Moment(NamedTuple):
    """An instant as somebody in a zone reads it."""

    iso: str
    text: str  # `28 Nov 14:29`, with its year where that is another one
    zone: str  # `CET`
    full: str  # to the second, with its day


def count(number: int) -> str:
    """`32,580`."""
    return f"{number:,}"


def moment(iso: str, zone: ZoneInfo, now: datetime) -> Moment:
    """An instant of a document in a zone.

    Args:
        iso: as documents have it, `2013-01-02T07:00:00.123Z`.
        now: decides whether its year is said.
    """
    at = datetime.fromisoformat(iso).astimezone(zone)
    day = f"{at.day} {at:%b}"
    year = "" if at.year == now.astimezone(zone).year else f" {at.year}"
    return Moment(
        iso, f"{day}{year} {at:%H:%M}", at.tzname() or "", f"{at:%A} {at.day} {at:%B %Y %H:%M:%S %Z}"
    )


def day(bizdate: str | date) -> str:
    """`12 Sep 2026`."""
    it = _date(bizdate)
    return f"{it.day} {it:%b} {it.year}"


def long_day(bizdate: str | date) -> str:
    """`Saturday 12 September 2026`."""
    it = _date(bizdate)
    return f"{it:%A} {it.day} {it:%B} {it.year}"


def days(first: str | date, last: str | date) -> str:
    """`1 August to 29 October 2026`; one day alone as it is."""
    a, b = _date(first), _date(last)
    if a == b:
        return f"{a.day} {a:%B} {a.year}"
    head = f"{a.day} {a:%B}" if a.year == b.year else f"{a.day} {a:%B} {a.year}"
    return f"{head} to {b.day} {b:%B} {b.year}"


def took(seconds: float | None) -> str:
    """`1h 04m`, `3m 20s`, `12s`, `0.4s`; a dash where it is not known."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f}s".replace(".0s", "s")
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3_600:
        return f"{whole // 60}m {whole % 60:02d}s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours}h {minutes:02d}m" if hours < 48 else f"{hours // 24}d {hours % 24}h"


def size(number: int) -> str:
    """`1.1 KB`, in steps of 1,000."""
    for power, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")):
        if number >= power:
            return f"{number / power:,.1f} {unit}"
    return f"{number} bytes" if number != 1 else "1 byte"


def middle_cut(name: str, most: int = _NAME) -> str:
    """A name of which both ends are seen: names differ there."""
    if len(name) <= most:
        return name
    head = (most - 1) * 2 // 3
    return f"{name[:head]}…{name[-(most - 1 - head) :]}"


def look(state: str, reason: str | None = None, by_hand: bool = False, is_held_up: bool = False) -> str:
    """The class of a state's cell.

    Args:
        reason: why an instance is in its state; what passed without running looks different.
        is_held_up: a failure keeps it from running.
    """
    if state == State.SUCCESSFUL and reason in _WITHOUT_RUNNING:
        return "dry"
    if state == State.SUCCESSFUL and (by_hand or reason == "set_successful"):
        return "hand"
    if state == State.NOT_RUN and is_held_up:
        return "blocked"
    return _LOOKS.get(state, "idle")


def state_words(state: str) -> str:
    """The words of the state of an instance (OPS-0)."""
    return "Held up" if state == HELD_UP else State(state).words


def backfill_words(status: str, held: str | None = None) -> str:
    """The words of a backfill's status (BF-5); `Running, paused` where what runs has not ended and nothing new starts."""
    words = _BACKFILL_WORDS.get(status, status.replace("_", " ").capitalize())
    return f"{words}, {held}" if held and status == "running" else words


class Segment(NamedTuple):
    """A part of a bar that is 1,000 wide."""

    look: str
    x: float
    width: float


_BAR_ORDER = (
    "successful",
    "running",
    "waiting_resources",
    "waiting_time",
    "failed",
    "frozen",
    HELD_UP,
    "not_run",
)
_LEAST_WIDTH = 4.0


def segments(counts: Mapping[str, int]) -> list[Segment]:
    """Instances by state as a bar: what is there is seen, however little it is of the whole."""
    present = [(state, counts[state]) for state in _BAR_ORDER if counts.get(state)]
    whole = sum(number for _, number in present)
    widths = [max(1_000 * number / whole, _LEAST_WIDTH) for _, number in present]
    scale, x, found = 1_000 / (sum(widths) or 1), 0.0, []
    for (state, _), width in zip(present, widths, strict=True):
        found.append(Segment(look(state), round(x, 1), round(width * scale, 1)))
        x += width * scale
    return found


def bar_words(counts: Mapping[str, int]) -> str:
    """What a bar says to who does not see it: `494 instances: 92 successful, 1 failed`."""
    whole = sum(counts.get(state, 0) for state in _BAR_ORDER)
    parts = [f"{counts[state]:,} {state_words(state).lower()}" for state in _BAR_ORDER if counts.get(state)]
    noun = "instance" if whole == 1 else "instances"
    return f"{whole:,} {noun}: {', '.join(parts)}" if parts else "no instances"


def part_of_address(text: object) -> str:
    """Something as one part of a path."""
    return quote(str(text), safe="")


def query(pairs: Mapping[str, object] | list[tuple[str, object]]) -> str:
    """`?a=1&b=2` of what is given: None and empty texts are left out, lists are several."""
    given = pairs.items() if isinstance(pairs, Mapping) else pairs
    flat: list[tuple[str, str]] = []
    for name, value in given:
        values = value if isinstance(value, (list, tuple)) else [value]
        flat += [(name, str(one)) for one in values if one is not None and one != ""]
    return f"?{urlencode(flat)}" if flat else ""


def _date(text: str | date) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)
