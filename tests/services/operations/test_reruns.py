"""Reruns of several instances and of whole backfills: in order, unless somebody asks otherwise (OPS-2..4)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalogs import SELF, make_task, random_catalog, random_policy
from examples import examples
from retrofill.domain.catalog.definitions import Rerun
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.errors import RetrofillError, WrongStateError
from retrofill.domain.planning.policy import Barrier, Policy
from retrofill.domain.running.states import State
from retrofill.domain.selection.ways import ManualSelection
from retrofill.domain.texts import Step
from retrofill.domain.time.cron import parse
from retrofill.domain.time.milliseconds import instant_of
from retrofill.executors.local.folder import RunsFolder
from retrofill.services.backfills.requests import Request, make_plan
from retrofill.services.operations import batches
from retrofill.services.reading.instances import InstanceReader
from retrofill.services.upkeep.custody import Rules
from retrofill.services.upkeep.retention import Retention
from services.reached import REACH_AUTO, two_tasks
from services.worlds import MakeWorld, World
from store.connections import file_of

HOURLY = "0 * * * *"
TWO_DATES = "2026-01-05..2026-01-06"


def hour(number: int) -> str:
    return f"acc 5 {number:02}:00"


# In order (OPS-3)


def test_what_failed_is_mended_in_order(world: MakeWorld) -> None:
    """OPS-3, POL-7: an hourly running total that failed at 05:00 adds up to 24, hour after hour."""
    w = world(make_task("w.acc", HOURLY, SELF))
    backfill = w.create()
    before = w.finish(fails=lambda name: name == hour(5))
    assert before == [{hour(h)} for h in range(6)]
    results = w.backfills.rerun(backfill, only_failed=True)
    assert [result.error for result in results if result.error] == []
    assert w.finish() == [{hour(h)} for h in range(5, 24)]
    assert w.status(backfill) == "succeeded"


def test_selected_instances_keep_the_order_as_well(world: MakeWorld) -> None:
    """OPS-3: named one by one, in whatever order they are named."""
    w = world(make_task("w.acc", HOURLY, SELF))
    w.create()
    w.finish(fails=lambda name: name == hour(5))
    w.do("rerun", *(hour(h) for h in range(23, 4, -1)))
    assert w.finish() == [{hour(h)} for h in range(5, 24)]


def test_siblings_come_back_with_the_one_that_failed(world: MakeWorld) -> None:
    """OPS-3, POL-7: also where only the one that failed is named."""
    w = world(make_task("w.acc", HOURLY, SELF), make_task("w.x", "0 1 * * *"))
    w.create()
    w.finish(fails=lambda name: name in (hour(5), "x 5 01:00"))
    assert w.do("rerun", hour(5), "x 5 01:00") == [None, None]
    assert w.finish()[1:] == [{hour(h)} for h in range(6, 24)]


def test_a_whole_backfill_in_order(world: MakeWorld) -> None:
    """OPS-3, POL-6: dependencies, and date after date."""
    w = world(*two_tasks())
    backfill = w.create(dates=TWO_DATES)
    w.finish()
    assert all(result.ok for result in w.backfills.rerun(backfill))
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}, {"a 6 01:00"}, {"b 6 02:00"}]
    assert {row.run_number for row in w.rows().values()} == {2}
    assert w.status(backfill) == "succeeded"


def test_a_whole_backfill_in_order_in_groups(world: MakeWorld) -> None:
    """OPS-3, POL-4: each group by itself."""
    w = world(make_task("w.a", "0 1 * * *"))
    backfill = w.create(dates="2026-01-05..2026-01-08", groups=2)
    w.finish()
    w.backfills.rerun(backfill)
    assert w.finish() == [{"a 5 01:00", "a 7 01:00"}, {"a 6 01:00", "a 8 01:00"}]


def test_a_whole_backfill_in_order_with_a_barrier_by_task(world: MakeWorld) -> None:
    """OPS-3, POL-6: a task's next date waits for its date before, and for nothing else."""
    w = world(*two_tasks())
    backfill = w.create(dates=TWO_DATES, barrier=Barrier.TASK)
    w.finish()
    w.backfills.rerun(backfill)
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00", "a 6 01:00"}, {"b 6 02:00"}]


