"""Resource groups: who holds their slots and for how long, and who waits in which order (RUN-1)."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.errors import UnknownNameError
from services.centers import center_of
from services.worlds import MakeWorld

TASKS = (
    make_task("w.a", "0 1 * * *", priority=1),
    make_task("w.b", "0 1 * * *", priority=5),
    make_task("v.x", "0 1 * * *", priority=8),
)
NARROW = (ResourceGroup("narrow", type="serverless", slots=3, workspaces=("v", "w")),)
MEMBERS = {"w": {"alice": "visitor"}, "v": {"greta": "visitor"}}


def test_slots_and_queue(world: MakeWorld) -> None:
    """RUN-1, SEC-2: what may not be shown is counted all the same; higher priorities first."""
    w = world(*TASKS, groups=NARROW, slots=2, members=MEMBERS)
    w.create("a", dates="2026-01-04")
    w.finish()
    w.create(dates="2026-01-05")
    w.tick()
    w.create("b", "a", dates="2026-01-06")
    w.tick()
    w.user = "alice"
    found = center_of(w).groups.show("default")
    assert (found["slots"], found["held"], found["waiting"]) == (2, 2, 3)
    assert [row["task"] for row in found["running"]] == ["w.b"], "and a foreign one"
    assert found["running"][0]["usual_seconds"] is None, "it never ran"
    assert [row["task"] for row in found["queue"]] == ["w.b", "w.a", "w.a"]
    assert found["hidden"] == 1


def test_what_usually_runs_for_how_long(world: MakeWorld) -> None:
    """The mean of the latest successful runs, as estimates take it."""
    w = world(*TASKS)
    for seconds in (10, 20):
        w.create("a", dates="2026-01-04")
        w.tick()
        w.clock.forward(seconds)
        w.finish()
    w.create("a", dates="2026-01-05")
    w.tick()
    (held,) = center_of(w).groups.show("default")["running"]
    assert held["usual_seconds"] == 15


def test_which_workspaces_may_use_it(world: MakeWorld) -> None:
    """SEC-2: those of them that one is a member of."""
    w = world(*TASKS, groups=NARROW, members=MEMBERS)
    w.user = "alice"
    found = center_of(w).groups.show("narrow")
    assert (found["type"], found["workspaces"]) == ("serverless", ["w"])
    assert center_of(w).groups.show("default")["workspaces"] is None


def test_how_many_slots_were_in_use(world: MakeWorld) -> None:
    """RUN-1: by the schedule and by backfills, whosever they are, up to now."""
    w = world(*TASKS, members=MEMBERS, now="2026-03-01T22:00")
    w.create("a", "b", dates="2026-01-04")
    w.tick()
    w.clock.forward(30 * 60)
    w.finish()
    w.create("a", dates="2026-01-05")
    w.clock.move_to("2026-03-01T23:31")
    w.night()
    w.clock.move_to("2026-03-02T03:00")
    w.tick()
    w.clock.forward(60 * 60)
    w.user = "alice"
    found = center_of(w).groups.use("default", 8)
    assert (found["slots"], found["step_seconds"], found["complete"]) == (4, 300, True)
    hours = [sum(found["backfills"][n : n + 12]) / 12 for n in range(0, 96, 12)]
    assert hours == pytest.approx([0, 0, 1, 29 / 60, 1, 1, 1, 1], abs=0.01)
    assert found["schedule"][:84] == [0.0] * 84
    assert found["schedule"][84:] == [3.0] * 12
    with pytest.raises(UnknownNameError):
        center_of(w).groups.use("moon")
