"""What verification finds in a plan, and the plan's summary."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalogs import (
    CHILDREN,
    SELF,
    make_catalog,
    make_task,
    previous,
    random_catalog,
    random_policy,
)
from domain.plans import instances_of, plan_of
from examples import examples
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup, RunMode
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.people.rights import Rights
from retrofill.domain.planning.plan import Plan, build
from retrofill.domain.planning.policy import AcrossGroups, Order
from retrofill.domain.selection.choice import Choice, DryRunReason, NothingToRunError, resolve
from retrofill.domain.selection.ways import AllDescendantsSelection, ManualSelection, WorkspaceSelection
from retrofill.domain.time.windows import parse_time_range
from retrofill.domain.verification.codes import CODES, Level
from retrofill.domain.verification.findings import Finding
from retrofill.domain.verification.summaries import summary
from retrofill.domain.verification.verify import changes, verify

LATER = datetime(2026, 6, 1, tzinfo=UTC)
DAILY, HOURLY = "0 2 * * *", "0 * * * *"


def findings(plan: Plan, code: str, **more: Any) -> list[Finding]:
    return [finding for finding in verify(plan, LATER, **more) if finding.code == code]


def finding(plan: Plan, code: str, **more: Any) -> Finding:
    (found,) = findings(plan, code, **more)
    return found


CHAIN = make_catalog(
    make_task("w.a", DAILY), make_task("w.b", DAILY, "w.a", SELF), make_task("w.c", DAILY, "w.b")
)


def test_a_plain_plan_has_no_findings() -> None:
    """VER-1."""
    assert verify(plan_of(CHAIN, "2026-01-01..2026-01-09"), LATER) == ()


def test_a_loop_between_instances_is_printed_as_a_path() -> None:
    """VER-1: slots wait in a circle though the task graph has no loop."""
    catalog = make_catalog(
        make_task("w.a", "30 6,12 * * *", CHILDREN),
        make_task("w.b", "0 0,6,12 * * *", "w.a"),
        make_task("w.c", DAILY),
    )
    found = finding(plan_of(catalog, "2026-01-01..2026-01-03"), "loop")
    assert found.level is Level.RISK
    assert set(found.tasks) == {"w.a", "w.b"}
    paths = ("w.a 06:30 -> w.b 06:00 -> w.a 06:30", "w.b 06:00 -> w.a 06:30 -> w.b 06:00")
    assert any(path in found.message for path in paths)
    assert "stays blocked" not in found.message
    assert "3 bizdates from 2026-01-01 to 2026-01-03" in found.message


def test_a_loop_names_what_it_holds_up() -> None:
    """VER-1: tasks below the circle never run either."""
    catalog = make_catalog(
        make_task("w.a", "30 6,12 * * *", CHILDREN),
        make_task("w.b", "0 0,6,12 * * *", "w.a"),
        make_task("w.c", "0 14 * * *", "w.b"),
        make_task("w.d", DAILY, "w.c"),
    )
    found = finding(plan_of(catalog, "2026-01-01"), "loop")
    assert found.message.endswith("; what waits for them stays blocked, in w.c, w.d.")
    assert set(found.tasks) == {"w.a", "w.b"}


def test_circles_of_the_same_tasks_are_told_once() -> None:
    """VER-1: each of three slots has its own circle."""
    catalog = make_catalog(
        make_task("w.a", "0 2-4 * * *", previous("w.c")),
        make_task("w.b", "0 1-3 * * *", "w.a"),
        make_task("w.c", "30 1-3,22 * * *", "w.b"),
    )
    plan = plan_of(catalog, "2026-01-01")
    assert sorted(finding(plan, "loop").tasks) == ["w.a", "w.b", "w.c"]
    assert not can_all_run(plan)


def test_no_loop_where_the_time_range_opens_it() -> None:
    """VER-1, POL-3: 06:00 of B is not made."""
    catalog = make_catalog(
        make_task("w.a", "30 6,12 * * *", CHILDREN), make_task("w.b", "0 0,6,12 * * *", "w.a")
    )
    assert not findings(plan_of(catalog, "2026-01-01", time_range=parse_time_range("06:30-23:59")), "loop")


def test_isolated_instances_name_the_missing_upstream() -> None:
    """DEP-11, VER-2: a daily task upon hours that the time range removed."""
    catalog = make_catalog(make_task("w.hours", "0 8-10 * * *"), make_task("w.day", DAILY, "w.hours"))
    found = finding(
        plan_of(catalog, "2026-01-01..2026-01-03", time_range=parse_time_range("00:00-07:00")), "isolated"
    )
    assert found.level is Level.RISK
    assert found.tasks == ("w.day", "w.hours")
    assert "w.day: 3 instances can never run" in found.message
    assert "w.hours" in found.message
    assert "time range 00:00-07:00" in found.message


def test_an_upstream_task_outside_its_validity_is_not_waited_for() -> None:
    """DEP-11, TIME-4: told with the tasks that go on without it; nothing is isolated."""
    catalog = make_catalog(
        make_task("w.a", DAILY, valid_from=date(2026, 1, 4)), make_task("w.b", DAILY, "w.a")
    )
    plan = plan_of(catalog, "2026-01-01..2026-01-05")
    assert not findings(plan, "isolated")
    outside = finding(plan, "outside_validity")
    assert (outside.level, outside.tasks) == (Level.INFO, ("w.a", "w.b"))
    assert "w.a on 2 of 5 bizdates; w.b does not wait for it there" in outside.message


def test_who_is_outside_its_validity_too_is_not_named() -> None:
    """DEP-11: w.b has no instances on the dates on which w.late is missing."""
    catalog = make_catalog(
        make_task("w.early", DAILY, valid_from=date(2026, 1, 3)),
        make_task("w.late", DAILY, valid_until=date(2026, 1, 4)),
        make_task("w.b", DAILY, "w.late", valid_until=date(2026, 1, 4)),
    )
    outside = finding(plan_of(catalog, "2026-01-01..2026-01-05"), "outside_validity")
    assert outside.tasks == ("w.b", "w.early", "w.late")
    assert "wait" not in outside.message


def test_only_the_time_range_isolates_where_a_validity_period_ends_as_well() -> None:
    """DEP-11: on the first dates w.a is valid and the time range removed it; later it is not waited for."""
    catalog = make_catalog(
        make_task("w.a", DAILY, valid_until=date(2026, 1, 3)), make_task("w.b", "0 8 * * *", "w.a")
    )
    plan = plan_of(catalog, "2026-01-01..2026-01-05", time_range=parse_time_range("08:00-09:00"))
    assert "w.b: 2 instances can never run" in finding(plan, "isolated").message


def test_a_removed_dry_run_isolates_nothing() -> None:
    """SEL-6: a, then b (left out by the time range and not chosen), then c; but what is missing above b does."""
    catalog = make_catalog(
        make_task("w.a", "0 5-6 * * *"),
        make_task("w.b", "30 1 * * *", "w.a"),
        make_task("w.c", "0 5-6 * * *", "w.b"),
    )
    choice = resolve(ManualSelection(("w.a", "w.c")), catalog)
    assert choice.dry_runs == {"w.b": DryRunReason.INTERMEDIATE}
    policy = replace(plan_of(catalog, "2026-01-01").policy, time_range=parse_time_range("05:00-06:00"))
    assert not findings(build(catalog, choice, policy), "isolated")
    early = replace(catalog.tasks["w.a"], schedule=make_task("w.x", "0 2,3 * * *").schedule)
    catalog = make_catalog(early, catalog.tasks["w.b"], catalog.tasks["w.c"])
    found = finding(build(catalog, choice, policy), "isolated")
    assert found.tasks == ("w.c", "w.a")


def test_partial_loss_does_not_isolate() -> None:
    """DEP-11: if some upstream slots remain, they are waited for."""
    catalog = make_catalog(make_task("w.hours", HOURLY), make_task("w.day", "0 9 * * *", "w.hours"))
    assert not findings(
        plan_of(catalog, "2026-01-01", time_range=parse_time_range("09:00-10:00")), "isolated"
    )


def test_many_isolated_tasks_are_gathered() -> None:
    """VER-1: thousands of sentences help nobody."""
    tasks = [make_task(f"w.t{i}", DAILY, "w.hours") for i in range(150)]
    catalog = make_catalog(make_task("w.hours", "0 8,9 * * *"), *tasks)
    found = finding(plan_of(catalog, "2026-01-01", time_range=parse_time_range("00:00-07:00")), "isolated")
    assert len(found.tasks) == 150
    assert "150 instances" in found.message
    assert "140 more" in found.message


def test_descending_order_against_previous_cycles_is_a_risk() -> None:
    """DEP-14: names the tasks; a single bizdate has no such edge."""
    found = finding(plan_of(CHAIN, "2026-01-01..2026-01-02", order=Order.DESCENDING), "order_conflict")
    assert (found.level, found.tasks) == (Level.RISK, ("w.b",))
    assert not findings(plan_of(CHAIN, "2026-01-01", order=Order.DESCENDING), "order_conflict")
    apart = plan_of(CHAIN, "2026-01-01", "2026-01-03", order=Order.DESCENDING)
    assert not findings(apart, "order_conflict")


def test_previous_cycles_that_are_not_made_are_no_conflict() -> None:
    """DEP-12: first the validity period drops edges, then order and groups are judged."""
    catalog = make_catalog(
        make_task("w.a", DAILY, valid_from=date(2026, 1, 3)), make_task("w.b", DAILY, previous("w.a"))
    )
    plan = plan_of(catalog, "2026-01-01..2026-01-02", order=Order.DESCENDING)
    assert not findings(plan, "order_conflict")
    assert not findings(plan_of(catalog, "2026-01-01..2026-01-02", groups=2), "across_groups")
    assert findings(plan_of(catalog, "2026-01-02..2026-01-03", order=Order.DESCENDING), "order_conflict")


def test_waits_across_groups_are_a_warning() -> None:
    """DEP-13: names the tasks that it serialises; dropped on request, it is told only."""
    dates = "2026-01-01..2026-01-04"
    found = finding(plan_of(CHAIN, dates, groups=2), "across_groups")
    assert (found.level, found.tasks) == (Level.WARNING, ("w.b",))
    ignoring = plan_of(CHAIN, dates, groups=2, across_groups=AcrossGroups.IGNORE)
    assert not findings(ignoring, "across_groups")
    assert finding(ignoring, "across_groups_ignored").level is Level.INFO
    assert not findings(
        plan_of(CHAIN, "2026-01-01..2026-01-02", "2026-01-05..2026-01-06", groups=2), "across_groups"
    )


def test_frozen_tasks() -> None:
    """VER-2, CAT-8: by mode or by command."""
    catalog = make_catalog(make_task("w.a", DAILY, mode=RunMode.PAUSED), make_task("w.b", DAILY, "w.a"))
    assert finding(plan_of(catalog, "2026-01-01"), "frozen").tasks == ("w.a",)
    plan = build(catalog, Choice(("w.a", "w.b")), plan_of(catalog, "2026-01-01").policy, frozen=["w.b"])
    found = finding(plan, "frozen")
    assert (found.level, found.tasks) == (Level.WARNING, ("w.a", "w.b"))


def test_each_dry_run_names_what_may_be_stale_below() -> None:
    """SEL-6, VER-2."""
    catalog = make_catalog(
        make_task("w.a", DAILY),
        make_task("w.b", DAILY, "w.a"),
        make_task("w.c", DAILY, "w.b"),
        make_task("w.d", DAILY, "w.c"),
    )
    choice = resolve(AllDescendantsSelection("w.a", exclude=("w.b",)), catalog)
    found = finding(build(catalog, choice, plan_of(catalog, "2026-01-01").policy), "dry_run")
    assert (found.level, found.tasks) == (Level.WARNING, ("w.b", "w.c", "w.d"))
    assert "blacklisted" in found.message


def test_a_value_that_ends_its_quotes_is_a_warning() -> None:
    """PAR-5: it names the parameter, and not the value, which may be anything."""
    sql = make_task(
        "w.a",
        "@daily",
        type=TaskType.SQL,
        code="select '${name}', ${name:quoted}, '${day}'",
        parameters=(("name", "x"), ("day", "$bizdate")),
    )
    shell = make_task("w.b", "@daily", code="echo '$name'", parameters=(("name", "x"),))
    catalog = make_catalog(sql, shell)
    given = {"w.a": {"name": "O'Hara", "day": "${yyyy-mm-dd}"}, "w.b": {"name": "O'Hara"}}
    found = finding(plan_of(catalog, "2026-01-05", overrides=given), "ended_quotes")
    assert (found.level, found.tasks) == (Level.WARNING, ("w.a",))
    assert str(found.message) == (
        "The value that w.a.name is set to ends the quotes around it, and goes on as SQL."
    )
    assert not findings(plan_of(catalog, "2026-01-05", overrides={"w.a": {"name": "Hara"}}), "ended_quotes")


def test_tasks_without_permission() -> None:
    """SEL-7, SEC-2: left out or dry runs; foreign ones at the rim are only counted."""
    catalog = make_catalog(
        make_task("w.a", DAILY),
        make_task("w.b", DAILY, "w.a"),
        make_task("w.c", DAILY, "w.b"),
        make_task("w.d", DAILY, "w.c"),
        make_task("v.secret", DAILY, "w.c"),
    )
    rights = Rights(permitted={"w.a", "w.c"}, workspaces={"w"})
    choice = resolve(AllDescendantsSelection("w.a"), catalog, rights=rights)
    plan = build(catalog, choice, plan_of(catalog, "2026-01-01").policy)
    found = finding(plan, "no_permission")
    assert (found.level, found.tasks) == (Level.WARNING, ("w.b", "w.d"))
    assert "no member of: 1 task" in found.message
    assert "secret" not in json.dumps(summary(plan, verify(plan, LATER)))


def test_an_empty_workspace() -> None:
    """SEL-3."""
    catalog = make_catalog(make_task("w.a", DAILY), make_task("v.x", DAILY))
    choice = resolve(WorkspaceSelection("w.a", ("v",)), catalog)
    plan = build(catalog, choice, plan_of(catalog, "2026-01-01").policy)
    assert finding(plan, "empty_workspace").level is Level.WARNING


def test_a_resource_group_that_is_not_bound() -> None:
    """POL-10: the task keeps its own, and verification says so."""
    night = ResourceGroup("night", workspaces=frozenset({"w"}))
    catalog = make_catalog(make_task("w.a", DAILY), make_task("v.b", DAILY), groups=(night,))
    plan = plan_of(catalog, "2026-01-01", resource_group="night")
    assert {task.name: plan.resource_group(task) for task in plan.tasks} == {"w.a": "night", "v.b": "default"}
    found = finding(plan, "resource_group_fallback")
    assert (found.level, found.tasks) == (Level.INFO, ("v.b",))


def test_a_large_request() -> None:
    """VER-1: instances per slot and the expected length; only what takes a slot counts."""
    tiny = ResourceGroup("tiny", slots=2, reserved_for_auto=1)
    catalog = make_catalog(
        make_task("w.a", HOURLY), make_task("w.v", HOURLY, type=TaskType.VIRTUAL), groups=(tiny,)
    )
    found = finding(
        plan_of(catalog, "2025-01-01..2025-12-31", resource_group="tiny"),
        "large_request",
        seconds_per_run=10.0,
    )
    assert "8,760 instances share 1 slot of the resource group tiny: 8,760 for each slot" in found.message
    assert "about 24 hours (as measured)" in found.message
    assert not findings(plan_of(catalog, "2025-01-01..2025-01-31"), "large_request")


def test_other_information() -> None:
    """VER-1, POL-2, POL-3: what lies ahead, what has no slot, what runs by itself."""
    catalog = make_catalog(make_task("w.a", DAILY), make_task("w.h", HOURLY))
    plan = plan_of(catalog, "2026-01-01..2026-01-04", time_range=parse_time_range("03:00-04:00"))
    assert finding(plan, "outside_time_range").tasks == ("w.a",)
    now = datetime(2026, 1, 3, 12, tzinfo=UTC)
    (ahead,) = [f for f in verify(plan, now) if f.code == "future"]
    assert "2 bizdates from 2026-01-03" in ahead.message
    assert finding(plan, "auto_conflict", auto_conflicts=["w.h", "x.y"]).tasks == ("w.h",)


def test_risks_come_first() -> None:
    """VER-2."""
    catalog = make_catalog(
        make_task("w.a", DAILY, mode=RunMode.PAUSED, valid_until=date(2026, 1, 2)),
        make_task("w.b", DAILY, "w.a", SELF),
    )
    plan = plan_of(catalog, "2026-01-01..2026-01-04", order=Order.DESCENDING)
    levels = [f.level for f in verify(plan, LATER)]
    assert levels == [Level.RISK, Level.WARNING, Level.INFO]


def test_the_summary_is_the_document_of_plan() -> None:
    """VER-1: counts include dry runs; the promised keys."""
    catalog = make_catalog(
        make_task("w.a", HOURLY),
        make_task("w.b", DAILY, "w.a"),
        make_task("w.c", DAILY, "w.b", mode=RunMode.DRY_RUN),
        make_task("w.p", DAILY, mode=RunMode.PAUSED),
    )
    choice = Choice(tuple(catalog.tasks), {"w.b": DryRunReason.BLACKLISTED})
    plan = build(catalog, choice, plan_of(catalog, "2026-01-01..2026-01-03", groups=2).policy)
    document = json.loads(json.dumps(summary(plan, verify(plan, LATER))))
    found = document.pop("findings")
    assert {f["code"] for f in found} == {"frozen", "dry_run", "nothing_runs"}
    assert set(found[0]) == {"level", "code", "message", "tasks", "hint"}
    none = {"runs": 0, "dry_runs": 0, "off_days": 0, "virtual": 0, "frozen": 0}
    assert document == {
        "tasks": [
            {"task": "w.a", "instances": 72, "dry_run": None, **none, "runs": 72},
            {"task": "w.b", "instances": 3, "dry_run": "blacklisted", **none, "dry_runs": 3},
            {"task": "w.c", "instances": 3, "dry_run": "mode", **none, "dry_runs": 3},
            {"task": "w.p", "instances": 3, "dry_run": None, **none, "frozen": 3},
        ],
        "task_count": 4,
        "instance_count": 81,
        "kinds": {**none, "runs": 72, "dry_runs": 6, "frozen": 3},
        "by_bizdate": {"2026-01-01": 27, "2026-01-02": 27, "2026-01-03": 27},
        "runs_by_bizdate": {"2026-01-01": 24, "2026-01-02": 24, "2026-01-03": 24},
        "first_run_date": "2026-01-02",
        "last_run_date": "2026-01-04",
        "groups": [["2026-01-01", "2026-01-02"], ["2026-01-03"]],
        "dry_runs": {"blacklisted": ["w.b"], "mode": ["w.c"]},
    }


def test_a_task_without_an_instance_is_listed_and_not_counted() -> None:
    """VER-1, BF-2: `task_count` is the seed's "Nodes": tasks for which an instance is generated."""
    catalog = make_catalog(make_task("w.early", "0 1 * * *"), make_task("w.late", "0 9 * * *"))
    plan = plan_of(catalog, "2026-01-01", time_range=parse_time_range("08:00-10:00"))
    document = summary(plan, ())
    assert document["task_count"] == 1
    assert [(t["task"], t["instances"]) for t in document["tasks"]] == [("w.early", 0), ("w.late", 1)]


