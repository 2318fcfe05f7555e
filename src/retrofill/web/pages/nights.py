"""The last nights as a strip: when each was complete, and of which something failed or waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from retrofill.web import looks

if TYPE_CHECKING:
    from retrofill.services.reading.documents import NightRow

WIDTH, HEIGHT = 312, 128
_LEFT, _TOP, _BOTTOM = 40, 16, 104
_MOST_MINUTES = 36 * 60  # after the midnight at which its bizdate is over


class Mark(NamedTuple):
    """A night: where it stands, how it looks, what is said of it."""

    x: float
    y: float
    look: str
    bizdate: str
    day: str
    is_weekend: bool
    words: str


class Line(NamedTuple):
    """A full hour."""

    y: float
    label: str


@dataclass(frozen=True)
class NightStrip:
    """All of it.

    Attributes:
        first, last: bizdates.
        words: the same as a sentence.
    """

    marks: Sequence[Mark]
    lines: Sequence[Line]
    first: str
    last: str
    words: str
    width: int = WIDTH
    height: int = HEIGHT


def night_strip(nights: Sequence[NightRow], zone: ZoneInfo) -> NightStrip | None:
    """Of nights, newest first; None where there was none."""
    if not nights:
        return None
    minutes = {night["bizdate"]: _minutes(night, zone) for night in nights}
    known = [one for one in minutes.values() if one is not None]
    low, high = (min(known) // 60 * 60, -(-max(known) // 60) * 60) if known else (0, 60)
    if high == low:
        high += 60
    step = (WIDTH - _LEFT) / len(nights)

    def height_of(minute: int | None) -> float:
        return (
            _BOTTOM
            if minute is None
            else round(_BOTTOM - (minute - low) / (high - low) * (_BOTTOM - _TOP), 1)
        )

    marks = []
    for place, night in enumerate(reversed(nights)):
        day = date.fromisoformat(night["bizdate"])
        x = round(_LEFT + step * (place + 0.5), 1)
        marks.append(
            Mark(
                x,
                height_of(minutes[night["bizdate"]]),
                look_of(night),
                night["bizdate"],
                str(day.day),
                day.weekday() >= 5,
                f"{looks.day(day)}: {words_of(night, zone)}",
            )
        )
    hours = range(low, high + 1, max(60, (high - low) // 3 // 60 * 60))
    return NightStrip(
        marks,
        [Line(height_of(hour), f"{hour // 60 % 24:02d}:00") for hour in hours],
        nights[-1]["bizdate"],
        nights[0]["bizdate"],
        "; ".join(mark.words for mark in marks),
    )


def look_of(night: NightRow) -> str:
    """The class of its cell: what tells most of it."""
    counts = night["counts"]
    if counts["failed"]:
        return "fail"
    if counts["running"] or counts["waiting_resources"] or counts["waiting_time"]:
        return "run" if counts["running"] else "wait"
    if counts["frozen"] and counts["not_run"]:
        return "frozen"
    return "ok" if counts["successful"] == night["instance_count"] else "idle"


def words_of(night: NightRow, zone: ZoneInfo) -> str:
    """`362 instances, complete at 05:41`."""
    counts, total = night["counts"], night["instance_count"]
    noun = "instance" if total == 1 else "instances"
    if counts["successful"] == total and night["ended_at"] is not None:
        return f"{total:,} {noun}, complete at {datetime.fromisoformat(night['ended_at']).astimezone(zone):%H:%M}"
    parts = [(counts["failed"], "failed"), (counts["frozen"], "frozen"), (counts["running"], "running")]
    said = [f"{number:,} {word}" for number, word in parts if number]
    left = total - counts["successful"] - sum(number for number, _ in parts)
    if left:
        said.append(f"{left:,} not run")
    return f"{total:,} {noun}, {', '.join(said)}"


def _minutes(night: NightRow, zone: ZoneInfo) -> int | None:
    """When it was complete, or the last of it has ended: minutes after the midnight that ends its bizdate."""
    if night["ended_at"] is None:
        return None
    midnight = datetime.combine(
        date.fromisoformat(night["bizdate"]) + timedelta(days=1), datetime.min.time(), zone
    )
    passed = (datetime.fromisoformat(night["ended_at"]) - midnight).total_seconds() / 60
    return int(min(max(passed, 0), _MOST_MINUTES))
