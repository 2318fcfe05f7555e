"""Plans agree with the rules, written down slowly (tests/domain/reference_planner.py)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import reference_planner
from domain.catalogs import CHILDREN, SELF, make_catalog, make_task, previous, random_catalog, random_policy
from domain.plans import instances_of, plan_of
from examples import examples
from retrofill.domain.catalog.definitions import RunMode, Workspace
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.planning import options
from retrofill.domain.planning.overrides import check_secrets
from retrofill.domain.planning.plan import Kind, Plan, build
from retrofill.domain.planning.policy import AcrossGroups, Order, OverrideError, Policy
from retrofill.domain.planning.size import TooManyInstancesError
from retrofill.domain.planning.template import Template
from retrofill.domain.selection.choice import Choice, DryRunReason, NothingToRunError
from retrofill.domain.time.bizdates import parse_range
from retrofill.domain.time.windows import parse_time_range
from retrofill.domain.verification.verify import verify
from work import calls


def random_choice(chance: Random, names: list[str]) -> Choice:
    taking_part = sorted(chance.sample(names, chance.randint(max(1, len(names) - 2), len(names))))
    dry = [name for name in taking_part if chance.random() < 0.15]
    return Choice(tuple(taking_part), dict.fromkeys(dry, DryRunReason.BLACKLISTED))


def agree(chance: Random) -> None:
    """Compare everything that a plan says about its instances with the reference."""
    catalog, policy = random_catalog(chance), random_policy(chance)
    choice = random_choice(chance, list(catalog.tasks))
    expected = reference_planner.plan(catalog, set(choice.tasks), choice.dry_runs, policy)
    try:
        plan = build(catalog, choice, policy)
    except NothingToRunError:
        assert all(name in choice.dry_runs for name, _, _ in expected.waits)
        return
    by_offset = instances_of(plan)
    offset_of = {instance: offset for offset, instance in by_offset.items()}
    assert plan.instance_count == len(by_offset)
    assert set(offset_of) == set(expected.waits)
    assert [list(group) for group in plan.groups] == expected.groups
    for bizdate, count in plan.by_bizdate.items():
        assert count == sum(1 for _, d, _ in expected.waits if d == bizdate)
    edges = []
    dates = range(len(plan.dates))
    kinds = [plan.kinds(i).tolist() for i in dates]
    isolated = [plan.isolated(i).tolist() for i in dates]
    open_waits = [plan.open_waits(i).tolist() for i in dates]
    for offset, instance in by_offset.items():
        date_index, place = divmod(offset, plan.n)
        above = plan.upstream(offset).tolist()
        assert len(above) == len(set(above))
        assert {by_offset[o] for o in above} == expected.waits[instance]
        assert open_waits[date_index][place] == len(above)
        assert Kind(kinds[date_index][place]).word == expected.kinds[instance]
        assert isolated[date_index][place] == bool(expected.isolated_from[instance])
        if isolated[date_index][place]:
            assert set(plan.isolated_from(offset)) == expected.isolated_from[instance]
        edges += [(o, offset) for o in above]
    assert sum(map(sum, open_waits)) == len(edges), "holes wait for nothing"
    offsets = np.array(sorted(by_offset), dtype=np.int64)
    assert sorted(plan.downstream(offsets).tolist()) == sorted(down for _, down in edges)
    for offset in chance.sample(sorted(by_offset), min(5, len(by_offset))):
        below = plan.downstream(np.array([offset], dtype=np.int64)).tolist()
        assert sorted(below) == sorted(down for up, down in edges if up == offset)


@pytest.mark.parametrize(
    "block", [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 4))]
)
def test_thousands_of_random_backfills_agree_with_the_rules(block: int) -> None:
    """DEP-1..14, POL-3..5, SEL-6, SEL-8, TIME-2..4: waits, isolation, kinds and holes as the rules say."""
    for seed in range(block * 500, (block + 1) * 500):
        try:
            agree(Random(seed))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@given(st.randoms(use_true_random=False))
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
def test_a_random_backfill_agrees_with_the_rules(chance: Random) -> None:
    """DEP-1..14: the same, where a failure is made small."""
    agree(chance)


# -- examples


DAILY, HOURLY = "0 2 * * *", "0 * * * *"


def offset(plan: Plan, task: str, bizdate: str, minute: int = 120) -> int:
    found = {instance: o for o, instance in instances_of(plan).items()}
    return found[task, date.fromisoformat(bizdate), minute]


def waits(plan: Plan, task: str, bizdate: str, minute: int = 120) -> set[tuple[str, str, int]]:
    by_offset = instances_of(plan)
    above = plan.upstream(offset(plan, task, bizdate, minute)).tolist()
    return {(name, day.isoformat(), m) for name, day, m in (by_offset[o] for o in above)}


def test_offsets_count_dates_in_running_order() -> None:
    """POL-4, POL-5: group 1's dates first, tasks by full name, slots ascending."""
    catalog = make_catalog(make_task("w.b", DAILY), make_task("w.a", "0 8,16 * * *"))
    plan = plan_of(catalog, "2026-01-11..2026-01-13", groups=2, order=Order.DESCENDING)
    assert plan.n == 3
    assert [d.day for d in plan.dates] == [13, 12, 11]
    assert plan.group_of.tolist() == [1, 1, 2]
    assert [i for _, i in sorted(instances_of(plan).items())][:3] == [
        ("w.a", date(2026, 1, 13), 480),
        ("w.a", date(2026, 1, 13), 960),
        ("w.b", date(2026, 1, 13), 120),
    ]
    assert [plan.previous_in_group(i) for i in range(3)] == [None, 0, None]
    assert [plan.next_in_group(i) for i in range(3)] == [1, None, None]


