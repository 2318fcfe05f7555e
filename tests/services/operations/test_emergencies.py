"""What administrators change about single instances: waits, priority, resource group (OPS-7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.catalogs import SELF, make_catalog, make_task
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.errors import Kind, NotPermittedError, UnknownNameError, WrongStateError
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import Barrier, PriorityError
from retrofill.domain.running.results import ItemResult
from retrofill.domain.running.states import State
from retrofill.services.operations.emergencies import Emergencies
from retrofill.services.reading.dag import dag_around
from retrofill.services.reading.instances import InstanceReader
from services.reached import REACH, two_tasks
from services.worlds import MakeWorld, World

Change = Callable[[Emergencies, list[int]], list[ItemResult]]
CHANGES: dict[str, Change] = {
    "remove-wait": lambda service, ids: service.remove_waits(ids, None, "a comment"),
    "set-priority": lambda service, ids: service.set_priority(ids, 8, "a comment"),
    "set-resource-group": lambda service, ids: service.set_resource_group(ids, "night", "a comment"),
}
LEGAL = {State.NOT_RUN, State.WAITING_TIME, State.WAITING_RESOURCES, State.FAILED, State.FROZEN}
NIGHT = ResourceGroup("night", slots=1)


def record(w: World, instance_id: int) -> list[tuple[str, str | None, str | None, str]]:
    with w.store.read() as reader:
        found = reader.operations("instance_id", instance_id)
    return [(o.action, o.from_state, o.to_state, o.comment) for o in found]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("action", list(CHANGES))
def test_every_change_in_every_state(world: MakeWorld, action: str, state: State) -> None:
    """OPS-7, OPS-8: before a run only; recorded with what changed; a second time changes nothing."""

    def with_group(*tasks: object, **more: object) -> World:
        return world(*tasks, groups=(NIGHT,), **more)

    w, name = REACH[state](with_group)
    row = w.rows()[name]
    before = record(w, row.id)
    (result,) = CHANGES[action](w.emergencies, [row.id])
    has_waits = name.startswith("b")
    if state not in LEGAL:
        assert isinstance(result.error, WrongStateError)
        assert state.words in result.error.message
        assert w.rows()[name] == row
        assert record(w, row.id) == before
    elif action == "remove-wait" and not has_waits:
        assert result.unchanged
        assert record(w, row.id) == before
    else:
        assert result.ok
        (noted,) = record(w, row.id)[len(before) :]
        assert noted[:3] == (action, state, state)
        assert "a comment" in noted[3]
        (again,) = CHANGES[action](w.emergencies, [row.id])
        assert again.unchanged
    assert w.drift() == []


def test_a_removed_wait_lets_the_instance_run_and_does_not_come_back(world: MakeWorld) -> None:
    """OPS-7: an upstream that leaves Successful later is not waited for again."""
    w = world(*two_tasks())
    w.create()
    up, down = w.id("a 5 01:00"), w.id("b 5 02:00")
    assert "w.a" in w.why("b 5 02:00").text
    (result,) = w.emergencies.remove_waits([down], [up], "no time")
    assert result.ok
    assert w.state("b 5 02:00") == "waiting_resources"
    assert record(w, down) == [
        ("remove-wait", "not_run", "not_run", f"waits no longer for instance {up}. no time")
    ]
    assert w.finish() == [{"a 5 01:00", "b 5 02:00"}]
    assert w.do("rerun", "a 5 01:00", "b 5 02:00") == [None, None]
    assert w.states() == {"a 5 01:00": "waiting_resources", "b 5 02:00": "waiting_resources"}
    assert w.drift() == []


def test_a_wait_that_is_satisfied_can_be_removed_too(world: MakeWorld) -> None:
    """OPS-7: so that a rerun above does not withdraw the instance."""
    w = world(*two_tasks())
    w.create()
    w.finish(fails=lambda name: name.startswith("b"))
    assert w.emergencies.remove_waits([w.id("b 5 02:00")], None)[0].ok
    w.do("rerun", "a 5 01:00", "b 5 02:00")
    assert set(w.states().values()) == {"waiting_resources"}
    assert w.drift() == []


def test_only_the_named_waits_go_and_why_names_those_that_are_left(world: MakeWorld) -> None:
    """OPS-7, OPS-9, OPS-10: the graph shows which are gone."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.b", "0 1 * * *"),
        make_task("w.c", "0 3 * * *", "w.a", "w.b"),
    )
    w.create()
    a, c = w.id("a 5 01:00"), w.id("c 5 03:00")
    w.emergencies.remove_waits([c], [a])
    assert w.state("c 5 03:00") == "not_run"
    assert "w.a" not in w.why("c 5 03:00").text
    assert "w.b" in w.why("c 5 03:00").text
    with w.store.read() as reader:
        row = reader.find_instance(c)
        assert row is not None
        dag = dag_around(reader, w.graphs, row, 1, 0)
    assert len(dag.edges) == 2
    assert dag.removed == {(a, c)}
    w.tick()
    w.end("b 5 01:00")
    assert w.state("c 5 03:00") == "running"


