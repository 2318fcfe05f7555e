"""Estimates in words."""

from __future__ import annotations

from typing import Any

import pytest

from retrofill.cli.printing.estimates import end_of, expectation, outlook

ESTIMATE: dict[str, Any] = {
    "end_at": "2026-03-02T14:10:00.250Z", "seconds": 7800.25, "low_seconds": 6600, "high_seconds": 10800,
    "at_least_seconds": None, "unknown_tasks": [], "longest_task": "w.a", "longest_share": 0.4, "rivals": 0,
    "is_extrapolated": False,
}  # fmt: skip
UNKNOWN = {"end_at": None, "seconds": None, "low_seconds": None, "high_seconds": None}


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            {},
            [
                "expected to take about 2h 10m (1h 50m to 3h 00m), done by 2026-03-02T14:10:00Z",
                "  from earlier runs, if nothing fails and nothing else starts",
            ],
        ),
        (
            {
                "rivals": 1,
                "longest_share": 0.67,
                "is_extrapolated": True,
                "low_seconds": 7800,
                "high_seconds": 7800,
            },
            [
                "expected to take about 2h 10m, done by 2026-03-02T14:10:00Z",
                "  from earlier runs, if nothing fails and nothing else starts; counted in: 1 instance of others that "
                "hold or want its slots now; w.a has 67 % of the run time; extrapolated from the first bizdates",
            ],
        ),
        (
            {"unknown_tasks": ["w.b", "w.c"], "longest_task": None, **UNKNOWN},
            ["expected to take: unknown, no successful run yet of w.b, w.c"],
        ),
        (
            {"unknown_tasks": ["w.b"], "at_least_seconds": 4.25, **UNKNOWN},
            ["expected to take: unknown, no successful run yet of w.b; the others take at least 4.2s"],
        ),
        (UNKNOWN, ["expected to take: unknown, nothing can run as it stands"]),
        (
            {"seconds": 0, "low_seconds": 0, "high_seconds": 0, "longest_task": None},
            ["expected to take about 0.0s, done by 2026-03-02T14:10:00Z"],
        ),
    ],
    ids=["range", "details", "nothing known", "at least", "stuck", "nothing runs"],
)
def test_a_plan_says_what_to_expect(change: dict[str, Any], lines: list[str]) -> None:
    """BF-2: the range, what it rests on, what is counted in; unknown stays unknown."""
    assert expectation(ESTIMATE | change) == lines


def row(**more: Any) -> dict[str, Any]:
    return {
        "started_at": "2026-03-02T12:00:00Z", "ended_at": None, "took_seconds": None, "estimated_end_at": None,
        "first_estimate": ESTIMATE | {"off_percent": None},
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("percent", "words"), [(-12.4, "12 % too low"), (8.0, "8 % too high"), (0.4, "right"), (-0.4, "right")]
)
def test_an_ended_one_says_how_far_the_estimate_was_off(percent: float, words: str) -> None:
    """BF-2."""
    ended = row(took_seconds=7_380.0, first_estimate=ESTIMATE | {"off_percent": percent})
    assert outlook(ended) == [f"took 2h 03m; first estimate 2h 10m ({words})"]


def test_what_failed_is_not_scored() -> None:
    assert outlook(row(took_seconds=7_380.0)) == ["took 2h 03m"]


def test_a_running_one_says_when_it_will_end() -> None:
    expected = row(estimated_end_at="2026-03-02T14:05:00.123Z")
    assert outlook(expected) == ["expected to end 2026-03-02T14:05:00Z; first estimate 2h 10m"]
    assert outlook(row()) == ["first estimate 2h 10m"]
    assert outlook(row(first_estimate=None)) == []
    assert outlook(row(first_estimate=ESTIMATE | UNKNOWN | {"off_percent": None})) == []


def test_a_table_marks_an_end_that_is_only_expected() -> None:
    expected = "2026-03-02T14:05:00.123Z"
    assert end_of(row(estimated_end_at=expected)) == "~2026-03-02T14:05:00Z"
    assert end_of(row(ended_at=expected)) == "2026-03-02T14:05:00Z"
    assert end_of(row()) is None
