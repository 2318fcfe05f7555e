"""Versions of one task: which changed it, and what differs between two of them (CAT-9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.definitions import Rerun, Task
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.time.cron import parse
from services.centers import center_of
from services.worlds import MakeWorld, World

A = make_task("w.a", "0 1 * * *", code="one\ntwo\nthree\n")
B = make_task("w.b", "0 2 * * *", "v.x")
X = make_task("v.x", "0 1 * * *")
MEMBERS = {"w": {"alice": "visitor"}, "v": {"greta": "visitor"}}


def make(world: MakeWorld) -> World:
    """1: a, b. 2: b changed. 3: a changed in two ways. 4: a gone. 5: a as in 3."""
    w = world(A, B, X, members=MEMBERS)
    other = replace(A, code="one\n2\nthree\n", schedule=parse("30 1 * * 1"), rerun=Rerun(times=2))
    for tasks in ((A, replace(B, priority=5), X), (other, B, X), (B, X), (other, B, X)):
        w.clock.forward(60)
        w.deploy(make_catalog(*tasks, members=MEMBERS))
    return w


def test_the_versions_that_changed_a_task(world: MakeWorld) -> None:
    """CAT-9: newest first, page by page, without those that changed others."""
    versions = center_of(make(world)).versions
    found = versions.of_task("w.a")
    assert [(one["version"], one["change"], one["what"]) for one in found["items"]] == [
        (5, "added", []),
        (4, "removed", []),
        (3, "changed", ["schedule", "code", "rerun"]),
        (1, "added", []),
    ]
    assert found["next"] is None
    first = versions.of_task("w.a", 2)
    assert (len(first["items"]), first["next"]) == (2, 4)
    rest = versions.of_task("w.a", 2, 4)
    assert ([one["version"] for one in rest["items"]], rest["next"]) == ([3, 1], None)
    assert found["items"][0]["current"]
    assert found["items"][0]["deployed_by"] == "admin"


def test_what_differs_between_two_versions(world: MakeWorld) -> None:
    """CAT-9: what is declared in words, code line by line."""
    found = center_of(make(world)).versions.compare("w.a", 1, 3)
    assert found["fields"] == [
        {
            "field": "schedule",
            "before": "0 1 * * * (every day at 01:00)",
            "after": "30 1 * * 1 (Mondays at 01:30)",
        },
        {"field": "rerun", "before": "always, 0 times, every 120 s", "after": "always, 2 times, every 120 s"},
    ]
    assert [(line["kind"], line["before"], line["after"], line["text"]) for line in found["code"]] == [
        ("same", 1, 1, "one"),
        ("removed", 2, None, "two"),
        ("added", None, 2, "2"),
        ("same", 3, 3, "three"),
    ]


def test_a_task_that_one_version_lacks(world: MakeWorld) -> None:
    versions = center_of(make(world)).versions
    found = versions.compare("w.a", 4, 5)
    assert {line["kind"] for line in found["code"]} == {"added"}
    assert all(one["before"] is None for one in found["fields"])
    assert versions.compare("w.a", 3, 5) == {"task": "w.a", "older": 3, "newer": 5, "fields": [], "code": []}
    with pytest.raises(UnknownNameError):
        versions.compare("w.a", 4, 4)
    with pytest.raises(UnknownNameError):
        versions.compare("w.a", 1, 99)


def test_equal_lines_far_from_changes_are_left_out(world: MakeWorld) -> None:
    lines = [f"line {number}" for number in range(40)]
    task: Task = replace(A, code="\n".join(lines))
    w = world(task)
    w.deploy(make_catalog(replace(task, code="\n".join([*lines[:20], "changed", *lines[21:]]))))
    code = center_of(w).versions.compare("w.a", 1, 2)["code"]
    assert [line["kind"] for line in code] == ["gap", *["same"] * 3, "removed", "added", *["same"] * 3]


def test_foreign_tasks_are_not_named(world: MakeWorld) -> None:
    """SEC-2: neither they, nor that somebody waits for them."""
    w = make(world)
    w.user = "alice"
    versions = center_of(w).versions
    assert "v.x" not in str(versions.compare("w.b", 1, 2))
    assert "v.x" not in str(versions.of_task("w.b"))
    for ask in (lambda: versions.of_task("v.x"), lambda: versions.compare("v.x", 1, 1)):
        with pytest.raises(UnknownNameError):
            ask()