def test_what_is_not_waited_for_cannot_be_removed(world: MakeWorld) -> None:
    """OPS-7, OPS-8: said per item; a removed wait is still known."""
    w = world(*two_tasks(), make_task("w.z", "0 1 * * *"))
    w.create()
    b, z = w.id("b 5 02:00"), w.id("z 5 01:00")
    for stranger in (z, 999_999, b):
        (result,) = w.emergencies.remove_waits([b], [stranger])
        assert isinstance(result.error, WrongStateError)
        assert f"does not wait for instance {stranger}" in result.error.message
    assert w.drift() == []


def test_a_group_that_has_just_been_deployed_away(world: MakeWorld) -> None:
    """OPS-7: it was there when it was named, and is not in the transaction."""
    w = world(*two_tasks(), groups=(ResourceGroup("night", slots=1),))
    w.create()
    known = w.emergencies
    w.deploy(make_catalog(*two_tasks(), groups=(ResourceGroup("default"),)))
    (result,) = known.set_resource_group([w.id("a 5 01:00")], "night")
    assert isinstance(result.error, UnknownNameError)
    assert w.rows()["a 5 01:00"].resource_group == "default"


def test_a_double_wait_goes_as_a_whole(world: MakeWorld) -> None:
    """OPS-7, POL-6: with `barrier: task` an instance may wait for another one for two reasons."""
    w = world(make_task("w.a", "0 1 * * *", SELF))
    w.create(dates="2026-01-05..2026-01-06", barrier=Barrier.TASK)
    first, second = w.id("a 5 01:00"), w.id("a 6 01:00")
    assert w.rows()["a 6 01:00"].open_waits == 2
    w.emergencies.remove_waits([second], [first])
    assert w.rows()["a 6 01:00"].open_waits == 0
    assert w.finish() == [{"a 5 01:00", "a 6 01:00"}]
    w.do("rerun", "a 5 01:00")
    assert w.drift() == []


def test_the_turn_of_a_date_is_no_wait(world: MakeWorld) -> None:
    """OPS-7, POL-6: without any wait left an instance still lets the dates before it go first."""
    w = world(*two_tasks())
    w.create(dates="2026-01-05..2026-01-06")
    w.emergencies.remove_waits([w.id("b 6 02:00")], None)
    assert w.state("b 6 02:00") == "not_run"
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}, {"a 6 01:00", "b 6 02:00"}]