def test_an_upstream_task_outside_the_backfill_is_not_waited_for() -> None:
    """DEP-10."""
    catalog = make_catalog(make_task("w.a", DAILY), make_task("w.b", DAILY, "w.a", previous("w.a")))
    plan = build(catalog, Choice(("w.b",)), Policy((parse_range("2026-01-01..2026-01-02"),)))
    assert waits(plan, "w.b", "2026-01-02") == set()
    assert not plan.isolated(0).any()


def test_waits_for_the_bizdate_before_only_inside_the_backfill() -> None:
    """DEP-6, DEP-12: a gap counts as satisfied."""
    plan = plan_of(make_catalog(make_task("w.a", DAILY, SELF)), "2026-01-01..2026-01-02", "2026-01-04")
    assert waits(plan, "w.a", "2026-01-02") == {("w.a", "2026-01-01", 120)}
    assert waits(plan, "w.a", "2026-01-01") == waits(plan, "w.a", "2026-01-04") == set()


def test_the_time_range_does_not_shift_pairs() -> None:
    """DEP-11: edges are worked out on all slots, then slots are dropped."""
    catalog = make_catalog(make_task("w.a", "0 1,2,3 * * *"), make_task("w.b", "0 2,3,4 * * *", "w.a"))
    plan = plan_of(catalog, "2026-01-01", time_range=parse_time_range("02:00-04:00"))
    assert waits(plan, "w.b", "2026-01-01", 180) == {("w.a", "2026-01-01", 120)}
    assert waits(plan, "w.b", "2026-01-01", 240) == {("w.a", "2026-01-01", 180)}
    assert plan.isolated_from(offset(plan, "w.b", "2026-01-01", 120)) == ("w.a",)


def test_a_previous_cycle_that_the_time_range_removed_is_satisfied() -> None:
    """DEP-12."""
    catalog = make_catalog(make_task("w.a", "0 1,2,3 * * *", SELF))
    plan = plan_of(catalog, "2026-01-01..2026-01-02", time_range=parse_time_range("01:00-02:00"))
    assert waits(plan, "w.a", "2026-01-02", 60) == set(), "03:00 of the date before is not made"
    assert waits(plan, "w.a", "2026-01-02", 120) == {("w.a", "2026-01-02", 60)}
    assert not plan.isolated(1).any()


def test_children_of_the_previous_cycle() -> None:
    """DEP-8: every task that names it, by DEP-7; only those of the backfill."""
    catalog = make_catalog(
        make_task("w.a", DAILY, CHILDREN),
        make_task("w.b", HOURLY, "w.a"),
        make_task("w.c", DAILY, "w.a"),
        make_task("w.d", DAILY, "w.c"),
    )
    plan = plan_of(catalog, "2026-01-01..2026-01-02")
    hours = {("w.b", "2026-01-01", 60 * h) for h in range(24)}
    assert waits(plan, "w.a", "2026-01-02") == hours | {("w.c", "2026-01-01", 120)}
    without_b = build(catalog, Choice(("w.a", "w.c")), plan.policy)
    assert waits(without_b, "w.a", "2026-01-02") == {("w.c", "2026-01-01", 120)}