def test_changes_since_the_plan_are_told() -> None:
    """SEL-4: the instances are made when the backfill starts, from the tasks of then."""
    plan = plan_of(CHAIN, "2026-01-01")
    assert changes(["w.a", "w.b", "w.c"], plan) == ()
    (found,) = changes(["w.a", "w.old", "w.c"], plan)
    assert (found.level, found.tasks) == (Level.WARNING, ("w.b", "w.old"))
    assert "w.b came in; w.old fell out" in found.message


def test_a_finding_survives_storage() -> None:
    """VER-1: task analysis results are kept."""
    found = Finding.of("loop", "a -> b -> a", ("a", "b"))
    assert Finding.from_json(json.loads(json.dumps(found.to_json()))) == found
    first_version = {"level": "info", "code": "future", "message": "ahead", "tasks": []}
    assert not Finding.from_json(first_version).hint


def test_every_finding_says_what_to_do() -> None:
    """VER-2: level and hint come from the table of codes, which the reference page is made from."""
    found = Finding.of("loop", "a -> b -> a")
    assert (found.level, found.hint) == (Level.RISK, CODES["loop"].hint)
    for code, known in CODES.items():
        assert str(known.means).endswith("."), code
        assert str(known.hint).endswith("."), code
    with pytest.raises(KeyError):
        Finding.of("never_heard_of", "x")


