"""What is declared of tasks, found, sorted and page by page (CAT-8, OPS-10)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.catalog.definitions import Dependency, DependencyKind, RunMode
from retrofill.domain.catalog.searches import TaskSearch
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.searches import Numbered
from services.centers import center_of
from services.worlds import MakeWorld, World

TASKS = (
    make_task("v.a", "0 1 * * *", owner="ann", mode=RunMode.DRY_RUN),
    make_task("w.b", "0 2 * * *", "v.a", SELF, parameters=(("day", "$bizdate"),)),
    make_task("w.c", "0 3 * * *", Dependency(DependencyKind.PREVIOUS, "v.a"), "w.b"),
    make_task("w.d", "0 3 * * *", Dependency(DependencyKind.CHILDREN), "w.c"),
    make_task("w.e", "0 3 * * *", "w.d"),
)


def found(w: World, page: Numbered | None = None, **search: Any) -> list[str]:
    listed = center_of(w).declared.list(TaskSearch(**search), page or Numbered(limit=-1, is_descending=False))
    return [one["task"] for one in listed["items"]]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ({"workspace": "v"}, ["v.a"]),
        ({"workspace": "moon"}, []),
        ({"ids": (2, 3, 99)}, ["w.b", "w.c"]),
        ({"name": "B"}, ["w.b"]),
        ({"name": "w."}, []),
        ({"owner": "ann"}, ["v.a"]),
        ({"type": "sql"}, []),
        ({"resource_group": "moon"}, []),
        ({"modes": ("dry_run",)}, ["v.a"]),
        ({"modes": ("paused",)}, ["w.e"]),
    ],
)
def test_tasks_are_found_by_what_is_asked_of_them(
    world: MakeWorld, search: dict[str, Any], names: list[str]
) -> None:
    """All of it must hold; a task that was frozen by a command counts as paused (AUTO-4)."""
    w = world(*TASKS)
    center_of(w).tasks.freeze(["w.e"])
    assert found(w, **search) == names


def test_pages_are_by_id(world: MakeWorld) -> None:
    w = world(*TASKS)
    assert found(w, Numbered(offset=1, limit=2)) == ["w.d", "w.c"]
    assert center_of(w).declared.list(TaskSearch(), Numbered(limit=1))["total"] == 5


def test_a_task_tells_what_it_waits_for(world: MakeWorld) -> None:
    """DEP-1, DEP-6..8."""
    declared = center_of(world(*TASKS)).declared
    assert declared.show(2)["waits_for"] == [
        {"kind": "same_cycle", "task": "v.a", "id": 1},
        {"kind": "self", "task": None, "id": None},
    ]
    assert declared.show(2)["parameters"] == {"day": "$bizdate"}
    with pytest.raises(UnknownNameError, match="there is no task 99"):
        declared.show(99)


@pytest.mark.parametrize(
    ("number", "below", "expected"),
    [
        (1, True, [("same_cycle", "w.b"), ("earlier_cycle", "w.c")]),
        (2, False, [("same_cycle", "v.a"), ("earlier_cycle", "w.b")]),
        (4, False, [("same_cycle", "w.c"), ("earlier_cycle", "w.e")]),
        (5, True, [("earlier_cycle", "w.d")]),
    ],
)
def test_neighbours_of_a_task(
    world: MakeWorld, number: int, below: bool, expected: list[tuple[str, str]]
) -> None:
    """DEP-1, DEP-6..8: children of the previous cycle are waited for, too."""
    neighbours = center_of(world(*TASKS)).declared.neighbours(number, below)
    assert [(one["dependency"], one["task"]["task"]) for one in neighbours] == expected