def test_an_edge_that_two_dependencies_give_counts_once() -> None:
    """DEP-7, DEP-8: the counter of open waits goes to zero."""
    catalog = make_catalog(make_task("w.a", DAILY, CHILDREN, previous("w.b")), make_task("w.b", DAILY, "w.a"))
    plan = plan_of(catalog, "2026-01-01..2026-01-02")
    o = offset(plan, "w.a", "2026-01-02")
    assert plan.open_waits(1)[o % plan.n] == 1
    below = plan.downstream(np.array([offset(plan, "w.b", "2026-01-01")]))
    assert below.tolist() == [o]


def test_off_day_instances_take_part() -> None:
    """TIME-2, TIME-3, DEP-9: a weekly upstream on a day that is not its own."""
    catalog = make_catalog(make_task("w.weekly", "0 3 * * MON"), make_task("w.daily", DAILY, "w.weekly"))
    plan = plan_of(catalog, "2026-01-03..2026-01-04")  # T on Sunday and on Monday
    kinds = [Kind(plan.kinds(i)[offset(plan, "w.weekly", f"2026-01-0{i + 3}", 180) % plan.n]) for i in (0, 1)]
    assert kinds == [Kind.OFF_DAY, Kind.RUN]
    assert waits(plan, "w.daily", "2026-01-03") == {("w.weekly", "2026-01-03", 180)}


def test_kinds_are_the_first_that_fits() -> None:
    """SEL-8: dry run by SEL-6, frozen, dry run by mode, off day, virtual, run."""
    off, on = "0 2 1 * *", "0 2 * * *"
    catalog = make_catalog(
        make_task("w.a", off, mode=RunMode.PAUSED, type=TaskType.VIRTUAL),
        make_task("w.b", off, mode=RunMode.PAUSED, type=TaskType.VIRTUAL),
        make_task("w.c", off, mode=RunMode.DRY_RUN, type=TaskType.VIRTUAL),
        make_task("w.d", off, type=TaskType.VIRTUAL),
        make_task("w.e", on, type=TaskType.VIRTUAL),
        make_task("w.f", on),
        make_task("w.g", on, mode=RunMode.DRY_RUN),
    )
    choice = Choice(tuple(catalog.tasks), {"w.a": DryRunReason.BLACKLISTED})
    plan = build(catalog, choice, Policy((parse_range("2026-01-05"),)), frozen=["w.g"])
    assert [Kind(k).word for k in plan.kinds(0)] == [
        "dry_run",
        "frozen",
        "dry_run",
        "off_day",
        "virtual",
        "run",
        "frozen",
    ]


def test_validity_is_judged_by_the_date_of_t() -> None:
    """TIME-4: both ends inclusive; T is the day after the bizdate."""
    task = make_task("w.a", DAILY, valid_from=date(2026, 1, 3), valid_until=date(2026, 1, 4))
    plan = plan_of(make_catalog(task), "2026-01-01..2026-01-05")
    assert [d.isoformat() for d, count in plan.by_bizdate.items() if count] == ["2026-01-02", "2026-01-03"]
    assert plan.counts == (2,)


def test_what_waits_for_a_removed_dry_run_waits_for_what_is_above_it() -> None:
    """SEL-6: over two dry runs in a row, one of them upon its own previous cycle."""
    catalog = make_catalog(
        make_task("w.a", "0 5-6 * * *"),
        make_task("w.b", "30 1 * * *", "w.a", SELF),
        make_task("w.c", "40 1 * * *", "w.b"),
        make_task("w.d", "0 5-6 * * *", "w.c"),
    )
    dry = dict.fromkeys(("w.b", "w.c"), DryRunReason.INTERMEDIATE)
    policy = Policy((parse_range("2026-01-01..2026-01-02"),), parse_time_range("05:00-06:00"))
    plan = build(catalog, Choice(tuple(catalog.tasks), dry), policy)
    assert plan.counts == (4, 0, 0, 4)
    assert not plan.isolated(1).any()
    both = {("w.a", "2026-01-02", 300), ("w.a", "2026-01-02", 360)}
    earlier = {("w.a", "2026-01-01", 300), ("w.a", "2026-01-01", 360)}
    assert waits(plan, "w.d", "2026-01-02", 300) == both | earlier
    whole = build(catalog, Choice(tuple(catalog.tasks), dry), replace(policy, time_range=(0, 1439)))
    assert waits(whole, "w.d", "2026-01-02", 300) == {("w.c", "2026-01-02", 100)}