def test_thousands_of_tasks_are_verified_in_short_sentences() -> None:
    """VER-2: dry runs of a wide graph are gathered."""
    tasks = [make_task(f"w.m{i}", DAILY, "w.a") for i in range(120)]
    catalog = make_catalog(make_task("w.a", DAILY), *tasks, make_task("w.z", DAILY, *(t.name for t in tasks)))
    dry = dict.fromkeys(sorted(task.name for task in tasks), DryRunReason.INTERMEDIATE)
    choice = Choice(tuple(catalog.tasks), dry)
    found = finding(build(catalog, choice, plan_of(catalog, "2026-01-01").policy), "dry_run")
    assert "120 tasks are dry runs" in found.message
    assert found.tasks[-1] == "w.z"


# -- against a slow search


def can_all_run(plan: Plan) -> bool:
    """Whether every instance gets its turn when waits are served one by one, isolation aside."""
    left = {offset: set(plan.upstream(offset).tolist()) for offset in instances_of(plan)}
    while True:
        free = [offset for offset, above in left.items() if not above & left.keys()]
        if not free:
            return not left
        for offset in free:
            del left[offset]


def loops_are_real(plan: Plan, catalog: Catalog) -> None:
    found = findings(plan, "loop")
    assert bool(found) == (not can_all_run(plan))
    for each in found:
        assert set(each.tasks) <= set(catalog.tasks)


