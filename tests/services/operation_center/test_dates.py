"""What has one bizdate: dates of backfills and all instances of a date, found, sorted, page by page (BF-1, BF-2)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.searches import DateInstanceSearch, DateSearch, Numbered, Span
from services.centers import center_of
from services.worlds import MakeWorld, World

DAY = "2026-01-05"
TASKS = (
    make_task("w.a", "0 1 * * *", owner="ann", description="First."),
    make_task("w.b", "0 2 * * *", "w.a", SELF),
)


def states(w: World, **search: Any) -> list[tuple[int, int, str]]:
    """Backfill, place in running order, state: oldest backfill first."""
    page = center_of(w).dates.list(DateSearch(**search), Numbered(limit=-1, is_descending=False))
    return [(one["backfill"], one["position"], one["state"]) for one in page["items"]]


def instances(w: World, page: Numbered | None = None, **search: Any) -> list[str]:
    """Task and state, by id."""
    found = center_of(w).dates.instances(
        DateInstanceSearch(**{"bizdate": DAY} | search), page or Numbered(limit=-1, is_descending=False)
    )
    return [f"{one['task']} {one['state']}" for one in found["items"]]


def test_each_date_has_a_state_of_its_own(world: MakeWorld) -> None:
    """The one that tells most: what runs before what failed, and that before what waits."""
    w = world(*TASKS)
    w.create(dates="2026-01-05..2026-01-07")
    assert states(w) == [(1, 0, "waiting_resources"), (1, 1, "not_run"), (1, 2, "not_run")]
    w.tick()
    assert states(w)[0] == (1, 0, "running")
    w.end("a 5 01:00")
    w.end("b 5 02:00")
    w.end("a 6 01:00", exit_code=1)
    assert states(w) == [(1, 0, "successful"), (1, 1, "failed"), (1, 2, "not_run")]


def test_what_is_held_or_early_says_so(world: MakeWorld) -> None:
    """OPS-0: in a paused backfill what is ready counts as Not run; a future date waits for its time."""
    w = world(*TASKS)
    w.create(dates=DAY)
    w.backfills.pause(1)
    w.create(dates="2026-03-04")
    assert states(w) == [(1, 0, "not_run"), (2, 0, "waiting_time")]


def test_a_date_that_is_done_has_its_instants(world: MakeWorld) -> None:
    """BF-2: from the first start to the last end."""
    w = world(*TASKS)
    w.create("a")
    w.tick()
    dates = center_of(w).dates
    began = dates.show(1, 0)
    assert began["started_at"] == "2026-03-02T12:00:00Z"
    assert began["ended_at"] is None
    w.clock.move_to("2026-03-02T12:05")
    w.end("a 5 01:00")
    ended = dates.show(1, 0)
    assert (ended["ended_at"], ended["successful"], ended["total"]) == ("2026-03-02T12:05:00Z", 1, 1)
    assert (ended["workspace"], ended["created_by"]) == ("w", "admin")


def test_dates_are_found_by_what_is_asked_of_them(world: MakeWorld) -> None:
    """BF-1: all of it must hold."""
    w = world(*TASKS, make_task("v.other", "0 1 * * *"))
    w.create("a", dates="2026-01-05..2026-01-06")
    w.create(selection=_manual("v.other"), dates=DAY)
    w.finish()
    assert [one[:2] for one in states(w, bizdate=DAY)] == [(1, 0), (2, 0)]
    assert [one[:2] for one in states(w, bizdate=DAY, workspace="v")] == [(2, 0)]
    assert [one[:2] for one in states(w, dates=[(1, 1)])] == [(1, 1)]
    assert states(w, dates=[(1, 1)], bizdate=DAY) == []
    assert [one[:2] for one in states(w, name="W.A")] == [(1, 0), (1, 1)]
    assert states(w, creator="nobody") == []
    assert states(w, states=("failed",)) == []
    with pytest.raises(UnknownNameError, match="backfill 1 has no bizdate number 3"):
        states(w, dates=[(1, 2)])


def test_pages_have_numbers_and_a_total(world: MakeWorld) -> None:
    w = world(*TASKS)
    w.create(dates="2026-01-05..2026-01-09")
    page = center_of(w).dates.list(DateSearch(), Numbered(offset=1, limit=2))
    assert ([one["position"] for one in page["items"]], page["total"]) == ([3, 2], 5)


def test_instances_of_a_date_are_those_of_backfills_and_of_the_night(world: MakeWorld) -> None:
    """AUTO-1, BF-1."""
    w = world(*TASKS)
    w.create("a", dates=f"{DAY} 2026-03-02")
    w.finish()
    w.clock.move_to("2026-03-02T23:31")
    w.night()
    assert instances(w) == ["w.a successful"]
    both = instances(w, bizdate="2026-03-02")
    assert sorted(both) == ["w.a waiting_time", "w.a waiting_time", "w.b not_run"]
    assert len(instances(w, bizdate="2026-03-02", auto=True)) == 2
    assert len(instances(w, bizdate="2026-03-02", auto=False)) == 1


def _manual(*names: str) -> Any:
    from retrofill.domain.selection.ways import ManualSelection

    return ManualSelection(names)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"task_name": "A"}, ["w.a successful"]),
        ({"task_type": "shell", "owner": "ann"}, ["w.a successful"]),
        ({"owner": "bob"}, []),
        ({"states": ("running",)}, ["w.b running"]),
        ({"kinds": ("dry_run",)}, []),
        ({"resource_group": "default"}, ["w.a successful", "w.b running"]),
        ({"resource_group": "moon"}, []),
        ({"dates": [(1, 0)]}, ["w.a successful", "w.b running"]),
        ({"dates": [(1, 1)]}, []),
        ({"ended": Span(first=1)}, ["w.a successful"]),
        ({"started": Span(last=1)}, []),
        ({"created": Span(first=1)}, ["w.a successful", "w.b running"]),
        ({"workspace": "w"}, ["w.a successful", "w.b running"]),
        ({"bizdate": "2026-01-07"}, []),
    ],
)
def test_instances_are_found_by_what_is_asked_of_them(
    world: MakeWorld, search: dict[str, Any], found: list[str]
) -> None:
    """BF-1: all of it must hold."""
    w = world(*TASKS)
    w.create(dates="2026-01-05..2026-01-06")
    w.tick()
    w.end("a 5 01:00")
    assert sorted(instances(w, **search)) == found


def test_instances_are_sorted_as_asked(world: MakeWorld) -> None:
    w = world(*TASKS)
    w.create("a", "b", dates=DAY)
    w.finish()
    for by in ("id", "due", "started", "ended", "created"):
        assert instances(w, Numbered(by=by, is_descending=False)) == ["w.a successful", "w.b successful"]
        assert instances(w, Numbered(by=by)) == ["w.b successful", "w.a successful"]


def test_a_workspace_that_there_is_not(world: MakeWorld) -> None:
    with pytest.raises(UnknownNameError, match='there is no workspace "moon"'):
        instances(world(*TASKS), workspace="moon")


def test_an_instance_tells_of_its_task(world: MakeWorld) -> None:
    """As of the version whose code it runs."""
    w = world(*TASKS)
    w.create("a", dates=DAY)
    found = center_of(w).dates.instance(w.id("a 5 01:00"))
    assert (found["owner"], found["description"], found["type"]) == ("ann", "First.", "shell")
    assert (found["due_at"], found["position"]) == ("2026-01-06T01:00:00Z", 0)
    assert found["declared"] == {}


def test_neighbours_say_whether_they_are_of_an_earlier_cycle(world: MakeWorld) -> None:
    """DEP-1, DEP-6, OPS-10."""
    w = world(*TASKS)
    w.create(dates="2026-01-05..2026-01-06")
    dates = center_of(w).dates

    def named(name: str, below: bool) -> list[tuple[str, str, str]]:
        found = dates.neighbours(w.id(name), below)
        return [(n["dependency"], n["instance"]["task"], n["instance"]["bizdate"]) for n in found]

    assert named("b 6 02:00", False) == [
        ("earlier_cycle", "w.b", "2026-01-05"),
        ("same_cycle", "w.a", "2026-01-06"),
    ]
    assert named("a 5 01:00", True) == [("same_cycle", "w.b", "2026-01-05")]
