"""How long a task usually runs, from its latest successful runs. Lengths are milliseconds.

The usual time is the mean, not the median: the length of a backfill is a sum of many runs,
and run times have a long upper tail, of which a sum of medians knows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

KEPT = 32  # latest runs of a task that are remembered
_ENOUGH = 10  # runs from which on the fastest and the slowest are left out of the spread


@dataclass(frozen=True, slots=True)
class RunTimes:
    """The run times of one task: a fast run, the usual one, a slow one."""

    low_ms: int
    usual_ms: int
    high_ms: int
    median_ms: int
    runs: int


def summarise(recent: Sequence[int]) -> RunTimes:
    """Mean, median and spread of at least one run time.

    The spread goes from the 10 % to the 90 % quantile; of fewer than ten runs from the
    fastest to the slowest.
    """
    ordered = sorted(recent)
    usual = round(sum(ordered) / len(ordered))
    low, high = ordered[0], ordered[-1]
    if len(ordered) >= _ENOUGH:
        low, high = quantile(ordered, 0.1), quantile(ordered, 0.9)
    # One slow run among many lifts the mean above the quantile.
    return RunTimes(min(low, usual), usual, max(high, usual), quantile(ordered, 0.5), len(ordered))


def quantile(ordered: Sequence[int], share: float) -> int:
    """The value below which the share of ascending values lies, between its neighbours by their distance."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


def remember(recent: Sequence[int], new: Sequence[int]) -> list[int]:
    """The latest runs, oldest first, after new ones have ended."""
    return [*recent, *new][-KEPT:]
