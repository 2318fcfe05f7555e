"""What is told of an operation before it is done is what becomes of it."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Rerun, ResourceGroup
from retrofill.domain.errors import InvalidValueError
from retrofill.domain.running.acts import Act
from retrofill.domain.running.states import State
from services.reached import REACH, REACH_AUTO, two_tasks
from services.worlds import MakeWorld, World

NIGHT = ResourceGroup("night", slots=1)


def do(w: World, act: Act, ids: list[int]) -> list[tuple[int, bool]]:
    """What was done: id, and whether anything was changed."""
    match act:
        case Act.REMOVE_WAITS:
            results = w.emergencies.remove_waits(ids, None)
        case Act.PRIORITY:
            results = w.emergencies.set_priority(ids, 8)
        case Act.RESOURCE_GROUP:
            results = w.emergencies.set_resource_group(ids, "night")
        case Act.RERUN_DESCENDANTS:
            results = w.operations.rerun_descendants(ids, include_self=True)
        case _:
            results = getattr(w.operations, act.replace("-", "_"))(ids)
    return [(one.id, not one.unchanged) for one in results if one.ok]


@pytest.mark.parametrize("kind", ["backfill", "auto"])
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("act", list(Act))
def test_what_is_foreseen_is_what_is_done(world: MakeWorld, act: Act, state: State, kind: str) -> None:
    """OPS-1..7: of every operation in every state, and nothing is changed by asking."""

    def with_group(*tasks: object, **more: object) -> World:
        return world(*tasks, groups=(NIGHT,), **more)

    w, name = (REACH if kind == "backfill" else REACH_AUTO)[state](with_group)
    row = w.find(name)
    found = w.center.instances.foresee(act, [row.id, 777], with_self=True, priority=8, group="night")
    assert w.find(name) == row
    refused = {i for one in found["refused"] for i in one["ids"]}
    assert 777 in refused
    done = do(w, act, [row.id])
    if act is Act.RERUN_DESCENDANTS and not done:
        return  # what runs below hinders all of it, which `below_tasks` tells
    assert (found["fits"], found["unchanged"]) == (
        sorted(i for i, changed in done if changed),
        sorted(i for i, changed in done if not changed),
    )
    assert refused - {777} == {row.id} - {i for i, _ in done}
    assert w.drift() == []


def test_equal_reasons_are_told_once(world: MakeWorld) -> None:
    """OPS-8: what fits none says why, with how many."""
    w = world(*two_tasks())
    w.create("a")
    ids = [row.id for row in w.rows().values()]
    found = w.center.instances.foresee("stop", ids)
    assert found["fits"] == []
    assert sum(one["count"] for one in found["refused"]) == len(ids)
    assert {str(one["error"]).partition(" ")[0] for one in found["refused"]} == {"it"}


def test_what_waits_below_is_counted_through_others(world: MakeWorld) -> None:
    """OPS-5: also of later dates and through tasks between; what has succeeded is counted apart."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.b", "0 2 * * *", "w.a"),
        make_task("w.c", "0 3 * * *", "w.b"),
        make_task("w.other", "0 3 * * *"),
    )
    w.create(dates="2026-01-05..2026-01-06")
    w.finish(fails=lambda name: name.startswith("a 5"))
    failed = w.id("a 5 01:00")
    found = w.center.instances.foresee("set-successful", [failed])
    below = [name for name in w.rows() if name.startswith(("b 5", "c 5"))]
    assert (found["waiting_below"], found["tasks_below"], found["bizdates_below"]) == (len(below), 2, 1)
    assert found["successful_below"] == 0
    w.do("set_successful", "a 5 01:00")
    w.finish()
    again = w.center.instances.foresee("rerun", [failed])
    assert (again["waiting_below"], again["successful_below"]) == (0, 1)
    below = w.center.instances.foresee("rerun-descendants", [failed])
    assert below["below_tasks"] == [
        {"task": "w.b", "ended": 1, "running": 0},
        {"task": "w.c", "ended": 1, "running": 0},
    ]
    only = w.center.instances.foresee("rerun-descendants", [failed], tasks=["w.c"])
    assert only["fits"] == [w.id("c 5 03:00")]


def test_a_rerun_in_a_stopped_backfill_says_what_becomes_of_the_stop(world: MakeWorld) -> None:
    """OPS-2."""
    w = world(make_task("w.a", "0 1 * * *"))
    number = w.create("a")
    w.tick()
    w.backfills.pause(number)
    w.end("a 5 01:00", exit_code=1)
    found = w.center.instances.foresee("rerun", [w.id("a 5 01:00")])
    assert found["held"] == [{"backfill": number, "state": "paused", "goes_on": False}]


def test_a_task_that_may_not_be_rerun_is_refused_before(world: MakeWorld) -> None:
    """OPS-2, RUN-3: rerun mode never."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun("never")))
    w.create("a")
    w.finish()
    found = w.center.instances.foresee("rerun", [w.id("a 5 01:00")])
    assert found["fits"] == []
    assert "rerun mode never" in str(found["refused"][0]["error"])


def test_what_is_no_act_is_refused(world: MakeWorld) -> None:
    w = world(*two_tasks())
    with pytest.raises(InvalidValueError, match="no act"):
        w.center.instances.foresee("explode", [1])
