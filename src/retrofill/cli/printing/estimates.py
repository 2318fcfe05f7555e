"""Estimates in words: what to expect of a plan, of a running backfill, and how far off it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrofill.cli.printing.progress import duration
from retrofill.domain.words import many, names

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillRow, Estimate

_SHARE = 0.5  # of all run time, from which on a single task is worth naming
_SHORT = 9.95  # seconds
_EXACT = 0.5  # percent that are not worth a word


def expectation(estimate: Estimate) -> list[str]:
    """Lines about a plan."""
    unknown, seconds = estimate["unknown_tasks"], estimate["seconds"]
    if unknown:
        least = estimate["at_least_seconds"]
        rest = f"; the others take at least {_length(least)}" if least else ""
        return [f"expected to take: unknown, no successful run yet of {names(unknown)}{rest}"]
    if seconds is None:
        return ["expected to take: unknown, nothing can run as it stands"]
    lines = [f"expected to take {_about(estimate)}, done by {to_seconds(estimate['end_at'])}"]
    if estimate["longest_task"] is not None:
        lines.append(f"  from earlier runs, if nothing fails and nothing else starts{_details(estimate)}")
    return lines


def _details(estimate: Estimate) -> str:
    details = ""
    if estimate["rivals"]:
        details += (
            f"; counted in: {many(estimate['rivals'], 'instance')} of others that hold or want its slots now"
        )
    if estimate["longest_share"] >= _SHARE and estimate["longest_share"] < 1:
        share = round(estimate["longest_share"] * 100)
        details += f"; {estimate['longest_task']} has {share} % of the run time"
    if estimate["is_extrapolated"]:
        details += "; extrapolated from the first bizdates"
    return details


def outlook(row: BackfillRow) -> list[str]:
    """Lines about a backfill: the end that is expected now, or how long it took."""
    first = row["first_estimate"]
    estimated, off = "", None
    if first is not None and first["seconds"] is not None:
        estimated, off = f"first estimate {_about(first, short=True)}", first["off_percent"]
    if row["took_seconds"] is not None:
        score = f"; {estimated} ({_off(off)})" if off is not None else ""
        return [f"took {_length(row['took_seconds'])}{score}"]
    expected = []
    if row["estimated_end_at"] is not None:
        expected.append(f"expected to end {to_seconds(row['estimated_end_at'])}")
    if estimated:
        expected.append(estimated)
    return ["; ".join(expected)] if expected else []


def end_of(row: BackfillRow) -> str | None:
    """For tables: when it ended, or when it is expected to, with a mark."""
    if row["ended_at"] or not row["estimated_end_at"]:
        return to_seconds(row["ended_at"])
    return f"~{to_seconds(row['estimated_end_at'])}"


def to_seconds(instant: str | None) -> str | None:
    """An instant without its fraction."""
    return re.sub(r"\.[0-9]+Z$", "Z", instant) if instant else None


def _off(percent: float) -> str:
    if abs(percent) < _EXACT:
        return "right"
    return f"{abs(percent):.0f} % too {'high' if percent > 0 else 'low'}"


def _about(estimate: Estimate, short: bool = False) -> str:
    """`about 2h 10m (1h 50m to 3h 00m)`; without the spread where there is none."""
    low, usual, high = (_length(estimate[key] or 0) for key in ("low_seconds", "seconds", "high_seconds"))
    spread = "" if short or low == high else f" ({low} to {high})"
    return f"{usual}{spread}" if short else f"about {usual}{spread}"


def _length(seconds: float) -> str:
    """Below ten seconds with a tenth: `0.4s`."""
    return f"{seconds:.1f}s" if seconds < _SHORT else duration(seconds)
