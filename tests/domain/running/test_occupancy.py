"""How many ran at the same time, against counting moment by moment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.running.occupancy import in_use

MOMENTS = st.integers(-20, 120)


def test_a_run_counts_for_as_much_of_a_step_as_it_runs() -> None:
    assert in_use([(0, 10), (5, 10), (15, None)], 0, 40, 4) == [1.5, 0.5, 1.0, 1.0]
    assert in_use([(-50, -1), (50, 60)], 0, 40, 4) == [0.0, 0.0, 0.0, 0.0]


@given(st.lists(st.tuples(MOMENTS, st.none() | MOMENTS)))
def test_as_counted_moment_by_moment(spans: list[tuple[int, int | None]]) -> None:
    """RUN-1: each millisecond by itself."""
    counted = [
        sum(began <= at < (100 if ended is None else ended) for began, ended in spans) for at in range(100)
    ]
    means = [sum(counted[n : n + 20]) / 20 for n in range(0, 100, 20)]
    assert in_use(spans, 0, 100, 5) == pytest.approx(means, abs=0.006)
