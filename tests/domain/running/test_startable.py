"""What a start would fail for, known when a plan is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.catalogs import make_catalog, make_task
from domain.plans import plan_of
from retrofill.domain.catalog.definitions import Catalog, RunMode, Task
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.planning.plan import build
from retrofill.domain.running.startable import Known, Lack, obstacles
from retrofill.domain.selection.choice import Choice, DryRunReason
from retrofill.domain.verification.codes import Level
from retrofill.domain.verification.findings import Finding

DAILY = "0 2 * * *"


def known(*there: str, driver: str | None = None) -> Known:
    return Known(
        lambda name: None if name in there else Lack("is not set", f"Set {name}."),
        there.__contains__,
        lambda _: driver,
        "/opt/python",
    )


def told(catalog: Catalog, here: Known) -> list[tuple[str, tuple[str, ...]]]:
    found = list(obstacles(plan_of(catalog, "2026-01-01"), here))
    assert all(f.level is Level.WARNING for f in found)
    return [(f.code, f.tasks) for f in found]


def sql(name: str, connection: str, **more: Any) -> Task:
    return make_task(name, DAILY, type=TaskType.SQL, connection=connection, **more)


def shelled(name: str, shell: str, schedule: str, **more: Any) -> Task:
    more["shell"] = shell
    return make_task(name, schedule, **more)


def test_secrets_that_are_not_set() -> None:
    """SEC-3, VER-1 `unset_secret`: of parameters, overrides and connections; one finding a secret."""
    catalog = replace(
        make_catalog(
            make_task("w.a", DAILY, parameters=(("pw", "${secret:PW}"), ("day", "$bizdate"))),
            make_task("w.b", DAILY, parameters=(("pw", "${secret:SET}"),)),
            sql("w.c", "mart"),
        ),
        connections={"mart": "postgresql://etl:${secret:PW}@db/mart"},
    )
    assert told(catalog, known("SET", "/bin/sh")) == [("unset_secret", ("w.a", "w.c"))]
    (found,) = obstacles(plan_of(catalog, "2026-01-01"), known("SET", "/bin/sh"))
    assert (found.message, str(found.hint)) == (
        "The secret PW is not set: w.a, w.c cannot start without it.",
        "Set PW.",
    )
    assert told(catalog, known("SET", "PW", "/bin/sh")) == []
    overridden = plan_of(catalog, "2026-01-01", overrides={"w.a": {"pw": "plain"}})
    assert [f.tasks for f in obstacles(overridden, known("SET", "/bin/sh"))] == [("w.c",)]


def test_connections_with_which_nothing_runs() -> None:
    """VER-1 `missing_connection`: not declared, or its driver is not installed."""
    catalog = replace(
        make_catalog(sql("w.a", "mart"), sql("w.b", "gone")),
        connections={"mart": "mysql://db/mart"},
    )
    assert told(catalog, known()) == [("missing_connection", ("w.b",))]
    both: list[Finding] = list(obstacles(plan_of(catalog, "2026-01-01"), known(driver="needs the package x")))
    assert [f.message for f in both] == [
        "The connection gone is not declared: w.b will fail.",
        "The connection mart needs the package x: w.a will fail.",
    ]


def test_interpreters_that_are_not_there() -> None:
    """CAT-10, VER-1 `missing_interpreter`: `shell`, `#!`, the setting `python`."""
    catalog = make_catalog(
        shelled("w.bash", "bash", DAILY),
        make_task("w.env", DAILY, code="#!/usr/bin/env ruby\nputs 1"),
        shelled("w.own", "bash", DAILY, env=(("PATH", "/opt/bin"),)),
        make_task("w.py", DAILY, type=TaskType.PYTHON),
        make_task("w.sh", DAILY),
    )
    assert told(catalog, known("/bin/sh", "bash")) == [
        ("missing_interpreter", ("w.py",)),
        ("missing_interpreter", ("w.env",)),
    ]


def test_only_what_really_runs_matters() -> None:
    """VER-1: neither dry runs nor off days start anything."""
    catalog = make_catalog(
        make_task("w.a", DAILY),
        shelled("w.dry", "x", DAILY, mode=RunMode.DRY_RUN),
        shelled("w.left", "x", DAILY),
        shelled("w.off", "x", "0 2 31 12 *"),
    )
    choice = Choice(tuple(catalog.tasks), {"w.left": DryRunReason.BLACKLISTED})
    plan = build(catalog, choice, plan_of(catalog, "2026-01-01").policy)
    assert list(obstacles(plan, known("/bin/sh"))) == []
