"""The regular schedule, bizdate by bizdate, on one view of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from retrofill.domain.running.states import WAITING, State

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Counts, NightRow
    from retrofill.services.reading.view import View


def nights(view: View, limit: int = -1) -> list[NightRow]:
    """Bizdates with auto triggered instances, newest first: how many, by state.

    Args:
        limit: -1 for all.
    """
    generations = view.reader.generations
    bizdates = generations.bizdates(limit)
    counts: dict[str, dict[str, int]] = {day: {state.value: 0 for state in State} for day in bizdates}
    for day, state, count in generations.counts(bizdates[-1], bizdates[0]) if bizdates else ():
        shown = State.NOT_RUN if view.schedule_is_held and state in WAITING else state
        counts[day][shown] += count
    return [
        {
            "bizdate": day,
            "instance_count": sum(counts[day].values()),
            "counts": cast("Counts", counts[day]),
        }
        for day in bizdates
    ]
