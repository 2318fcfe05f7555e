"""Instances as rows: the keys that programs rely on, and the order."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from random import Random

from domain.catalogs import CHILDREN, SELF, make_catalog, make_task, random_catalog, random_policy
from domain.plans import plan_of
from retrofill.domain.catalog.definitions import RunMode
from retrofill.domain.planning.plan import build
from retrofill.domain.planning.rows import plan_rows
from retrofill.domain.selection.choice import Choice, DryRunReason, NothingToRunError
from retrofill.domain.time.windows import parse_time_range
from retrofill.domain.verification.verify import verify

LATER = datetime(2026, 6, 1, tzinfo=UTC)
DAILY = "0 2 * * *"


def test_a_row_is_the_promised_document() -> None:
    """PAR-6, POL-12: keys, forms, waits sorted by task, then time; ids stay as written before a deploy."""
    catalog = make_catalog(
        make_task("ops.raw", "30 1 * * *"),
        make_task(
            "ops.daily",
            DAILY,
            "ops.raw",
            SELF,
            priority=7,
            parameters=(("day", "$bizdate"), ("at", "$[hh24]"), ("ids", "$jobid/$nodeid/$taskid")),
        ),
    )
    rows = list(plan_rows(plan_of(catalog, "2013-01-01..2013-01-02"), LATER))
    assert [row["task"] for row in rows] == ["ops.raw", "ops.daily"] * 2
    assert json.loads(json.dumps(rows[3])) == {
        "task": "ops.daily",
        "bizdate": "2013-01-02",
        "scheduled_at": "2013-01-03T02:00:00",
        "kind": "run",
        "reason": None,
        "group": 1,
        "priority": 3,
        "resource_group": "default",
        "parameters": {"day": "20130102", "at": "02", "ids": "$jobid/$nodeid/$taskid"},
        "waits_for": [["ops.daily", "2013-01-02T02:00:00"], ["ops.raw", "2013-01-03T01:30:00"]],
        "isolated_from": [],
    }
    deployed = list(plan_rows(plan_of(catalog, "2013-01-01"), LATER, {"ops.daily": 17}))
    assert deployed[1]["parameters"]["ids"] == "$jobid/17/$taskid"


def test_overrides_reach_the_rows() -> None:
    """PAR-5."""
    catalog = make_catalog(make_task("w.a", DAILY, parameters=(("day", "$bizdate"),)))
    plan = plan_of(catalog, "2026-01-01", overrides={"w.a": {"day": "${yyyy-mm-dd}"}})
    assert [row["parameters"] for row in plan_rows(plan, LATER)] == [{"day": "2026-01-01"}]


def test_parameters_of_foreign_tasks_are_not_shown() -> None:
    """SEC-2."""
    catalog = make_catalog(make_task("v.a", DAILY, parameters=(("day", "$bizdate"),)))
    plan = plan_of(catalog, "2026-01-01")
    assert [row["parameters"] for row in plan_rows(plan, LATER, None, lambda name: False)] == [{}]


def test_reasons_are_those_of_dry_runs_only() -> None:
    """SEL-8."""
    catalog = make_catalog(
        make_task("w.a", DAILY),
        make_task("w.b", DAILY, mode=RunMode.DRY_RUN),
        make_task("w.c", "0 2 1 1 *"),
        make_task("w.d", DAILY),
        make_task("w.e", DAILY, mode=RunMode.PAUSED),
    )
    choice = Choice(tuple(catalog.tasks), {"w.a": DryRunReason.NO_PERMISSION})
    plan = build(catalog, choice, plan_of(catalog, "2026-03-01").policy)
    assert [(row["kind"], row["reason"]) for row in plan_rows(plan, LATER)] == [
        ("dry_run", "no_permission"),
        ("dry_run", "mode"),
        ("off_day", None),
        ("run", None),
        ("frozen", None),
    ]


def test_isolated_instances_keep_the_waits_that_are_left() -> None:
    """DEP-11."""
    catalog = make_catalog(
        make_task("w.a", "0 8 * * *"), make_task("w.b", "0 1 * * *"), make_task("w.c", DAILY, "w.a", "w.b")
    )
    plan = plan_of(catalog, "2026-01-01", time_range=parse_time_range("00:00-03:00"))
    row = list(plan_rows(plan, LATER))[1]
    assert row["isolated_from"] == ["w.a"]
    assert row["waits_for"] == [["w.b", "2026-01-02T01:00:00"]]


def test_rows_come_by_time_then_task_where_dependencies_leave_it_open() -> None:
    """POL-4: group 1's bizdates first."""
    catalog = make_catalog(
        make_task("w.a", "0 9 * * *"), make_task("w.b", "0 1 * * *", "w.a"), make_task("w.c", "0 8,10 * * *")
    )
    rows = list(plan_rows(plan_of(catalog, "2026-01-01..2026-01-02", groups=2), LATER))
    assert [(row["group"], row["task"], row["scheduled_at"][11:16]) for row in rows[:4]] == [
        (1, "w.c", "08:00"),
        (1, "w.a", "09:00"),
        (1, "w.b", "01:00"),
        (1, "w.c", "10:00"),
    ]
    assert {row["group"] for row in rows[4:]} == {2}


def test_loops_are_printed_last() -> None:
    """VER-1."""
    catalog = make_catalog(
        make_task("w.a", "30 6,12 * * *", CHILDREN),
        make_task("w.b", "0 0,6,12 * * *", "w.a"),
        make_task("w.z", "0 23 * * *"),
    )
    rows = list(plan_rows(plan_of(catalog, "2026-01-01"), LATER))
    assert rows[0]["task"] == "w.z"
    assert len(rows) == 6


def test_rows_of_random_plans_can_run_in_their_order() -> None:
    """DEP-1..14, VER-1: every instance once, after all that it waits for, but for circles."""
    ordered = 0
    for seed in range(150):
        chance = Random(seed)
        catalog, policy = random_catalog(chance), random_policy(chance)
        try:
            plan = build(catalog, Choice(tuple(catalog.tasks)), policy)
        except NothingToRunError:
            continue
        rows = list(plan_rows(plan, LATER))
        assert len(rows) == plan.instance_count
        assert [date.fromisoformat(d) for d in dict.fromkeys(row["bizdate"] for row in rows)] == [
            d for d in plan.dates if plan.by_bizdate[d]
        ]
        done: set[tuple[str, str]] = set()
        held_up = False
        for row in rows:
            assert row["waits_for"] == sorted(row["waits_for"])
            ready = all((name, at) in done for name, at in row["waits_for"])
            held_up = held_up or not ready
            done.add((row["task"], row["scheduled_at"]))
        assert len(done) == len(rows)
        assert held_up == any(finding.code == "loop" for finding in verify(plan, LATER))
        ordered += not held_up
    assert ordered > 75
