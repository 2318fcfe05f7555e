"""Words for people: counts with their nouns, lists of names, lengths of time."""

from __future__ import annotations

from collections.abc import Collection

_NAMES_IN_SENTENCE = 10


def names(of: Collection[str]) -> str:
    """The first ten, and how many more."""
    shown = ", ".join(list(of)[:_NAMES_IN_SENTENCE])
    rest = len(of) - _NAMES_IN_SENTENCE
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def many(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """In the largest unit of which there are two."""
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * length:
            return many(round(seconds / length), unit)
    return many(max(round(seconds), 1), "second")
