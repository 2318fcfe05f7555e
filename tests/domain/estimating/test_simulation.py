"""Playing a plan agrees with the scheduler's rules, written down slowly (reference_simulator.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import reference_planner, reference_simulator
from domain.catalogs import make_catalog, make_task, random_catalog, random_policy
from domain.plans import plan_of
from examples import examples
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup
from retrofill.domain.estimating.simulation import Played, Simulation
from retrofill.domain.estimating.starting_point import Competitor, DateUnderWay, StartingPoint
from retrofill.domain.planning.plan import Plan, build
from retrofill.domain.planning.policy import Barrier, Policy
from retrofill.domain.selection.choice import Choice, DryRunReason, NothingToRunError
from retrofill.domain.time.windows import NEVER, OpenTimes, Window, parse_window

MINUTE = 60_000
HOUR = 60 * MINUTE


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-03-02T12:00")


def play(plan: Plan, *minutes: int, now_ms: int = NOW, slots: int = 4, **more: object) -> Played:
    """Minutes per task, in order of their names."""
    last = [position for position in range(len(plan.dates)) if plan.next_in_group(position) is None]
    defaults: dict[str, object] = {"standing": StartingPoint(), "rivals": (), "stops": last}
    run_ms = [m * MINUTE for m in minutes]
    return Simulation(plan, run_ms, now_ms, {"default": slots}, **(defaults | more)).play()  # type: ignore[arg-type]


def test_a_chain_takes_the_sum_of_its_runs() -> None:
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    plan = plan_of(catalog, "2026-01-05..2026-01-07")
    assert play(plan, 10, 5) == Played(NOW, NOW + 45 * MINUTE)


def test_what_is_independent_shares_the_slots() -> None:
    """RUN-1: five runs on two slots take three turns."""
    catalog = make_catalog(*(make_task(f"w.{name}", "0 1 * * *") for name in "abcde"))
    plan = plan_of(catalog, "2026-01-05")
    assert play(plan, 10, 10, 10, 10, 10, slots=2).end_ms == NOW + 30 * MINUTE


def test_groups_run_beside_each_other() -> None:
    """POL-4, POL-6."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"))
    plan = plan_of(catalog, "2026-01-05..2026-01-08", groups=2)
    assert play(plan, 10).end_ms == NOW + 20 * MINUTE


def test_every_run_is_told_with_its_start_and_its_end() -> None:
    """BF-2: two chains beside each other, date by date; what runs already begins now."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    plan = plan_of(catalog, "2026-01-05..2026-01-08", groups=2)
    runs = play(plan, 10, 5).runs
    expected = {
        position * 2 + place: (minutes + 15 * (position % 2), length)
        for position in range(4)
        for place, minutes, length in ((0, 0, 10), (1, 10, 5))
    }
    assert {
        offset: ((start - NOW) // MINUTE, (end - start) // MINUTE) for offset, start, end in runs
    } == expected
    begun = {0: DateUnderWay((0, 1), (False, True), (False, False), (0, 0))}
    runs = play(plan, 10, 5, standing=StartingPoint(begun=begun, ages={0: 4 * MINUTE})).runs
    assert (0, NOW, NOW + 6 * MINUTE) in runs
    assert len(runs) == 8


def test_barrier_task_lets_dates_flow() -> None:
    """POL-6: a pipeline of two tasks over three dates takes four turns instead of six."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    plan = plan_of(catalog, "2026-01-05..2026-01-07", barrier=Barrier.TASK)
    assert play(plan, 10, 10).end_ms == NOW + 40 * MINUTE


