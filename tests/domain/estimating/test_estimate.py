"""When a backfill is expected to end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.catalogs import SELF, make_catalog, make_task
from domain.plans import plan_of
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup
from retrofill.domain.estimating.estimate import (
    Estimate,
    estimate,
    in_the_way,
    seconds_per_run,
    slots_for_backfills,
)
from retrofill.domain.estimating.run_times import RunTimes, summarise
from retrofill.domain.estimating.starting_point import Competitor, DateUnderWay, StartingPoint
from retrofill.domain.planning.plan import Plan, build
from retrofill.domain.planning.policy import AcrossGroups, Barrier
from retrofill.domain.selection.choice import Choice
from retrofill.domain.time.windows import parse_window

MINUTE = 60_000
NOW = round(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1000)
SLOTS = {"default": 4}


def times(**minutes: int | tuple[int, ...]) -> dict[str, RunTimes]:
    """Run times by task name: one length, or several that were measured."""
    found = {}
    for name, one in minutes.items():
        lengths = one if isinstance(one, tuple) else (one,)
        found[f"w.{name}"] = summarise([length * MINUTE for length in lengths])
    return found


def minutes(instant_ms: int | None) -> float | None:
    return None if instant_ms is None else (instant_ms - NOW) / MINUTE


def two_tasks(**more: Any) -> Catalog:
    return make_catalog(make_task("w.a", "0 1 * * *", **more), make_task("w.b", "0 2 * * *", "w.a"))


def test_the_plan_is_played_with_usual_fast_and_slow_runs() -> None:
    """BF-2: three dates of a, then b."""
    found = estimate(plan_of(two_tasks(), "2026-01-05..2026-01-07"), times(a=(8, 10, 12), b=5), NOW, SLOTS)
    assert found == Estimate(
        NOW,
        NOW,
        NOW + 45 * MINUTE,
        NOW + 39 * MINUTE,
        NOW + 51 * MINUTE,
        longest_task="w.a",
        longest_share=30 / 45,
    )


def test_the_load_is_that_of_the_group_that_is_held_longest() -> None:
    """BF-2: 3 runs of 10 minutes and 3 of 5 on two slots, a date after the other, of which each takes 15 minutes."""
    group = ResourceGroup("big", slots=3)
    first, other = (make_task(f"w.{name}", "0 1 * * *", resource_group="big") for name in "ab")
    catalog = make_catalog(first, other, make_task("w.c", "0 2 * * *", "w.a"), groups=(group,))
    plan = plan_of(catalog, "2026-01-05..2026-01-07")
    load = estimate(plan, times(a=10, b=5, c=5), NOW, {"default": 4, "big": 3}).load
    assert load is not None
    assert (load.resource_group, load.slots, load.peak, load.from_ms) == ("big", 3, 2, NOW)
    assert sum(load.used) * load.step_ms == pytest.approx(
        3 * 15 * MINUTE
    )  # no slot is held that nobody holds
    used = dict(zip(range(0, 45 * MINUTE, load.step_ms), load.used, strict=False))
    assert [used[next(at for at in used if at >= m * MINUTE)] for m in (0, 6, 12, 16)] == [2, 1, 0, 2]


def test_nothing_known_has_no_load() -> None:
    plan = plan_of(two_tasks(), "2026-01-05")
    assert estimate(plan, {}, NOW, SLOTS).load is None
    assert estimate(plan, times(a=0, b=0), NOW, SLOTS).load is None


def test_a_task_without_a_run_leaves_the_end_unknown() -> None:
    """BF-2: it says which, and how long the others take at least."""
    found = estimate(plan_of(two_tasks(), "2026-01-05..2026-01-07"), times(a=10), NOW, SLOTS)
    assert found.end_ms is found.low_ms is found.high_ms is None
    assert found.unknown_tasks == ("w.b",)
    assert minutes(found.least_ms) == 30


def test_nothing_known_is_nothing_said() -> None:
    found = estimate(plan_of(two_tasks(), "2026-01-05"), {}, NOW, SLOTS)
    assert found == Estimate(NOW, unknown_tasks=("w.a", "w.b"))


def test_what_runs_no_code_needs_no_history() -> None:
    """SEL-8: dry runs and off days take no time."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * MON", "w.a"))
    plan = plan_of(catalog, "2026-01-06")  # runs on a Wednesday
    assert minutes(estimate(plan, times(a=10), NOW, SLOTS).end_ms) == 10