def test_a_dry_run_outside_its_validity_leads_on_where_it_is_missing() -> None:
    """SEL-6, TIME-4: on 1 January there is a dry run, on 2 January there is none."""
    catalog = make_catalog(
        make_task("w.a", DAILY),
        make_task("w.b", DAILY, "w.a", valid_until=date(2026, 1, 2)),
        make_task("w.c", DAILY, "w.b", previous("w.b")),
    )
    choice = Choice(tuple(catalog.tasks), {"w.b": DryRunReason.BLACKLISTED})
    plan = build(catalog, choice, Policy((parse_range("2026-01-01..2026-01-03"),)))
    assert waits(plan, "w.c", "2026-01-01") == {("w.b", "2026-01-01", 120)}
    assert waits(plan, "w.c", "2026-01-02") == {("w.a", "2026-01-02", 120), ("w.b", "2026-01-01", 120)}
    assert waits(plan, "w.c", "2026-01-03") == {("w.a", "2026-01-03", 120), ("w.a", "2026-01-02", 120)}


def test_descending_order_drops_waits_between_bizdates_only() -> None:
    """DEP-14."""
    catalog = make_catalog(make_task("w.a", "0 1,2 * * *", SELF))
    plan = plan_of(catalog, "2026-01-01..2026-01-02", order=Order.DESCENDING)
    assert waits(plan, "w.a", "2026-01-02", 60) == set()
    assert waits(plan, "w.a", "2026-01-02", 120) == {("w.a", "2026-01-02", 60)}


def test_across_groups() -> None:
    """DEP-13."""
    catalog = make_catalog(make_task("w.a", DAILY, SELF))
    for across, expected in ((AcrossGroups.WAIT, {("w.a", "2026-01-02", 120)}), (AcrossGroups.IGNORE, set())):
        plan = plan_of(catalog, "2026-01-01..2026-01-04", groups=2, across_groups=across)
        assert waits(plan, "w.a", "2026-01-03") == expected
        assert waits(plan, "w.a", "2026-01-04") == {("w.a", "2026-01-03", 120)}


def test_the_dates_that_a_task_passes_through() -> None:
    """POL-6 with `barrier: task`: the bizdate before, in the group, on which the task has instances."""
    short = make_task("w.a", DAILY, valid_from=date(2026, 1, 2), valid_until=date(2026, 1, 2))
    catalog = make_catalog(short, make_task("w.b", DAILY))
    plan = plan_of(catalog, "2026-01-01..2026-01-06", groups=2)
    assert [plan.previous_of_task(i, 1) for i in range(6)] == [None, 0, 1, None, 3, 4]
    assert [plan.next_of_task(i, 1) for i in range(6)] == [1, 2, None, 4, 5, None]
    assert [plan.previous_of_task(i, 0) for i in range(3)] == [None, 0, 0]
    assert plan.next_of_task(0, 0) is None


def test_too_many_instances_are_refused_by_arithmetic() -> None:
    """POL-13: at once, with the count."""
    catalog = make_catalog(*(make_task(f"w.t{i}", "* * * * *") for i in range(700)))
    policy = Policy((parse_range("1970-01-01..2199-12-31"),))

    def refuse() -> None:
        with pytest.raises(TooManyInstancesError, match="84,678,048,000 instances") as caught:
            build(catalog, Choice(tuple(catalog.tasks)), policy, max_instances=1_000_000)
        assert "1,000,000" in caught.value.message

    assert calls(refuse) < 100 * 700, "some work a task, none a date or a slot"


def test_nothing_left_to_run() -> None:
    """SEL-6: no slot of a task that really runs; a dry run alone is nothing."""
    catalog = make_catalog(make_task("w.a", DAILY), make_task("w.h", HOURLY))
    policy = Policy((parse_range("2026-01-01"),), parse_time_range("03:00-04:00"))
    with pytest.raises(NothingToRunError, match="no chosen task has a slot"):
        build(catalog, Choice(("w.a",)), policy)
    with pytest.raises(NothingToRunError):
        build(catalog, Choice(("w.a", "w.h"), {"w.h": DryRunReason.INTERMEDIATE}), policy)
    expired = make_catalog(make_task("w.a", DAILY, valid_until=date(2020, 1, 1)))
    with pytest.raises(NothingToRunError):
        plan_of(expired, "2026-01-01")