def test_several_on_two_dates_keep_the_order_of_dates(world: MakeWorld) -> None:
    """OPS-3: for what has not succeeded; what has succeeded and was not chosen stays."""
    w = world(*two_tasks())
    w.create(dates=TWO_DATES)
    w.finish(fails=lambda name: name == "b 6 02:00")
    assert w.do("rerun", "a 5 01:00", "b 6 02:00") == [None, None]
    assert w.state("b 5 02:00") == "successful"
    assert "bizdate 2026-01-05" in w.why("b 6 02:00").text
    assert w.finish() == [{"a 5 01:00"}, {"b 6 02:00"}]


def test_a_date_that_is_under_way_waits_for_its_turn_again(world: MakeWorld) -> None:
    """OPS-0, OPS-3: what runs goes on, what waits for a slot goes back to Not run until the date before is done."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"), slots=1)
    w.create(dates=TWO_DATES)
    for name in ("a 5 01:00", "b 5 01:00"):
        w.tick()
        w.end(name)
    assert w.states() == {
        "a 5 01:00": "successful",
        "b 5 01:00": "successful",
        "a 6 01:00": "running",
        "b 6 01:00": "waiting_resources",
    }
    w.do("rerun", "a 5 01:00", "b 5 01:00")
    assert w.state("a 6 01:00") == "running"
    assert w.state("b 6 01:00") == "not_run"
    assert w.finish() == [{"a 6 01:00"}, {"a 5 01:00"}, {"b 5 01:00"}, {"b 6 01:00"}]


def test_a_date_whose_turn_was_taken_back_lets_no_later_one_begin(world: MakeWorld) -> None:
    """OPS-3, POL-6: what still ran of it ends, and completes it, before its turn comes again."""
    w = world(*two_tasks())
    w.create(dates="2026-01-05..2026-01-07")
    for name in ("a 5 01:00", "b 5 02:00", "a 6 01:00"):
        w.tick()
        w.end(name)
    w.tick()
    assert w.running() == {"b 6 02:00"}
    w.do("rerun", "a 5 01:00", "b 5 02:00")
    w.end("b 6 02:00")
    w.tick()
    assert w.running() == {"a 5 01:00"}
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}, {"a 7 01:00"}, {"b 7 02:00"}]


def test_a_single_rerun_holds_up_no_later_date(world: MakeWorld) -> None:
    """OPS-2: a bizdate that its group had reached stays reached."""
    w = world(*two_tasks())
    w.create(dates=TWO_DATES)
    w.finish(fails=lambda name: name == "b 6 02:00")
    assert w.do("rerun", "a 5 01:00") == [None]
    assert w.do("rerun", "b 6 02:00") == [None]
    w.tick()
    assert w.running() == {"a 5 01:00", "b 6 02:00"}
    w.finish()
    assert set(w.states().values()) == {"successful"}


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**9))
def test_a_rerun_runs_in_an_order_that_a_first_run_may_have(seed: int) -> None:
    """OPS-3: whatever starts has nothing open above it, and no date before it in its group."""
    chance = Random(seed)
    with TemporaryDirectory() as directory:
        w = World(Path(directory), *random_catalog(chance).tasks.values(), slots=3)
        try:
            policy: Policy = random_policy(chance)
            roots = tuple(chance.sample(sorted(w.catalog.tasks), k=min(3, len(w.catalog.tasks))))
            try:
                request = Request(ManualSelection(roots, "all"), policy)
                planned = make_plan(w.catalog, request, w.limits, instant_of(w.clock.now_ms()))
            except RetrofillError:
                return
            if planned.is_refused or planned.plan.instance_count > 80:
                return
            backfill = w.creation.create(planned, w.version_id, w.user)
            w.clock.forward(90 * 86_400)
            w.finish(fails=lambda _: chance.random() < 0.1)
            ended = [row for row in w.rows().values() if row.state in (State.SUCCESSFUL, State.FAILED)]
            chosen = [row.id for row in ended if chance.random() < 0.6]
            if len(chosen) < 2:
                return
            w.operations.rerun(chosen)
            _watch_a_run(w, backfill)
        finally:
            w.close()


def _watch_a_run(w: World, backfill: int) -> None:
    with w.store.read() as reader:
        context = w.graphs.get(reader, backfill)
    plan = context.plan
    while True:
        w.tick()
        assert w.drift() == []
        rows = {row.id: row for row in w.rows(backfill).values()}
        for number in w.executor.running:
            above = [rows[i].state for i in context.upstream(number) if i in rows]
            assert set(above) <= {State.SUCCESSFUL}, (number, above)
            before = plan.previous_in_group(context.position(number))
            while before is not None and plan.policy.barrier is Barrier.DATE:
                own = {rows[i].state for i in context.ids_of_date(before) if i in rows}
                assert own <= {State.SUCCESSFUL}, (number, before, own)
                before = plan.previous_in_group(before)
        if not w.executor.running:
            return
        w.executor.end(min(w.executor.running))


# At once, by name (OPS-3)


def test_at_once_ignores_dependencies_and_the_order_of_dates(world: MakeWorld) -> None:
    """OPS-3: all at once, but not beyond the slots."""
    w = world(*two_tasks(), slots=3)
    backfill = w.create(dates=TWO_DATES)
    w.finish()
    results = w.backfills.rerun(backfill, ignore_waits=True)
    assert all(result.ok for result in results)
    w.tick()
    assert len(w.running()) == 3
    w.finish()
    assert {row.run_number for row in w.rows().values()} == {2}
    assert w.status(backfill) == "succeeded"


def test_at_once_takes_siblings_along(world: MakeWorld) -> None:
    """OPS-3, POL-7: the failed one and those that failed with it, without a refusal."""
    w = world(make_task("w.a", HOURLY), slots=1)
    backfill = w.create("a")
    w.tick()
    w.end("a 5 00:00", exit_code=1)
    results = w.backfills.rerun(backfill, only_failed=True, ignore_waits=True)
    assert [r.error for r in results if r.error] == []
    assert len(results) == 24
    assert all(row.ignores_waits for row in w.rows().values())


# In parts


@pytest.mark.embedded
def test_a_large_batch_goes_in_parts_that_keep_the_order(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPS-3, OPS-8: no part changes more rows than it may, and each item is answered once."""
    monkeypatch.setattr(batches, "MOST_ITEMS", 7)
    monkeypatch.setattr(batches, "MOST_ROWS", 40)
    w = world(make_task("w.acc", HOURLY, SELF), make_task("w.sum", HOURLY, "w.acc"))
    backfill = w.create(dates=TWO_DATES)
    w.finish(fails=lambda name: name == hour(5))
    changes = count_changes(w)
    results = w.backfills.rerun(backfill, only_failed=True)
    assert [result.error for result in results if result.error] == []
    assert len(changes) > 2
    assert max(changes) <= 60, "one part, and at most one set of siblings"
    runs = [name for wave in w.finish() for name in sorted(wave) if name.startswith("acc 5")]
    assert runs == [hour(h) for h in range(5, 24)]
    assert w.status(backfill) == "succeeded"