def test_a_plan_in_which_nothing_can_run_has_no_end() -> None:
    catalog = two_tasks()
    plan = build(catalog, Choice(("w.a", "w.b")), plan_of(catalog, "2026-01-05").policy, frozen=["w.a"])
    found = estimate(plan, times(a=10, b=5), NOW, SLOTS)
    assert (found.first_ms, found.end_ms, found.least_ms, found.unknown_tasks) == (None, None, None, ())


def test_reserved_slots_are_not_for_backfills() -> None:
    """RUN-6."""
    catalog = make_catalog(groups=(ResourceGroup("default", slots=4, reserved_for_auto=1),))
    assert slots_for_backfills(catalog) == {"default": 3}


def test_auto_triggered_instances_sit_on_reserved_slots_first() -> None:
    """RUN-6: those that run before those that wait; what is beyond is in the way of backfills."""
    catalog = make_catalog(groups=(ResourceGroup("default", slots=4, reserved_for_auto=2),))
    waits, runs = (Competitor("w.x", "default", running, MINUTE, is_auto=True) for running in (False, True))
    other = Competitor("w.y", "default", True, MINUTE)
    assert in_the_way([waits, other, waits, runs], catalog) == (other, waits)
    assert in_the_way([waits, other], make_catalog()) == (other, waits)


def test_what_is_left_is_estimated_from_where_it_stands() -> None:
    """BF-2: the first date is done, on the second a has been running for four minutes."""
    standing = StartingPoint(
        frozenset({0}), {1: DateUnderWay((0, 1), (False, True), (False, False), (0, 0))}, {2: 4 * MINUTE}
    )
    plan = plan_of(two_tasks(), "2026-01-05..2026-01-07")
    found = estimate(plan, times(a=10, b=5), NOW, SLOTS, standing=standing)
    assert minutes(found.end_ms) == 6 + 5 + 15


def test_others_in_the_same_slots_are_reckoned_with() -> None:
    """RUN-1: those of other resource groups are not."""
    plan = plan_of(make_catalog(make_task("w.a", "0 1 * * *")), "2026-01-05")
    rivals = [Competitor("w.x", group, True, 7 * MINUTE) for group in ("default", "other")]
    found = estimate(plan, times(a=10), NOW, {"default": 1, "other": 1}, rivals=rivals)
    assert (minutes(found.end_ms), found.rivals) == (17, 1)


def test_what_queues_outside_our_window_is_gone_by_then() -> None:
    """POL-11."""
    plan = plan_of(
        make_catalog(make_task("w.a", "0 1 * * *")), "2026-01-05", window=parse_window("20:00-22:00", "UTC")
    )
    rival = Competitor("w.x", "default", False, 60 * MINUTE, priority=8)
    found = estimate(plan, times(a=10), NOW, {"default": 1}, rivals=[rival])
    assert (minutes(found.first_ms), minutes(found.end_ms), found.rivals) == (480, 490, 0)


def test_the_mean_run_of_a_plan() -> None:
    """VER-1: over all runs, and only when every task has run before."""
    catalog = make_catalog(make_task("w.a", "0 1,2,3 * * *"), make_task("w.b", "0 4 * * *"))
    plan = plan_of(catalog, "2026-01-05..2026-01-06")
    assert seconds_per_run(plan, times(a=1, b=5)) == 120
    assert seconds_per_run(plan, times(a=1)) is None


# A large plan