def test_an_unknown_resource_group_is_an_error() -> None:
    """POL-10."""
    with pytest.raises(UnknownNameError, match='no resource group "defalt"; did you mean "default"'):
        plan_of(make_catalog(make_task("w.a", DAILY)), "2026-01-01", resource_group="defalt")


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        ({"w.b": {"day": "1"}}, '"w.b" is no task of this backfill'),
        ({"w.a": {"dya": "1"}}, 'w.a has no parameter "dya"; did you mean "day"'),
        ({"w.a": {"day": "1\n2"}}, "line break"),
    ],
)
def test_overrides_that_do_not_fit(overrides: dict[str, dict[str, str]], why: str) -> None:
    """PAR-5."""
    task = make_task("w.a", DAILY, type=TaskType.SQL, parameters=(("day", "$bizdate"),))
    with pytest.raises(OverrideError, match=why):
        plan_of(make_catalog(task), "2026-01-01", overrides=overrides)


def test_an_override_names_only_secrets_of_its_task() -> None:
    """SEC-3: in whichever of its parameters the task names it."""
    task = make_task("w.a", DAILY, parameters=(("day", "$bizdate"), ("key", "${secret:KEY}")))
    check_secrets({"w.a": task}, {"w.a": {"day": "${secret:KEY}", "key": "x"}})
    with pytest.raises(OverrideError, match="names the secret OTHER, and no parameter of the task does"):
        check_secrets({"w.a": task}, {"w.a": {"day": "${secret:OTHER}"}})


def test_overrides_keep_the_declared_order() -> None:
    """PAR-5."""
    task = make_task("w.a", DAILY, parameters=(("day", "$bizdate"), ("hour", "$[hh24]")))
    plan = plan_of(make_catalog(task), "2026-01-01", overrides={"w.a": {"day": "20200101"}})
    assert plan.parameters_of(task) == (("day", "20200101"), ("hour", "$[hh24]"))


def test_due_follows_each_workspace_s_clock() -> None:
    """TIME-5, TIME-7: 02:30 on the spring night in New York is 03:00, 07:00 UTC."""
    catalog = make_catalog(make_task("w.a", "30 2 * * *"), make_task("v.b", "30 2 * * *"))
    zones = {"w": Workspace("w", "America/New_York"), "v": Workspace("v", "UTC")}
    plan = plan_of(replace(catalog, workspaces=zones), "2026-03-07")
    due = [datetime.fromtimestamp(s, UTC).isoformat() for s in plan.due(0).tolist()]
    assert due == ["2026-03-08T02:30:00+00:00", "2026-03-08T07:00:00+00:00"]


def test_a_plan_built_again_from_storage_is_the_same() -> None:
    """VER-4: the same offsets, edges and kinds."""
    for seed in range(30):
        chance = Random(seed)
        catalog, policy = random_catalog(chance), random_policy(chance)
        choice = random_choice(chance, list(catalog.tasks))
        try:
            plan = build(catalog, choice, policy)
        except NothingToRunError:
            continue
        stored = json.loads(json.dumps([choice.to_json(), options.to_json(policy)]))
        again = build(catalog, Choice.from_json(stored[0]), options.from_json(stored[1]))
        assert instances_of(again) == instances_of(plan)
        offsets = np.array(sorted(instances_of(plan)))
        assert again.downstream(offsets).tolist() == plan.downstream(offsets).tolist()
        for i in range(len(plan.dates)):
            assert again.kinds(i).tolist() == plan.kinds(i).tolist()


def test_a_template_serves_a_night_of_automatic_instances() -> None:
    """AUTO-2: all tasks, one date, no selection; edges to the date before are there too."""
    catalog = make_catalog(make_task("w.a", HOURLY, SELF), make_task("w.b", DAILY, "w.a", previous("w.a")))
    template = Template(tuple(catalog.tasks.values()))
    assert template.n == 25
    assert template.before.above(0).tolist() == [23]
    assert template.within.above(24).tolist() == [2]
    assert template.before.above(24).tolist() == [23]


def test_the_work_of_a_plan_does_not_grow_with_its_dates() -> None:
    """POL-13: 2,000 tasks x 366 bizdates are a few arrays."""
    tasks = [make_task("w.t0000", DAILY)]
    tasks += [
        make_task(f"w.t{i:04}", f"{i % 60} {i % 24} * * *", *(f"w.t{j:04}" for j in {i - 1, i // 2, i // 3}))
        for i in range(1, 2_000)
    ]
    catalog = make_catalog(*tasks)

    def plan(dates: str, instances: int) -> None:
        plan = plan_of(catalog, dates, groups=4)
        verify(plan, datetime(2026, 1, 1, tzinfo=UTC))
        assert plan.instance_count == instances

    week = calls(lambda: plan("2024-01-01..2024-01-07", 14_000))
    year = calls(lambda: plan("2024-01-01..2024-12-31", 732_000))
    assert year < 1.2 * week