def count_changes(w: World) -> list[int]:
    """Rows that each later commit of people's commands changes, as they come."""
    connection = w.connections.writer
    changes: list[int] = []
    seen = connection.total_changes

    def look(statement: str) -> None:
        nonlocal seen
        if statement == "COMMIT":
            changes.append(connection.total_changes - seen)
            seen = connection.total_changes

    connection.set_trace_callback(look)
    return changes


@pytest.mark.embedded
@pytest.mark.parametrize("then", ["unfreeze", "rerun"])
def test_many_slots_of_one_task_cost_no_more_than_many_dates(world: MakeWorld, then: str) -> None:
    """BF-4, POL-7: a minute's 1,440 instances fail with each other, and are yet looked at once."""
    costs = {}
    for cron, dates in (("* * * * *", "2025-01-05"), ("0 * * * *", "2025-01-05..2025-03-05")):
        w = world(make_task("w.a", cron), slots=2_000)
        backfill = w.create(dates=dates, groups=10)
        if then == "unfreeze":
            w.backfills.pause(backfill)
            assert all(result.ok for result in w.backfills.freeze(backfill))
        else:
            w.backfills.stop(backfill)
            _fail_all(w, backfill)
        changes = count_changes(w)
        with w.connections.steps(w.connections.writer, each=1_000) as steps:
            results = w.backfills.unfreeze(backfill) if then == "unfreeze" else w.backfills.rerun(backfill)
        assert all(result.ok for result in results)
        assert len(results) == 1_440
        assert max(changes) <= 5_000
        costs[cron] = len(steps)
    assert costs["* * * * *"] < 2 * costs["0 * * * *"]