def _layers(count: int) -> Catalog:
    """Tasks that wait for two of those before them, one of them weekly, one upon itself."""
    tasks = []
    for i in range(count):
        waits: list[Any] = [f"w.t{j:02}" for j in {i // 2, i // 3} if j < i]
        tasks.append(
            make_task(
                f"w.t{i:02}", "0 2 * * MON" if i == 5 else "0 1 * * *", *waits, *([SELF] if i == 7 else [])
            )
        )
    return make_catalog(*tasks)


def _both(plan: Plan, slots: int) -> tuple[Estimate, Estimate]:
    """Played to the end, and from the first bizdates."""
    runs = {task.name: summarise([(i % 7 + 1) * MINUTE]) for i, task in enumerate(plan.tasks)}
    wholly = estimate(plan, runs, NOW, {"default": slots}, most=10**9)
    partly = estimate(plan, runs, NOW, {"default": slots}, most=plan.instance_count // 5)
    assert not wholly.is_extrapolated
    assert partly.is_extrapolated
    return wholly, partly


@pytest.mark.parametrize("slots", [2, 40])
@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"groups": 4},
        {"groups": 3, "across_groups": AcrossGroups.IGNORE},
        {"barrier": Barrier.TASK},
        {"groups": 2, "window": parse_window("22:00-04:00", "UTC")},
    ],
    ids=["one group", "four that wait", "three", "barrier task", "at night"],
)
def test_a_large_plan_is_estimated_from_its_first_bizdates(policy: dict[str, Any], slots: int) -> None:
    """BF-2: within a twentieth of what playing it to the end gives, in whatever shape."""
    plan = plan_of(_layers(20), "2025-01-06..2025-04-05", **policy)
    wholly, partly = _both(plan, slots)
    assert wholly.end_ms is not None
    assert partly.end_ms is not None
    assert abs(partly.end_ms - wholly.end_ms) <= (wholly.end_ms - NOW) / 20


def test_alike_dates_are_extrapolated_exactly() -> None:
    plan = plan_of(two_tasks(), "2025-01-01..2025-12-31", groups=1)
    found = estimate(plan, times(a=(8, 12), b=5), NOW, SLOTS, most=20)
    assert found.is_extrapolated
    assert [minutes(end) for end in (found.low_ms, found.end_ms, found.high_ms)] == [
        365 * 13,
        365 * 15,
        365 * 17,
    ]


def test_what_is_left_of_a_large_plan_is_extrapolated_too() -> None:
    plan = plan_of(two_tasks(), "2025-01-01..2025-12-31")
    found = estimate(
        plan, times(a=10, b=5), NOW, SLOTS, most=20, standing=StartingPoint(frozenset(range(100)))
    )
    assert found.is_extrapolated
    assert minutes(found.end_ms) == 265 * 15


def test_a_large_plan_does_not_end_before_its_last_date_comes() -> None:
    """POL-2: bizdates that lie ahead."""
    plan = plan_of(two_tasks(), "2025-12-01..2026-06-01")
    found = estimate(plan, times(a=10, b=5), NOW, SLOTS, most=20)
    assert found.end_ms is not None
    assert found.end_ms >= round(datetime(2026, 6, 2, 2, tzinfo=UTC).timestamp() * 1000)


def test_a_huge_plan_is_played_at_one_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast and slow ends follow from the proportion of their work."""
    monkeypatch.setattr("retrofill.domain.estimating.estimate.HUGE", 1)
    plan = plan_of(two_tasks(), "2025-01-01..2025-12-31")
    found = estimate(plan, times(a=(8, 12), b=(4, 6)), NOW, SLOTS, most=20)
    assert [minutes(end) for end in (found.low_ms, found.end_ms, found.high_ms)] == [
        365 * 12,
        365 * 15,
        365 * 18,
    ]


def test_a_task_valid_for_a_while_is_played_only_then() -> None:
    """TIME-4."""
    catalog = make_catalog(
        replace(make_task("w.a", "0 1 * * *"), valid_from=datetime(2026, 1, 7, tzinfo=UTC).date())
    )
    plan = plan_of(catalog, "2026-01-05..2026-01-07")
    assert minutes(estimate(plan, times(a=10), NOW, SLOTS).end_ms) == 20


@pytest.mark.parametrize("window", [None, parse_window("03:00-03:01", "UTC", weekends=True)])
def test_what_takes_longer_than_a_calendar_has_years_is_no_error(window: Any) -> None:
    catalog = make_catalog(*(make_task(f"w.t{i}", "0 1 * * *") for i in range(30)))
    plan = plan_of(catalog, "2020-01-01..2020-12-31", window=window)
    year = {task.name: summarise([365 * 24 * 60 * MINUTE]) for task in plan.tasks}
    found = estimate(plan, year, NOW, {"default": 1}, most=600)
    assert found.end_ms is not None
    assert datetime.fromtimestamp(found.end_ms / 1000, UTC).year >= 2800