def test_a_window_that_closes_puts_the_rest_off() -> None:
    """POL-11: what runs goes on; the next starts when it opens again."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"))
    plan = plan_of(catalog, "2026-01-05..2026-01-07", window=parse_window("20:00-22:00", "UTC"))
    # 20:00-21:30, 21:30-23:00, and the next evening 20:00-21:30
    assert play(plan, 90) == Played(ms("2026-03-02T20:00"), ms("2026-03-03T21:30"))


def test_a_bizdate_that_lies_ahead_waits_for_its_time() -> None:
    """POL-2."""
    catalog = make_catalog(make_task("w.a", "0 18 * * *"))
    assert play(plan_of(catalog, "2026-03-02"), 10).end_ms == ms("2026-03-03T18:10")
    assert play(plan_of(catalog, "2026-03-02", run_future=True), 10).end_ms == ms("2026-03-03T00:10")


def test_frozen_tasks_end_what_can_run() -> None:
    """OPS-6: what waits for them, and the next bizdate, never starts."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    plan = build(
        catalog, Choice(("w.a", "w.b")), plan_of(catalog, "2026-01-05..2026-01-09").policy, frozen=["w.b"]
    )
    assert play(plan, 10, 5).end_ms == NOW + 10 * MINUTE


def test_nothing_that_can_run_never_ends() -> None:
    catalog = make_catalog(make_task("w.a", "0 1 * * *"))
    plan = build(catalog, Choice(("w.a",)), plan_of(catalog, "2026-01-05").policy, frozen=["w.a"])
    assert play(plan, 10) == Played(NEVER, NEVER)


def test_others_hold_slots_and_go_first_by_priority() -> None:
    """RUN-1: a running one until it ends; a waiting one of a higher priority before us."""
    plan = plan_of(make_catalog(make_task("w.a", "0 1 * * *")), "2026-01-05")
    runs = Competitor("w.x", "default", is_running=True, left_ms=7 * MINUTE)
    waits = Competitor("w.x", "default", is_running=False, left_ms=5 * MINUTE, priority=8)
    later = Competitor("w.x", "default", is_running=False, left_ms=5 * MINUTE, priority=1, due_ms=NOW)
    assert play(plan, 10, slots=1, rivals=(runs, waits, later)) == Played(
        NOW + 12 * MINUTE, NOW + 22 * MINUTE
    )


def test_a_rival_of_the_same_task_counts_against_its_limit() -> None:
    """RUN-1: `max_parallel_instances` is of all backfills together."""
    plan = plan_of(make_catalog(make_task("w.a", "0 1 * * *", max_parallel_instances=1)), "2026-01-05")
    runs = Competitor("w.a", "default", is_running=True, left_ms=7 * MINUTE)
    assert play(plan, 10, rivals=(runs,)).end_ms == NOW + 17 * MINUTE


def test_what_runs_already_counts_from_its_start() -> None:
    """BF-2: one date is done, on the next a runs for four minutes."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    plan = plan_of(catalog, "2026-01-05..2026-01-07")
    begun = DateUnderWay((0, 1), (False, True), (False, False), (0, 0))
    standing = StartingPoint(frozenset({0}), {1: begun}, {2: 4 * MINUTE})
    assert play(plan, 10, 5, standing=standing) == Played(NOW, NOW + (6 + 5 + 15) * MINUTE)


def test_what_failed_holds_its_group_up() -> None:
    """POL-7: the rest of the date goes on, the next date does not come."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *"))
    plan = plan_of(catalog, "2026-01-05..2026-01-07")
    begun = DateUnderWay((0, 0), (False, True), (False, False), (0, 0))
    assert play(plan, 10, 5, standing=StartingPoint(begun={0: begun})).end_ms == NOW + 5 * MINUTE