def test_a_group_goes_on_when_the_isolation_is_removed(world: MakeWorld) -> None:
    """OPS-7, POL-7, DEP-11."""
    tasks = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    w = world(*tasks)
    backfill = w.create(dates="2026-01-05..2026-01-06", time_range=(120, 180), allow_risks=True)
    w.finish()
    assert w.states() == {"b 5 02:00": "not_run", "b 6 02:00": "not_run"}
    assert w.row(backfill)["blocked_by"] == ["isolated"]
    b = w.id("b 5 02:00")
    assert w.emergencies.remove_waits([b], None)[0].ok
    assert record(w, b)[0][3] == "is isolated no longer"
    assert w.drift() == []
    assert w.finish() == [{"b 5 02:00"}]
    assert w.state("b 6 02:00") == "not_run isolated", "each has its own"
    w.do("rerun", "b 5 02:00")
    assert w.finish() == [{"b 5 02:00"}]


def test_auto_triggered_instances_too(world: MakeWorld) -> None:
    """OPS-7, AUTO-2: open waits and isolation, here of one made at a deploy whose upstream was not."""
    w = world(*two_tasks(), now="2026-03-02T12:00")
    w.clock.move_to("2026-03-02T23:30")
    w.night()
    w.clock.move_to("2026-03-03T00:30")
    gone = make_task("w.gone", "0 0 * * *")
    lone = make_task("w.lone", "0 2 * * *", "w.gone", generation="immediate")
    w.deploy(make_catalog(gone, lone, *two_tasks()))
    assert sum(w.schedule.make_owed().values()) == 1
    w.clock.move_to("2026-03-03T12:00")
    w.scheduler.look_again()
    w.tick()
    assert w.auto_states()["lone 2 02:00"] == "not_run isolated"
    lone, a, b = (w.id(f"auto {name}") for name in ("lone 2 02:00", "a 2 01:00", "b 2 02:00"))
    assert [r.ok for r in w.emergencies.remove_waits([lone, b], None)] == [True, True]
    w.tick()
    assert w.auto_states() == {"a 2 01:00": "running", "b 2 02:00": "running", "lone 2 02:00": "running"}
    w.end("auto a 2 01:00", "auto b 2 02:00", "auto lone 2 02:00")
    w.operations.rerun([a, b, lone])
    assert set(w.auto_states().values()) == {"waiting_resources"}
    assert w.drift() == []


def test_a_priority_stays_whatever_the_age(world: MakeWorld) -> None:
    """OPS-7, POL-12, RUN-1: it decides who starts next, and is not lowered when judged anew."""
    tasks = [make_task(f"w.{name}", "0 1 * * *", priority=7) for name in "abc"]
    w = world(*tasks, make_task("w.z", "0 2 * * *", "w.a", priority=7), slots=1)
    w.create()
    assert w.rows()["c 5 01:00"].priority == 3, "an old date"
    w.emergencies.set_priority([w.id("c 5 01:00"), w.id("z 5 02:00")], 8)
    assert w.finish() == [{"c 5 01:00"}, {"a 5 01:00"}, {"z 5 02:00"}, {"b 5 01:00"}]
    w.do("rerun", "c 5 01:00")
    assert w.rows()["c 5 01:00"].priority == 8
    assert record(w, w.id("c 5 01:00"))[0][3] == "priority 3 -> 8"


def test_a_change_of_the_backfill_leaves_what_was_set(world: MakeWorld) -> None:
    """OPS-7, BF-3: instances that wait for a slot now, and those that do so later."""
    w = world(*two_tasks(), groups=(NIGHT, ResourceGroup("other")))
    backfill = w.create()
    ids = [row.id for row in w.rows().values()]
    w.emergencies.set_priority(ids, 8)
    w.emergencies.set_resource_group(ids, "night")
    w.backfills.change(backfill, Changes({"priority": 5, "resource_group": "other"}))
    with w.store.read() as reader:
        shows = InstanceReader(w.view(reader))
        shown = [shows.row(row) for row in reader.instances(ids)]
    assert {(row["priority"], row["resource_group"]) for row in shown} == {(8, "night")}
    w.finish()
    assert {(row.priority, row.resource_group) for row in w.rows().values()} == {(8, "night")}


@pytest.mark.parametrize("priority", [0, 2, 9, -1])
def test_only_priorities_that_there_are(world: MakeWorld, priority: int) -> None:
    """OPS-7: those of baselines."""
    w = world(*two_tasks())
    w.create()
    with pytest.raises(PriorityError):
        w.emergencies.set_priority([w.id("a 5 01:00")], priority)