def _fail_all(w: World, backfill: int) -> None:
    """As after a machine that failed everything."""
    with file_of(w.store) as file:
        file.execute("UPDATE instance SET state = 'failed', reason = 'exit_code', ended_ms = 1")
        file.execute("UPDATE backfill_date SET failed = total, reached = 1")


# A stopped backfill (OPS-2), and the moment of an end (BF-5)


def _stopped(make: MakeWorld) -> tuple[World, int]:
    w = make(*two_tasks(), make_task("w.x", "0 1 * * *"))
    backfill = w.create()
    w.tick()
    w.backfills.stop(backfill)
    w.tick()
    w.tick()
    assert w.status(backfill) == "stopped"
    return w, backfill


@pytest.mark.parametrize("operation", ["rerun", "rerun_descendants"])
def test_a_rerun_in_a_stopped_backfill_takes_the_stop_back(world: MakeWorld, operation: str) -> None:
    """OPS-2, BF-5: it runs, says so, is recorded, and the backfill has not ended any more."""
    w, backfill = _stopped(world)
    more = {"include_self": True} if operation == "rerun_descendants" else {}
    (result,) = getattr(w.operations, operation)([w.id("a 5 01:00")], **more)
    assert result.ok
    assert str(result.note) == f"Backfill {backfill} was stopped; the rerun takes that back."
    assert w.row(backfill)["ended_at"] is None
    assert w.row(backfill)["held"] is None
    with w.store.read() as reader:
        last = reader.operations("backfill_id", backfill)[-1]
    assert (last.action, last.comment) == ("resume", "by the rerun")
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}]


def test_a_refused_rerun_takes_nothing_back(world: MakeWorld) -> None:
    """OPS-2: only a rerun that takes place."""
    w, backfill = _stopped(world)
    assert w.do("rerun", "b 5 02:00") != [None]
    assert w.status(backfill) == "stopped"


def test_where_nothing_has_ended_a_resume_is_what_helps(world: MakeWorld) -> None:
    """OPS-2, OPS-3: a stopped backfill that has never run anything."""
    w = world(*two_tasks())
    backfill = w.create()
    w.backfills.stop(backfill)
    with pytest.raises(WrongStateError) as caught:
        w.backfills.rerun(backfill)
    assert caught.value.hint.steps == (Step("backfill.resume", id=backfill),)
    assert w.status(backfill) == "stopped"


def test_a_rerun_in_a_paused_backfill_says_that_it_waits(world: MakeWorld) -> None:
    """OPS-2: a pause is left to those who made it."""
    w = world(*two_tasks())
    backfill = w.create()
    w.tick()
    w.backfills.pause(backfill)
    w.end("a 5 01:00", exit_code=1)
    (result,) = w.operations.rerun([w.id("a 5 01:00")])
    assert result.ok
    assert "is paused" in str(result.note)
    assert result.note.steps == (Step("backfill.resume", id=backfill),)
    assert w.finish() == []


def test_a_set_successful_ends_a_backfill_anew(world: MakeWorld) -> None:
    """BF-5: the end before was one of a failure."""
    w = world(make_task("w.a", "0 1 * * *"))
    backfill = w.create()
    w.finish(fails=lambda _: True)
    failed_at = w.row(backfill)["ended_at"]
    w.clock.forward(3600)
    w.do("set_successful", "a 5 01:00")
    assert w.status(backfill) == "succeeded"
    assert w.row(backfill)["ended_at"] > failed_at


