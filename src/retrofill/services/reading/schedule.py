"""The regular schedule, bizdate by bizdate, on one view of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from retrofill.domain.running.states import WAITING, State

if TYPE_CHECKING:
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
    counts: dict[str, dict[str, int]] = {day: {state.value: 0 for state in State} for day in bizdates}
    for day, state, count in generations.counts(bizdates[-1], bizdates[0]) if bizdates else ():
        shown = State.NOT_RUN if view.schedule_is_held and state in WAITING else state
        counts[day][shown] += count
    rows: list[NightRow] = [
        {
            "bizdate": day,
            "instance_count": sum(counts[day].values()),
            "counts": cast("Counts", counts[day]),
        }
        for day in bizdates
    ]
    return {"items": rows, "next": bizdates[-1] if len(found) > limit else None}
