"""Which backfills may start nothing now, and when that may change by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from retrofill.domain.time.milliseconds import ms_of
from retrofill.services.instances.stored import window_of
from retrofill.services.ports.records import BackfillRecord, OpenBackfill


@dataclass(frozen=True, slots=True)
class HeldBackfills:
    """Ids of backfills of which nothing may start, and nothing may even pass (RUN-2)."""

    may_not_start: tuple[int, ...]
    may_not_pass: tuple[int, ...]
    window_closed: frozenset[int]  # only their window is closed
    next_ms: int | None  # when a window opens next
    has_windows: bool = False


def holds_of(backfills: Iterable[OpenBackfill | BackfillRecord], now: datetime) -> HeldBackfills:
    """Paused and stopped backfills, those being created or deleted, and those outside their window (POL-11)."""
    held = set()
    closed = set()
    moments = []
    has_windows = False
    for record in backfills:
        if record.paused or record.stopped or record.phase in ("creating", "expired"):
            held.add(record.id)
        window = window_of(record)
        has_windows = has_windows or window is not None
        if window is not None and not window.is_open(now):
            closed.add(record.id)
            if record.id not in held:  # else its opening lets nothing start
                moments.append(ms_of(window.next_open(now)))
    next_ms = min(moments, default=None)
    return HeldBackfills(
        tuple(sorted(held | closed)), tuple(sorted(held)), frozenset(closed), next_ms, has_windows
    )