@pytest.mark.parametrize("how", ["rerun", "unfreeze", "set_successful"])
def test_what_goes_on_has_not_ended(world: MakeWorld, how: str) -> None:
    """BF-5: `ended_at` goes with the operation, before any scheduler looks."""
    w = world(*two_tasks())
    backfill = w.create()
    w.finish(fails=lambda name: name == "a 5 01:00")
    if how == "unfreeze":
        w.do("set_successful", "a 5 01:00")
        w.backfills.pause(backfill)
        w.do("freeze", "b 5 02:00")
        w.backfills.resume(backfill)
        assert w.row(backfill)["ended_at"] is not None
    w.do(how, "b 5 02:00" if how == "unfreeze" else "a 5 01:00")
    assert w.row(backfill)["ended_at"] is None


# Descendants (OPS-4)


def _chain(make: MakeWorld) -> World:
    """`b` runs, upon `a`; `c` waits for it."""
    w = make(*two_tasks(), make_task("w.c", "0 3 * * *", "w.b"))
    w.create()
    w.tick()
    w.end("a 5 01:00")
    assert w.running() == {"b 5 02:00"}
    return w


@pytest.mark.parametrize("include_self", [True, False])
def test_a_running_descendant_refuses_and_is_named(world: MakeWorld, include_self: bool) -> None:
    """OPS-4: it and what follows would be built from old data; nothing is changed."""
    w = _chain(world)
    before = w.states()
    (result,) = w.operations.rerun_descendants([w.id("a 5 01:00")], include_self=include_self)
    assert isinstance(result.error, WrongStateError)
    assert f"instance {w.id('b 5 02:00')} (w.b 2026-01-06 02:00) is Running" in result.error.message
    assert result.error.hint.steps == (Step("instance.rerun_descendants", id=result.id, stop_running=True),)
    assert w.states() == before


def test_the_others_are_rerun(world: MakeWorld) -> None:
    """OPS-4, OPS-8: a refusal hinders no other item."""
    w = world(*two_tasks())
    w.create(dates=TWO_DATES, groups=2)
    w.tick()
    w.end("a 5 01:00", "a 6 01:00")
    w.end("b 6 02:00")
    ids = [w.id("a 5 01:00"), w.id("a 6 01:00")]
    results = {r.id: r for r in w.operations.rerun_descendants(ids, include_self=True)}
    assert not results[ids[0]].ok
    assert results[ids[1]].ok
    assert w.state("a 5 01:00") == "successful"
    assert w.state("b 6 02:00") == "not_run"


def test_only_the_chosen_descendants_refuse(world: MakeWorld) -> None:
    """OPS-4: a task that is not asked for may run."""
    w = world(*two_tasks(), make_task("w.c", "0 3 * * *", "w.a"))
    w.create()
    w.tick()
    w.end("a 5 01:00")
    w.end("c 5 03:00")
    assert w.running() == {"b 5 02:00"}
    assert w.do("rerun_descendants", "a 5 01:00", tasks=frozenset({"w.c"})) == [None]


def test_what_ran_between_two_parts_is_run_again(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-4: `c` had nothing to be run again, then ran upon the old `b` before it was `b`'s turn."""
    monkeypatch.setattr(batches, "MOST_ITEMS", 1)
    w = world(*two_tasks(), make_task("w.c", "0 3 * * *", "w.b"), now="2026-01-06T02:30")
    backfill = w.create()
    w.tick()
    w.end("a 5 01:00")
    w.end("b 5 02:00")
    assert w.state("c 5 03:00") == "waiting_time"

    def in_between() -> None:
        if w.state("c 5 03:00") == "waiting_time":
            w.clock.move_to("2026-01-06T03:00")
            w.tick()
            w.end("c 5 03:00")

    monkeypatch.setattr(w.store, "give_way", in_between)
    results = w.operations.rerun_descendants([w.id("a 5 01:00")], include_self=True)
    assert [(r.id, r.error) for r in results] == [
        (w.id("a 5 01:00"), None),
        (w.id("b 5 02:00"), None),
        (w.id("c 5 03:00"), None),
    ]
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}, {"c 5 03:00"}]
    assert w.status(backfill) == "succeeded"