def test_another_resource_group_gives_its_slots(world: MakeWorld) -> None:
    """OPS-7, POL-10: also after a rerun."""
    w = world(*(make_task(f"w.{name}", "0 1 * * *") for name in "ab"), groups=(NIGHT,), slots=1)
    w.create()
    w.emergencies.set_resource_group([w.id("b 5 01:00")], "night")
    assert w.finish() == [{"a 5 01:00", "b 5 01:00"}]
    w.do("rerun", "a 5 01:00", "b 5 01:00")
    assert {name: row.resource_group for name, row in w.rows().items()} == {
        "a 5 01:00": "default",
        "b 5 01:00": "night",
    }


def test_a_resource_group_must_exist_and_be_bound(world: MakeWorld) -> None:
    """OPS-7, POL-10."""
    w = world(*two_tasks(), groups=(ResourceGroup("theirs", workspaces=frozenset({"other"})),))
    w.create()
    with pytest.raises(UnknownNameError, match="there is no resource group"):
        w.emergencies.set_resource_group([w.id("a 5 01:00")], "their")
    (result,) = w.emergencies.set_resource_group([w.id("a 5 01:00")], "theirs")
    assert result.error is not None
    assert "not bound to workspace w" in result.error.message
    assert result.error.kind is Kind.USAGE


def test_what_takes_no_slot_has_no_place_in_a_queue(world: MakeWorld) -> None:
    """OPS-7, RUN-2: a virtual task passes; its waits can be removed."""
    from retrofill.domain.catalog.task_types import TaskType

    w = world(
        make_task("w.a", "0 1 * * *"), make_task("w.v", "0 2 * * *", "w.a", type=TaskType.VIRTUAL, code="")
    )
    w.create()
    v = w.id("v 5 02:00")
    (result,) = w.emergencies.set_priority([v], 8)
    assert isinstance(result.error, WrongStateError)
    assert w.emergencies.remove_waits([v], None)[0].ok
    w.tick()
    assert w.state("v 5 02:00") == "successful"


@pytest.mark.parametrize(
    ("user", "error"), [("alice", None), ("bob", NotPermittedError), ("carol", NotPermittedError)]
)
def test_only_administrators_of_the_workspace(
    world: MakeWorld, user: str, error: type[Exception] | None
) -> None:
    """OPS-7, SEC-2, SEC-4: others are refused; who is no member is told that there is no such instance."""
    roles = {"alice": "administrator", "bob": "operator", "carol": "developer"}
    tasks = [
        make_task("w.a", "0 1 * * *", owner="carol"),
        make_task("w.b", "0 2 * * *", "w.a", owner="carol"),
    ]
    w = world(
        *tasks, make_task("x.c", "0 1 * * *"), groups=(NIGHT,), members={"w": roles, "x": {"erin": "visitor"}}
    )
    w.create(selection=None)
    number = w.id("b 5 02:00")
    w.user = user
    for change in CHANGES.values():
        (result,) = change(w.emergencies, [number])
        assert (type(result.error) if result.error else None) is error
    w.user = "erin"
    for change in CHANGES.values():
        (result,) = change(w.emergencies, [number])
        assert isinstance(result.error, UnknownNameError)
        assert result.state is None


def test_what_is_removed_goes_with_its_instance(world: MakeWorld) -> None:
    """OPS-7, RET-1: retention finds it by its foreign key."""
    w = world(*two_tasks())
    w.create()
    b = w.id("b 5 02:00")
    w.emergencies.remove_waits([b], None)
    w.emergencies.set_priority([b], 8)
    with w.store.transaction() as tx:
        tx.retention.delete_instances([b])
    with w.store.read() as reader:
        assert reader.find_instance(b) is None
        assert reader.interventions.removed_of(b) == frozenset()
        assert reader.interventions.find_place(b) is None
