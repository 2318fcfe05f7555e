"""What is made of a task's latest run times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.estimating.run_times import KEPT, quantile, remember, summarise


def test_one_run_is_all_that_is_known() -> None:
    """BF-2."""
    times = summarise([7])
    assert (times.low_ms, times.usual_ms, times.median_ms, times.high_ms, times.runs) == (7, 7, 7, 7, 1)


def test_of_few_runs_the_spread_is_all_of_them() -> None:
    times = summarise([30, 10, 20, 100])
    assert (times.low_ms, times.usual_ms, times.median_ms, times.high_ms) == (10, 40, 25, 100)


def test_of_many_runs_the_tenths_at_both_ends_are_left_out() -> None:
    times = summarise([*range(0, 101, 10)])
    assert (times.low_ms, times.usual_ms, times.median_ms, times.high_ms) == (10, 50, 50, 90)


def test_an_outlier_counts_in_the_mean_and_the_spread_reaches_it() -> None:
    """A sum of runs has its share of slow ones; the usual time never lies outside the spread."""
    times = summarise([10] * 19 + [1_010])
    assert (times.low_ms, times.median_ms, times.usual_ms, times.high_ms) == (10, 10, 60, 60)


def test_quantiles_lie_between_neighbours() -> None:
    assert [quantile([10, 20], share) for share in (0, 0.1, 0.5, 1)] == [10, 11, 15, 20]


def test_only_the_latest_runs_are_remembered() -> None:
    assert remember([1, 2], [3]) == [1, 2, 3]
    assert remember(range(KEPT), [77, 78]) == [*range(2, KEPT), 77, 78]
    assert remember([], range(KEPT + 5)) == [*range(5, KEPT + 5)]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=KEPT))
def test_a_spread_holds_the_usual_time(recent: list[int]) -> None:
    times = summarise(recent)
    assert min(recent) <= times.low_ms <= times.usual_ms <= times.high_ms <= max(recent)
    assert min(recent) <= times.median_ms <= max(recent)
