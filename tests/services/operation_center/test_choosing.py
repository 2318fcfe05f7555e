"""What can be chosen before there are dates: below tasks, and between them."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.selection.choice import NotReachableError
from retrofill.services.operation_center.backfills import BackfillDesk
from services.centers import center_of
from services.worlds import MakeWorld

TASKS = (
    make_task("w.a", "0 1 * * *", owner="ann"),
    make_task("w.b", "0 2 * * *", "w.a"),
    make_task("x.c", "0 3 * * *", "w.b"),
    make_task("w.d", "0 4 * * *", "x.c", "w.a"),
    make_task("x.e", "0 5 * * *", "w.d"),
)
MEMBERS = {"w": {"ann": "operator", "bob": "visitor"}, "x": {"carl": "administrator"}}


def desk(world: MakeWorld, user: str = "admin") -> BackfillDesk:
    w = world(*TASKS, members=MEMBERS)
    w.user = user
    return center_of(w).backfills


def test_descendants_have_the_shortest_way_as_their_level(world: MakeWorld) -> None:
    """SEL-1: direct descendants are level 1, whatever longer ways there are."""
    found = desk(world).below(["a"])
    levels = [(one["task"], one["level"]) for one in found]
    assert levels == [("w.a", 0), ("w.b", 1), ("w.d", 1), ("x.c", 2), ("x.e", 2)]
    assert (found[0]["schedule_in_words"], found[0]["owner"]) == ("every day at 01:00", "ann")


def test_several_roots_are_looked_at_together(world: MakeWorld) -> None:
    levels = {one["task"]: one["level"] for one in desk(world).below(["w.b", "w.d"])}
    assert levels == {"w.b": 0, "w.d": 0, "x.c": 1, "x.e": 1}


def test_who_may_only_look_is_told_so(world: MakeWorld) -> None:
    """SEL-5: a visitor sees the tasks of the workspace, and may backfill none."""
    assert [one["permitted"] for one in desk(world, "bob").below(["a"])] == [False] * 3
    assert [one["permitted"] for one in desk(world, "ann").below(["a"])] == [True] * 3


def test_foreign_tasks_between_are_named_and_nothing_else(world: MakeWorld) -> None:
    """SEC-2: as in a plan, where it is a dry run."""
    ann = desk(world, "ann")
    assert [one["task"] for one in ann.below(["w.b"])] == ["w.b", "w.d"]
    found = ann.between("w.b", ["w.d"])
    assert [one["task"] for one in found["tasks"]] == ["w.b", "w.d", "x.c"]
    foreign = found["tasks"][2]
    assert foreign == {
        "id": None, "task": "x.c", "level": 1, "type": None, "schedule_in_words": None, "owner": None, "permitted": False,
    }  # fmt: skip


def test_the_ways_between_are_told_as_a_graph(world: MakeWorld) -> None:
    """SEL-2: what waits for the start from elsewhere is no part of it."""
    found = desk(world).between("w.a", ["w.d"])
    assert [one["task"] for one in found["tasks"]] == ["w.a", "w.b", "w.d", "x.c"]
    assert sorted(found["edges"]) == [["w.a", "w.b"], ["w.a", "w.d"], ["w.b", "x.c"], ["x.c", "w.d"]]


def test_what_does_not_lie_below_is_refused(world: MakeWorld) -> None:
    with pytest.raises(NotReachableError, match=r"w\.a does not depend on w\.d"):
        desk(world).between("w.d", ["w.a"])
    with pytest.raises(UnknownNameError):
        desk(world, "ann").below(["x.c"])
