"""A backfill as a row of a list: what its document says, in the words and figures of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retrofill.web import looks
from retrofill.web.words import short_moment

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillRow

_ENDED = ("succeeded", "failed", "stopped")


@dataclass(frozen=True)
class ShownBackfill:
    """What a row shows.

    Attributes:
        look, word: of its status.
        nothing: why it has no instances; empty where it has.
        percent: of its instances that are successful, never 100 before all are.
        failed: instances; `held`: how many are not to go on by themselves, where nothing is.
        dates: its bizdates, in short; `date_count`: how many.
        ends: when it has ended, or is expected to; `is_expected`: the latter.
        estimate_was: how far off the first estimate was; empty where that is not known.
    """

    id: int
    name: str
    status: str
    look: str
    word: str
    check: str
    counts: Mapping[str, int]
    total: int
    done: int
    percent: int
    failed: int
    nothing: str
    tasks: int
    dates: str
    date_count: int
    created_by: str
    created: str
    started: str
    ends: str
    is_expected: bool
    took: float | None
    estimate_was: str
    is_thin: bool


def shown_backfill(row: BackfillRow, zone: ZoneInfo, now: datetime) -> ShownBackfill:
    """The row of a document, with moments of a zone."""
    counts: Mapping[str, int] = row["counts"]  # type: ignore[assignment]
    total, done = sum(counts.values()), counts["successful"]
    ended, expected = row["ended_at"], row["estimated_end_at"]
    return ShownBackfill(
        id=row["id"],
        name=row["name"],
        status=row["status"],
        look=looks.look(row["status"]),
        word=looks.backfill_words(row["status"], row["held"]),
        check=row["check_status"],
        counts=counts,
        total=total,
        done=done,
        percent=100 if done == total else min(99, 100 * done // (total or 1)),
        failed=counts["failed"],
        nothing="" if total else _nothing(row),
        tasks=row["task_count"],
        dates=_dates(row["bizdates"], now.astimezone(zone).year),
        date_count=len(row["bizdates"]),
        created_by=row["created_by"],
        created=short_moment(row["created_at"], zone, now),
        started="" if row["started_at"] is None else short_moment(row["started_at"], zone, now),
        ends=_ends(ended or expected, zone, now),
        is_expected=ended is None and expected is not None,
        took=row["took_seconds"],
        estimate_was=_estimate_was(row),
        is_thin=row["status"] in _ENDED and not counts["failed"],
    )


def _ends(iso: str | None, zone: ZoneInfo, now: datetime) -> str:
    return "" if iso is None else short_moment(iso, zone, now)


def _nothing(row: BackfillRow) -> str:
    if row["check_status"] == "failed":
        return "nothing was created"
    return "being checked" if row["check_status"] == "checking" else "its instances are made later"


def _estimate_was(row: BackfillRow) -> str:
    first = row["first_estimate"]
    off = None if first is None else first["off_percent"]
    if off is None:
        return ""
    if abs(off) < 1:
        return "right"
    return f"{abs(off):.0f}% too {'long' if off > 0 else 'short'}"


def _dates(bizdates: Sequence[str], year: int) -> str:
    """`1 Aug – 29 Oct 26`, the year where it is another one."""
    if not bizdates:
        return ""
    first, last = date.fromisoformat(min(bizdates)), date.fromisoformat(max(bizdates))
    end = f"{last.day} {last:%b}" + ("" if last.year == year else f" {last.year}")
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} – {end}"
    begin = f"{first.day} {first:%b}" + ("" if first.year == last.year else f" {first.year}")
    return f"{begin} – {end}"
