"""The regular schedule, bizdate by bizdate, on one view of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from retrofill.domain.running.states import WAITING, State
from retrofill.domain.time.milliseconds import shown_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.services.reading.documents import Counts, NightRow, Page
    from retrofill.services.reading.view import View


def nights(view: View, limit: int, before: str | None = None) -> Page[NightRow]:
    """Bizdates with auto triggered instances, newest first: how many, by state.

    Args:
        before: only those before this bizdate.
    """
    generations = view.reader.generations
    found = generations.bizdates(limit + 1, before)
    bizdates = found[:limit]
    return {"items": night_rows(view, bizdates), "next": bizdates[-1] if len(found) > limit else None}


def night_rows(view: View, bizdates: Sequence[str]) -> list[NightRow]:
    """These bizdates, of which the last is the oldest."""
    counts: dict[str, dict[str, int]] = {day: {state.value: 0 for state in State} for day in bizdates}
    ends: dict[str, int] = {}
    found = view.reader.generations.counts(bizdates[-1], bizdates[0]) if bizdates else ()
    for day, state, count, last_ms in found:
        shown = State.NOT_RUN if view.schedule_is_held and state in WAITING else state
        counts[day][shown] += count
        ends[day] = max(ends.get(day, 0), last_ms or 0)
    return [
        {
            "bizdate": day,
            "instance_count": sum(counts[day].values()),
            "counts": cast("Counts", counts[day]),
            "ended_at": shown_instant(ends.get(day) or None),
        }
        for day in bizdates
    ]
