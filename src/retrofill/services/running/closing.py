"""Ends of runs, written down: those that were open under the token of their end (RUN-3)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.running.outcomes import Outcome
from retrofill.services.ports.records import EndOfRun

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger, RunEnd
    from retrofill.services.running.slots import RunningInstance, Slots


class ClosedRun(NamedTuple):
    """A run that was open, its instance as it ran, and when it ended."""

    end: RunEnd
    running: RunningInstance
    ended_ms: int


def close_runs(tx: Ledger, slots: Slots, ends: Iterable[RunEnd], now_ms: int) -> list[ClosedRun]:
    """Close them all at once. An end under another token is of a run that the ledger has forgotten, and left out.

    What never started is removed, so that its number can start again.
    """
    found = [
        ClosedRun(end, running, _ended_ms(end, running, now_ms))
        for end in ends
        if (running := slots.find(end.ref.instance_id)) is not None
    ]
    ran = [one for one in found if one.end.outcome != Outcome.NOT_STARTED]
    are_over = tx.end_runs([_written(one) for one in ran])
    never = [one for one in found if one.end.outcome == Outcome.NOT_STARTED and _forget(tx, one.end)]
    return [*never, *compress(ran, are_over)]


def _ended_ms(end: RunEnd, running: RunningInstance, now_ms: int) -> int:
    """It may have ended while no scheduler ran, and the clock may have gone back since it began."""
    return max(round(end.ended_at * 1000) if end.ended_at else now_ms, running.started_ms)


def _written(closed: ClosedRun) -> EndOfRun:
    end, ref = closed.end, closed.end.ref
    how = (end.outcome, end.exit_code, end.message or None)
    return EndOfRun(ref.instance_id, ref.run_number, ref.token, closed.ended_ms, *how)


def _forget(tx: Ledger, end: RunEnd) -> bool:
    return tx.forget_run(end.ref.instance_id, end.ref.run_number, end.ref.token)