def test_which_ones_would_have_to_be_stopped(world: MakeWorld) -> None:
    """OPS-4: `--stop-running` ends those, then all of them run anew in order."""
    w = _chain(world)
    a = w.id("a 5 01:00")
    assert w.operations.running_below([a], include_self=True) == [w.id("b 5 02:00")]
    assert w.operations.running_below([a], tasks=frozenset({"w.c"})) == []
    w.do("stop", "b 5 02:00")
    w.tick()
    w.tick()
    assert [r.error for r in w.operations.rerun_descendants([a], include_self=True)] == [None, None]
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}, {"c 5 03:00"}]


# With the code of the current version (OPS-2)


def _deployed_anew(make: MakeWorld, **more: Any) -> World:
    """`a` failed in version 1; version 2 has other code, and whatever else is said, for it."""
    w = make(
        make_task("w.a", "0 1 * * *", code="old", parameters=(("day", "$bizdate"),)),
        make_task("w.b", "0 2 * * *", "w.a"),
    )
    w.create()
    w.finish(fails=lambda name: name == "a 5 01:00")
    tasks = dict(w.catalog.tasks)
    tasks["w.a"] = replace(tasks["w.a"], **{"code": "new"} | more)
    w.deploy(w.catalog.frozen_copy_of(tasks))
    return w


def _versions(w: World, name: str) -> list[int | None]:
    number = w.id(name)
    with w.store.read() as reader:
        return [run.version_id for run in reader.runs(number)]


def _shown_version(w: World, name: str) -> object:
    row = w.find(name)
    with w.store.read() as reader:
        return InstanceReader(w.view(reader)).row(row)["version"]


def test_a_rerun_runs_what_its_instance_was_made_from(world: MakeWorld) -> None:
    """OPS-2, CAT-2: whatever was deployed since."""
    w = _deployed_anew(world)
    w.do("rerun", "a 5 01:00")
    w.tick()
    assert [spec.code for spec in w.executor.started] == ["old", "old"]
    assert _shown_version(w, "a 5 01:00") == 1


def test_a_rerun_with_the_latest_version(world: MakeWorld) -> None:
    """OPS-2: its code, parameters, connection, timeout and rerun setting; shown from then on."""
    w = _deployed_anew(
        world,
        parameters=(("day", "${yyyy-mm-dd}"), ("more", "x")),
        timeout_seconds=7,
        rerun=Rerun(times=1, interval_seconds=0),
    )
    assert w.do("rerun", "a 5 01:00", latest=True) == [None]
    w.tick()
    spec = w.executor.started[-1]
    assert (spec.code, spec.timeout_seconds) == ("new", 7)
    assert (spec.environment["day"], spec.environment["more"]) == ("2026-01-05", "x")
    w.end("a 5 01:00", exit_code=1)
    w.tick()
    assert w.executor.started[-1].code == "new", "rerun by itself, as the new version says"
    w.end("a 5 01:00", exit_code=1)
    assert w.do("rerun", "a 5 01:00") == [None]
    w.restart()
    w.tick()
    assert w.executor.started[-1].code == "new", "also after a restart, and without a word about it"
    assert _shown_version(w, "a 5 01:00") == 2
    assert _versions(w, "a 5 01:00") == [None, 2, 2, 2]
    w.finish()
    assert _shown_version(w, "b 5 02:00") == 1
    number = w.id("a 5 01:00")
    with w.store.read() as reader:
        assert reader.operations("instance_id", number)[0].comment == "with version 2"


def test_the_files_of_the_latest_version_stay_while_it_runs(world: MakeWorld) -> None:
    """CAT-9, OPS-2: retention keeps the folder that the run works in, not the one of its instance's version."""
    w = _deployed_anew(world)
    w.do("rerun", "a 5 01:00", latest=True)
    w.tick()
    laid_out = LaidOutFolders()
    runs = RunsFolder(w.directory / "runs")
    Retention(w.store, runs, w.graphs, w.clock, Rules(30, {"exclusive": 30}, 0), False, laid_out).run()
    assert laid_out.needed == {2}


class LaidOutFolders:
    """Notes what it is told to keep."""

    needed: set[int]

    def remove_unneeded(self, needed: Callable[[], Collection[int]], is_dry: bool = False) -> int:
        self.needed = set(needed())
        return 0