def test_what_was_rerun_at_once_waits_for_nothing() -> None:
    """OPS-3: a waits for nothing though its date has not come, b after it likewise."""
    catalog = make_catalog(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    plan = plan_of(catalog, "2026-01-05")
    begun = DateUnderWay((0, 1), (True, True), (False, False), (0, 0), free=(0, 1))
    assert play(plan, 10, 5, standing=StartingPoint(begun={0: begun})).end_ms == NOW + 10 * MINUTE


def test_openings_of_a_window() -> None:
    """POL-11: time that counts, and time that does not."""
    openings = OpenTimes(Window(20 * 60, 22 * 60, "UTC"))
    assert openings.between(ms("2026-03-02T21:00"), ms("2026-03-04T21:00")) == 4 * HOUR
    openings = OpenTimes(Window(20 * 60, 22 * 60, "UTC"))
    assert openings.after(ms("2026-03-02T21:00"), 4 * HOUR) == ms("2026-03-04T21:00")
    assert OpenTimes(None).between(5, 12) == 7
    weekend = parse_window("23:00-01:00", "UTC", weekends=True)
    assert OpenTimes(weekend).between(NOW, NOW + 520 * 7 * 24 * HOUR) == 520 * 4 * HOUR
    assert OpenTimes(weekend).after(ms("2026-03-07T00:00"), 520 * 4 * HOUR) == ms("2036-02-18T01:00")


def test_nobody_looks_further_ahead_than_centuries() -> None:
    """A calendar ends in the year 9999."""
    for window in (None, parse_window("23:00-23:01", "UTC", weekends=True)):
        end = OpenTimes(window).after(NOW, 20_000 * 365 * 24 * HOUR)
        assert datetime.fromtimestamp(end / 1000, UTC).year in range(2200, 2240)


def test_without_a_window_it_is_always_open() -> None:
    assert OpenTimes(None).after(5, 7) == 12


def agree(chance: Random) -> None:
    catalog, policy = _random_resources(chance, random_catalog(chance)), random_policy(chance)
    policy = _random_times(chance, policy)
    names = sorted(
        chance.sample(list(catalog.tasks), chance.randint(max(1, len(catalog.tasks) - 2), len(catalog.tasks)))
    )
    dry = dict.fromkeys([n for n in names if chance.random() < 0.15], DryRunReason.BLACKLISTED)
    try:
        plan = build(catalog, Choice(tuple(names), dry), policy)
    except NothingToRunError:
        return
    now_ms = ms("2026-01-06T12:00") + chance.randint(-100, 100) * HOUR
    run_ms = {
        name: chance.choice([0, 1_000, 7 * MINUTE, 10 * MINUTE, 10 * MINUTE, 3 * HOUR]) for name in names
    }
    slots = {"default": chance.randint(1, 4), "other": chance.randint(1, 2)}
    planned = reference_planner.plan(catalog, set(names), dry, policy)
    expected = reference_simulator.play(catalog, planned, dry, policy, run_ms, now_ms, slots)
    last = [p for p in range(len(plan.dates)) if plan.next_in_group(p) is None]
    found = Simulation(plan, [run_ms[n] for n in names], now_ms, slots, StartingPoint(), (), last).play()
    assert found == Played(
        NEVER if expected.first_ms is None else expected.first_ms,
        NEVER if expected.end_ms is None else expected.end_ms,
    )


def _random_resources(chance: Random, catalog: Catalog) -> Catalog:
    tasks = {
        name: replace(
            task,
            resource_group=chance.choice(["default", "default", "other"]),
            priority=chance.choice([1, 3, 8]),
            max_parallel_instances=chance.choice([None, None, 1, 2]),
        )
        for name, task in catalog.tasks.items()
    }
    groups = {name: ResourceGroup(name) for name in ("default", "other")}
    return replace(catalog, tasks=tasks, resource_groups=groups)


def _random_times(chance: Random, policy: Policy) -> Policy:
    window = None
    if chance.random() < 0.4:
        start, end = chance.sample(range(0, 1440, 30), 2)
        window = Window(start, end, "UTC", chance.random() < 0.3)
    return replace(
        policy,
        window=window,
        run_future=chance.random() < 0.5,
        resource_group=chance.choice([None, None, "other"]),
    )


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**9))
def test_any_plan_ends_when_the_rules_say(seed: int) -> None:
    """BF-2, RUN-1, RUN-2, POL-2, POL-6, POL-11: against every instance looked at again at every moment."""
    agree(Random(seed))
