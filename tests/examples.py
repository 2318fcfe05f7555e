"""How many random examples a property is tried with: all in `make test`, a part of them in `make check`.

Hypothesis's profile says which: `--hypothesis-profile all`, or `some`, which is the default.
"""

from __future__ import annotations

from hypothesis import settings

_PART = 4


def examples(full: int) -> int:
    """So many where everything is tried, else a fourth."""
    return full if settings.get_current_profile_name() == "all" else -(-full // _PART)


def register() -> None:
    """Let the command line choose; properties that name no number are tried with 100 examples, or 25.

    No example has a deadline: how fast a machine is proves nothing.
    """
    settings.register_profile("all", settings.default, max_examples=100, deadline=None)
    settings.register_profile("some", settings.default, max_examples=100 // _PART, deadline=None)
    settings.load_profile("some")