def test_schedule_and_dependencies_stay(world: MakeWorld) -> None:
    """OPS-2: when and after what it runs, and where it queues, was decided when it was made."""
    w = _deployed_anew(
        world, schedule=parse("30 5 * * *"), priority=8, max_parallel_instances=1, resource_group="other"
    )
    before = w.find("a 5 01:00")
    assert w.do("rerun", "a 5 01:00", latest=True) == [None]
    after = w.find("a 5 01:00")
    assert (after.slot, after.priority, after.resource_group) == (before.slot, before.priority, "default")
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}]


def test_all_that_failed_with_the_latest_version(world: MakeWorld) -> None:
    """OPS-2, OPS-3: also what failed with it, and in parts."""
    w = world(make_task("w.acc", HOURLY, SELF, code="old"))
    backfill = w.create()
    w.finish(fails=lambda name: name == hour(5))
    w.deploy(w.catalog.frozen_copy_of({"w.acc": replace(w.catalog.tasks["w.acc"], code="new")}))
    assert all(result.ok for result in w.backfills.rerun(backfill, only_failed=True, latest=True))
    w.finish()
    assert [spec.code for spec in w.executor.started] == ["old"] * 6 + ["new"] * 19
    assert w.status(backfill) == "succeeded"


def test_an_auto_triggered_instance_with_the_latest_version(world: MakeWorld) -> None:
    """OPS-2."""
    w, name = REACH_AUTO[State.FAILED](world)
    tasks = {key: replace(task, code="new") for key, task in w.catalog.tasks.items()}
    w.deploy(w.catalog.frozen_copy_of(tasks))
    assert w.do("rerun", name, latest=True) == [None]
    w.tick()
    assert w.executor.started[-1].code == "new"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (None, "which has no task w.a"),
        ({"type": TaskType.VIRTUAL, "code": ""}, "where its task is of type virtual"),
        ({"rerun": Rerun(mode="never")}, "rerun mode never"),
    ],
)
def test_a_version_that_does_not_fit_is_refused(
    world: MakeWorld, change: dict[str, Any] | None, part: str
) -> None:
    """OPS-2: and the instance keeps what it had."""
    w = _deployed_anew(world, **(change or {}))
    if change is None:
        w.deploy(w.catalog.frozen_copy_of({"w.b": replace(w.catalog.tasks["w.b"], depends_on=())}))
    before = w.find("a 5 01:00")
    (error,) = w.do("rerun", "a 5 01:00", latest=True)
    assert error is not None
    assert part in error
    assert w.find("a 5 01:00") == before


def test_overrides_stay_and_those_that_are_gone_are_refused(world: MakeWorld) -> None:
    """OPS-2, PAR-5: a value that somebody set is not lost silently."""
    task = make_task("w.a", "0 1 * * *", parameters=(("day", "$bizdate"),))
    w = world(task)
    w.create(overrides={"w.a": {"day": "mine"}})
    w.finish(fails=lambda _: True)
    w.deploy(w.catalog.frozen_copy_of({"w.a": replace(task, code="new")}))
    assert w.do("rerun", "a 5 01:00", latest=True) == [None]
    w.finish(fails=lambda _: True)
    assert w.executor.started[-1].environment["day"] == "mine"
    w.deploy(w.catalog.frozen_copy_of({"w.a": replace(task, parameters=(("date", "$bizdate"),))}))
    (error,) = w.do("rerun", "a 5 01:00", latest=True)
    assert error is not None
    assert "sets day" in error


def test_why_suggests_the_version_that_has_other_code(world: MakeWorld) -> None:
    """OPS-2, OPS-9: only where it has."""
    w = _deployed_anew(world)
    assert "with --latest as it is in version 2" in w.why("a 5 01:00").text
    w.do("rerun", "a 5 01:00", latest=True)
    w.finish(fails=lambda _: True)
    assert "--latest" not in w.why("a 5 01:00").text
    w = world(make_task("w.a", "0 1 * * *"))
    w.create()
    w.finish(fails=lambda _: True)
    w.deploy(w.catalog.frozen_copy_of({"w.a": replace(w.catalog.tasks["w.a"], description="more")}))
    assert "--latest" not in w.why("a 5 01:00").text
