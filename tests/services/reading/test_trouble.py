"""What holds a backfill up is told as it will turn out: what is said to wait is what is left when all else has ended."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalogs import SELF, make_task
from examples import examples
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import Barrier, OnFailure
from retrofill.domain.running.states import State
from services.running.histories import History
from services.worlds import MakeWorld, World

CHAIN = (
    make_task("w.a", "0 1 * * *"),
    make_task("w.b", "0 2 * * *", "w.a"),
    make_task("w.c", "0 3 * * *", "w.b"),
    make_task("w.d", "0 4 * * *"),
)


def failed(world: MakeWorld, **policy: object) -> World:
    """Of three dates, `a` has failed on the first one."""
    w = world(*CHAIN)
    w.create(dates="2026-01-05..2026-01-07", **policy)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    return w


def test_nothing_in_the_way_is_no_trouble(world: MakeWorld) -> None:
    """OPS-9: where nothing failed, all goes on."""
    w = world(*CHAIN)
    w.create()
    found = w.center.backfills.trouble(1)
    assert found["causes"] == []
    assert (found["held_up"], found["going_on"]) == (0, 4)


def test_a_failure_holds_up_its_descendants_and_the_dates_after_it(world: MakeWorld) -> None:
    """OPS-9, POL-6, POL-7: the group does not come to its next dates."""
    found = failed(world).center.backfills.trouble(1)
    (cause,) = found["causes"]
    assert (cause["task"], cause["bizdate"], cause["state"]) == ("w.a", "2026-01-05", "failed")
    assert (cause["held_up"], cause["held_up_tasks"], cause["held_up_groups"]) == (10, 4, [1])
    assert (found["failed"], found["held_up"], found["going_on"]) == (1, 10, 1)
    assert cause["run_number"] == 1


def test_a_group_that_passes_over_failures_holds_up_descendants_only(world: MakeWorld) -> None:
    """POL-14: its next dates go on."""
    w = failed(world, on_failure=OnFailure.CONTINUE)
    assert w.center.backfills.trouble(1)["held_up"] == 2


def test_what_holds_up_most_comes_first(world: MakeWorld) -> None:
    """OPS-9: one failure below the other, in time before it."""
    w = world(*CHAIN)
    w.create(dates="2026-01-05..2026-01-07", groups=3)
    w.tick()
    w.end("a 5 01:00")
    w.end("d 5 04:00", exit_code=1)
    w.end("a 6 01:00", exit_code=1)
    tasks = [(one["task"], one["held_up"]) for one in w.center.backfills.trouble(1)["causes"]]
    assert tasks == [("w.a", 2), ("w.d", 0)]


def test_frozen_ones_hold_up_too(world: MakeWorld) -> None:
    """OPS-6: what waits for a frozen instance cannot go on."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a", SELF))
    w.create(dates="2026-01-05..2026-01-06", groups=2)
    w.do("freeze", "b 5 02:00")
    found = w.center.backfills.trouble(1)
    assert (found["frozen"], found["held_up"], found["going_on"]) == (1, 1, 2)
    assert [one["state"] for one in found["causes"]] == ["frozen"]


def test_what_somebody_may_not_see_is_counted_and_not_named(world: MakeWorld) -> None:
    """SEC-2: of a failure in a foreign workspace only that there is one."""
    members = {"w": {"alice": "operator"}, "v": {"greta": "operator"}}
    w = world(make_task("v.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "v.a"), members=members)
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    w.user = "alice"
    found = w.center.backfills.trouble(1)
    assert (found["causes"], found["failed"], found["held_up"]) == ([], 1, 1)


def test_a_removed_wait_is_waited_for_no_longer(world: MakeWorld) -> None:
    """OPS-7: what an administrator has let go on is not held up, nor what waits for it alone."""
    w = failed(world, groups=3)
    w.emergencies.remove_waits([w.id("b 5 02:00")], None)
    assert w.center.backfills.trouble(1)["held_up"] == 0


def quiesce(history: History) -> None:
    """Let everything end that ends without a person who mends something."""
    w, number = history.world, history.backfill
    if w.row(number)["held"]:
        w.backfills.resume(number)
    if w.status(number) != "succeeded":
        w.backfills.change(number, Changes({"window": None, "max_failures": None}))
    before = None
    while before != (before := w.states()):
        if w.row(number)["held"]:
            w.backfills.resume(number)
        w.finish()
        w.clock.forward(10 * 86_400)
        w.tick()


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.integers(0, 10**9))
def test_what_is_said_to_wait_is_what_is_left(seed: int) -> None:
    """OPS-9, POL-6, POL-7, POL-14, OPS-7: whatever was done before, over any groups, barrier and failure policy."""
    with TemporaryDirectory() as directory:
        history = History(Path(directory), Random(seed))
        try:
            if not history.create():
                return
            w, number = history.world, history.backfill
            barrier = history.context().plan_of(0).policy.barrier
            if barrier is Barrier.DATE and history.chance.random() < 0.5:
                w.backfills.change(number, Changes({"on_failure": OnFailure.CONTINUE}))
            for _ in range(12):
                history.step()
            w.tick()
            found = w.center.backfills.trouble(number)
            quiesce(history)
            left = [row for row in w.rows(number).values() if row.state == State.NOT_RUN]
            assert found["held_up"] == len([row for row in left if row.reason != "isolated"])
            assert found["isolated"] == len([row for row in left if row.reason == "isolated"])
        finally:
            history.world.close()


def test_before_there_are_instances_nothing_is_held_up(world: MakeWorld) -> None:
    """SEL-4: what is chosen when it starts."""
    from retrofill.domain.selection.ways import AllDescendantsSelection

    w = world(*CHAIN)
    number = w.create(selection=AllDescendantsSelection("w.a"), dates="2030-01-01")
    assert w.center.backfills.trouble(number)["held_up"] == 0