def test_loops_are_found_exactly_where_not_all_can_run() -> None:
    """VER-1: against taking instances away one by one."""
    looped = 0
    for seed in range(150):
        chance = Random(seed)
        catalog, policy = random_catalog(chance), random_policy(chance)
        try:
            plan = build(catalog, Choice(tuple(catalog.tasks)), policy)
        except NothingToRunError:
            continue
        loops_are_real(plan, catalog)
        looped += not can_all_run(plan)
    assert looped > 5, "the random catalogs hold circles"


@given(st.randoms(use_true_random=False))
@settings(max_examples=examples(60))
def test_isolation_and_conflicts_are_found_exactly_where_they_are(chance: Random) -> None:
    """DEP-11, DEP-13, DEP-14: against looking at every instance."""
    catalog, policy = random_catalog(chance), random_policy(chance)
    try:
        plan = build(catalog, Choice(tuple(catalog.tasks)), policy)
    except NothingToRunError:
        return
    by_offset = instances_of(plan)
    isolated: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    across = set()
    for offset, (name, bizdate, _) in by_offset.items():
        missing = plan.isolated_from(offset)
        if missing:
            isolated.setdefault(name, set()).update(missing)
            counts[name] = counts.get(name, 0) + 1
        group = plan.group_of[plan.index_of(bizdate)]
        for above in plan.upstream(offset).tolist():
            if plan.group_of[plan.index_of(by_offset[above][1])] != group:
                across.add(name)
    found = {f.tasks[0]: f for f in findings(plan, "isolated")}
    assert {name: set(f.tasks[1:]) for name, f in found.items()} == isolated
    for name, count in counts.items():
        assert f"{name}: {count:,} instance" in found[name].message
    assert {name for f in findings(plan, "across_groups") for name in f.tasks} == across
