"""What happens by itself during the next day: ends that are expected, windows that open, starts, nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from retrofill.domain.time.milliseconds import instant_of, ms_of, shown_instant
from retrofill.services.instances.stored import window_of
from retrofill.services.reading.needs import DAY_MS

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord
    from retrofill.services.reading.documents import BackfillRow, Coming
    from retrofill.services.reading.view import View

_MOST = 12


def coming(
    view: View,
    pairs: Sequence[tuple[BackfillRecord, BackfillRow]],
    night: tuple[str, datetime] | None,
) -> list[Coming]:
    """The next ones, the earliest first.

    Args:
        pairs: backfills that have not ended, as the ledger and as lists show them.
        night: the bizdate of which instances are made next, and when.
    """
    now, until = instant_of(view.now_ms), shown_instant(view.now_ms + DAY_MS)
    found = [one for record, row in pairs for one in _of_backfill(record, row, now)]
    if night is not None:
        found.append({**_NOTHING, "at": _shown(night[1]), "kind": "night", "bizdate": night[0]})
    found.sort(key=lambda one: (one["at"], one["backfill"] or 0))
    return [one for one in found if one["at"] <= until][:_MOST]


def _of_backfill(record: BackfillRecord, row: BackfillRow, now: datetime) -> Iterator[Coming]:
    if record.paused or record.stopped:
        return
    counts = row["counts"]
    own: Coming = {
        **_NOTHING,
        "backfill": record.id,
        "name": row["name"],
        "left": row["instance_count"] - counts["successful"] - counts["failed"],
        "held_up": counts["failed"] + counts["frozen"] > 0,
    }
    window = window_of(record)
    if window is not None and not window.is_open(now):
        opens, closes = window.next_open(now), window.next_close(now)
        yield {**own, "at": _shown(opens), "until": _shown(closes), "kind": "window"}
    if record.phase == "planned" and record.start_ms is not None and record.start_ms > ms_of(now):
        yield {**own, "at": shown_instant(record.start_ms), "kind": "start"}
    if row["estimated_end_at"] is not None:
        yield {**own, "at": row["estimated_end_at"], "kind": "end"}


def _shown(at: datetime) -> str:
    return shown_instant(ms_of(at))


_NOTHING: Coming = {
    "at": "",
    "until": None,
    "kind": "",
    "backfill": None,
    "name": None,
    "bizdate": None,
    "left": None,
    "held_up": False,
}
