"""The real services in a seeded world; `make sim` plays more seeds.

Crashes between commit and act, ends that are lost or told twice, starts that never happen,
and people who backfill, operate, deploy and turn the clock: after every step the invariants
of `watch.py` hold, and in the end everything has succeeded.
"""

from __future__ import annotations

import pytest

from databases import postgres
from simulation.histories import Scale
from simulation.run import play


@pytest.mark.parametrize("seed", range(3))
def test_a_fortnight(seed: int) -> None:
    """RUN-1, RUN-3, RUN-5, RUN-6, POL-6, AUTO-1, AUTO-3, BF-5: whatever happens."""
    play(seed, Scale())


@pytest.mark.slow
def test_a_fortnight_on_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """POL-13, RUN-1: the same history on the other store."""
    monkeypatch.setenv("STORE", "postgresql")
    postgres.server()
    play(1, Scale())


@pytest.mark.slow
def test_half_a_year() -> None:
    """AUTO-1..3: 20 tasks, 182 nights, each made once, all that can run has run. `make sim RUNS=1 DAYS=365` plays a year."""
    play(1, Scale(tasks=20, days=182, actions_per_day=1.0, hourly=0.0))
