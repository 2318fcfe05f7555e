"""Rows of a list say in a few words what an instance's own page explains."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import LimitError
from retrofill.domain.running.searches import InstanceSearch
from services.worlds import MakeWorld, World

CHAIN = (
    make_task("w.a", "0 1 * * *"),
    make_task("w.b", "0 2 * * *", "w.a"),
    make_task("w.c", "0 3 * * *", "w.b"),
)


def failed(world: MakeWorld) -> World:
    """`a` has failed on the first of two dates."""
    w = world(*CHAIN)
    w.create(dates="2026-01-05..2026-01-06")
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    return w


def texts(w: World, *names: str) -> list[str]:
    return [one["text"] for one in w.center.backfills.reasons(1, [w.id(name) for name in names])]


def test_what_waits_is_told_its_nearest_and_its_last_cause(world: MakeWorld) -> None:
    """OPS-9: in the order in which they are asked for."""
    w = failed(world)
    assert texts(w, "c 5 03:00", "b 5 02:00") == [
        "waits for w.b (Not run); in the end for w.a",
        "waits for w.a (Failed)",
    ]
    found = w.center.backfills.reasons(1, [w.id("c 5 03:00")])[0]
    assert (found["held_up"], found["cause"]) == (True, w.id("a 5 01:00"))


def test_a_date_whose_turn_has_not_come_says_where_its_group_is(world: MakeWorld) -> None:
    """OPS-9, POL-6."""
    assert texts(failed(world), "a 6 01:00") == [
        "its group is at 2026-01-05, where 3 instances have not succeeded"
    ]


def test_what_is_held_up_is_what_the_search_finds(world: MakeWorld) -> None:
    """OPS-9: in the list and in each row."""
    w = failed(world)
    ids = [row["id"] for row in w.center.instances.list()["items"]]
    told = {one["id"] for one in w.center.backfills.reasons(1, ids) if one["held_up"]}
    found = {row["id"] for row in w.center.instances.list(InstanceSearch((1,), held_up=True))["items"]}
    assert told == found
    assert len(found) == 5


def test_with_states_what_is_held_up_comes_besides(world: MakeWorld) -> None:
    """BF-2: both sorts, in the order of lists."""
    w = failed(world)
    rows = w.center.instances.list(InstanceSearch((1,), states=("failed",), held_up=True))["items"]
    assert [row["state"] for row in rows] == ["failed", *["not_run"] * 5]


def test_instances_of_others_are_passed_over(world: MakeWorld) -> None:
    """SEC-2: as if they were not there."""
    w = failed(world)
    other = w.create()
    with w.store.read() as reader:
        record = reader.find_backfill(other)
        assert record is not None
    assert w.center.backfills.reasons(1, [record.first_instance_id, 10_000]) == []


def test_only_so_many_are_explained_at_once(world: MakeWorld) -> None:
    w = failed(world)
    with pytest.raises(LimitError, match="101 instances"):
        w.center.backfills.reasons(1, range(1, 102))
