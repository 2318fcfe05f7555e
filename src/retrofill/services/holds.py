"""Which backfills may start nothing now, and when that may change by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from retrofill.domain.policy import Policy
from retrofill.services.records import BackfillRecord
from retrofill.services.times import ms_of


@dataclass(frozen=True, slots=True)
class Holds:
    """Ids of backfills of which nothing may start, and nothing may even pass (RUN-2)."""

    starting: tuple[int, ...]
    passing: tuple[int, ...]
    closed: frozenset[int]  # only their window is closed
    next_ms: int | None  # when a window opens or closes next


def holds_of(backfills: Iterable[BackfillRecord], creating: Iterable[int], now: datetime) -> Holds:
    """Paused and stopped backfills, those being created, and those outside their window (POL-11)."""
    held = set(creating)
    closed = set()
    moments = []
    for record in backfills:
        if record.paused or record.stopped:
            held.add(record.id)
        if '"window": null' in record.policy:
            continue  # the common case, without decoding the policy on every tick
        policy = Policy.from_json(json.loads(record.policy))
        if policy.window is None:
            continue
        if not policy.window.is_open(now):
            closed.add(record.id)
            moments.append(ms_of(policy.window.next_open(now)))
    return Holds(
        tuple(sorted(held | closed)),
        tuple(sorted(held)),
        frozenset(closed),
        min(moments) if moments else None,
    )
