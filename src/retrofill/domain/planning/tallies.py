"""How many instances really run, and what the others are, in words (VER-1); light to import."""

from __future__ import annotations

from collections.abc import Mapping

from retrofill.domain.words import many

# In the order of `layout.Kind`.
KINDS = ("runs", "dry_runs", "off_days", "virtual", "frozen")


def kinds_in_words(kinds: Mapping[str, int]) -> str:
    """`3 really run, 4 off days, 7 dry runs`; empty where all of them run."""
    if not any(count for word, count in kinds.items() if word != "runs"):
        return ""
    words = {
        "runs": runs_in_words(kinds["runs"]),
        "off_days": many(kinds["off_days"], "off day"),
        "dry_runs": many(kinds["dry_runs"], "dry run"),
        "virtual": f"{kinds['virtual']:,} virtual",
        "frozen": f"{kinds['frozen']:,} frozen",
    }
    return ", ".join(text for word, text in words.items() if kinds[word] or word == "runs")


def runs_in_words(count: int) -> str:
    """`1 really runs`, `3 really run`."""
    return f"{count:,} really run{'s' if count == 1 else ''}"
