"""Random catalogs, policies and histories: whatever people do and however runs end, the rules hold.

What is checked after every step stands in `histories`. At the end everything that can succeed has succeeded.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples import examples
from services.running.histories import History


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.integers(0, 10**9))
def test_random_histories(seed: int) -> None:
    """RUN-1, POL-6, POL-7, POL-9, OPS-0, OPS-1..6, BF-5: in any order."""
    """RUN-1, POL-6, POL-7, POL-11, OPS-0, OPS-1..6, BF-3, BF-5: in any order."""
    chance = Random(seed)
    with TemporaryDirectory() as directory:
        history = History(Path(directory), chance)
        try:
            if not history.create():
                return
            for _ in range(25):
                history.step()
            isolated = [
                row for row in history.world.rows(history.backfill).values() if row.reason == "isolated"
            ]
            if isolated:
                return
            history.mend()
            assert history.world.status(history.backfill) == "succeeded"
        finally:
            history.world.close()
