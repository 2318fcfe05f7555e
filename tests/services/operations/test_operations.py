"""What people do to instances, on every state of the state table."""

from __future__ import annotations

from collections import Counter

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Rerun
from retrofill.domain.errors import UnknownNameError, WrongStateError
from retrofill.domain.running.states import MOVES, Move, State
from services.reached import REACH, REACH_AUTO, failed, running, two_tasks, waiting_resources
from services.worlds import MakeWorld, World

OPERATIONS = {
    Move.STOP: "stop",
    Move.RERUN: "rerun",
    Move.SET_SUCCESSFUL: "set_successful",
    Move.FREEZE: "freeze",
    Move.UNFREEZE: "unfreeze",
}


def test_every_move_of_a_person_has_an_operation() -> None:
    """OPS-1..6: the table below leaves nothing out."""
    assert {move for move, rule in MOVES.items() if rule.by_person} == set(OPERATIONS)
    assert set(REACH) == set(State)


@pytest.mark.parametrize("kind", ["backfill", "auto"])
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("move", list(OPERATIONS))
def test_every_operation_on_every_state(world: MakeWorld, move: Move, state: State, kind: str) -> None:
    """OPS-1, OPS-2, OPS-5, OPS-6, OPS-8: legal ones move, others say the state and change nothing."""
    w, name = (REACH if kind == "backfill" else REACH_AUTO)[state](world)
    before = w.find(name)
    assert before.state == state
    assert (before.backfill_id is None) == (kind == "auto")
    (result,) = getattr(w.operations, OPERATIONS[move])([before.id], "a comment")
    after = w.find(name)
    held = (move is Move.FREEZE and state is State.FROZEN) or (
        move is Move.UNFREEZE and state is not State.FROZEN
    )
    if held:
        assert result.ok
        assert result.unchanged
        assert after == before
        assert _recorded(w, before.id) == [] or _recorded(w, before.id)[-1][0] == "freeze"
    elif state in MOVES[move].sources:
        assert result.ok
        assert not result.unchanged
        assert after != before
        assert _recorded(w, before.id)[-1] == (move.value.replace("_", "-"), state, result.state, "a comment")
    else:
        assert isinstance(result.error, WrongStateError)
        assert state.words in result.error.message
        assert f"instance {before.id} (w." in result.error.message
        assert after == before
    assert w.drift() == []


def test_auto_triggered_ones_are_operated_like_others(world: MakeWorld) -> None:
    """OPS-2, OPS-4, OPS-5, AUTO-2: rerun, set successful, descendants over dates."""
    w, name = REACH_AUTO[State.FAILED](world)
    assert w.do("rerun", name) == [None]
    assert w.auto_states() == {"a 2 01:00": "waiting_resources", "b 2 02:00": "not_run"}
    w.tick()
    w.end(name, exit_code=1)
    assert w.find(name).run_number == 2
    assert w.do("set_successful", name) == [None]
    w.tick()
    assert w.auto_states() == {"a 2 01:00": "successful set_successful", "b 2 02:00": "running"}
    w.end("auto b 2 02:00")
    assert [error for error in w.do("rerun_descendants", name, include_self=True) if error] == []
    assert w.auto_states() == {"a 2 01:00": "waiting_resources", "b 2 02:00": "not_run"}
    w.tick()
    w.end(name)
    assert w.auto_states() == {"a 2 01:00": "successful", "b 2 02:00": "running"}
    assert w.drift() == []


def test_a_batch_over_backfills_and_the_schedule(world: MakeWorld) -> None:
    """OPS-8: each is judged in its own surroundings."""
    w, name = REACH_AUTO[State.SUCCESSFUL](world)
    w.create()
    w.finish()
    ids = [w.id(name), w.id("a 5 01:00"), w.id("b 5 02:00")]
    assert [result.ok for result in w.operations.rerun(ids)] == [True, True, True]
    assert w.auto_states()["a 2 01:00"] == "waiting_resources"
    assert w.states() == {"a 5 01:00": "waiting_resources", "b 5 02:00": "not_run"}
    assert w.drift() == []


def test_selected_instances_ignoring_dependencies(world: MakeWorld) -> None:
    """OPS-3: all at once; those below that were not selected stay."""
    w = world(*two_tasks(), make_task("w.c", "0 3 * * *", "w.b"))
    w.create()
    w.finish()
    w.operations.rerun([w.id("a 5 01:00"), w.id("b 5 02:00")], ignore_waits=True)
    assert w.finish() == [{"a 5 01:00", "b 5 02:00"}]
    assert {name: row.run_number for name, row in w.rows().items()} == {
        "a 5 01:00": 2,
        "b 5 02:00": 2,
        "c 5 03:00": 1,
    }


def _recorded(w: World, instance_id: int) -> list[tuple[str, str | None, str | None, str]]:
    with w.store.read() as reader:
        return [
            (o.action, o.from_state, o.to_state, o.comment)
            for o in reader.operations("instance_id", instance_id)
        ]


def test_stopped_shows_only_when_the_processes_have_ended(world: MakeWorld) -> None:
    """OPS-0, OPS-1: Running with reason `stopping` until its exit is known, then Failed (stopped)."""
    w, name = running(world)
    assert w.do("stop", name) == [None]
    w.tick()
    assert w.state(name) == "running stopping"
    assert [ref.instance_id for ref in w.executor.told_to_stop] == [w.id(name)]
    w.end(name, outcome="stopped", exit_code=None, signal=15)
    assert w.state(name) == "failed stopped"
    assert w.state("b 5 02:00") == "not_run"


def test_a_stop_loses_against_a_success(world: MakeWorld) -> None:
    """OPS-1: a run that had succeeded before the stop came is Successful."""
    w, name = running(world)
    w.do("stop", name)
    w.end(name, exit_code=0)
    assert w.state(name) == "successful"


def test_a_stop_is_not_followed_by_an_automatic_rerun(world: MakeWorld) -> None:
    """RUN-3."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=3, interval_seconds=0)))
    w.create()
    w.tick()
    w.do("stop", "a 5 01:00")
    w.tick()
    w.tick()
    assert w.state("a 5 01:00") == "failed stopped"


@pytest.mark.parametrize(
    ("mode", "ends", "is_allowed"),
    [
        ("always", 0, True), ("always", 1, True), ("on_failure", 0, False),
        ("on_failure", 1, True), ("never", 0, False), ("never", 1, False),
    ],
)  # fmt: skip
def test_a_rerun_asks_the_tasks_rerun_mode(world: MakeWorld, mode: str, ends: int, is_allowed: bool) -> None:
    """OPS-2."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(mode=mode)))
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=ends)
    (error,) = w.do("rerun", "a 5 01:00")
    if is_allowed:
        assert error is None
        assert w.rows()["a 5 01:00"].run_number == 2
    else:
        assert error is not None
        assert f"rerun mode {mode}" in error


def test_waiting_descendants_are_withdrawn_by_a_rerun_above(world: MakeWorld) -> None:
    """OPS-0: Waiting follows its conditions both ways."""
    w = world(*two_tasks(), slots=1)
    w.create()
    w.tick()
    w.executor.end(w.id("a 5 01:00"))
    w.scheduler.starts = False  # see the end through, start nothing
    w.tick()
    assert w.state("b 5 02:00") == "waiting_resources"
    w.do("rerun", "a 5 01:00")
    assert w.state("b 5 02:00") == "not_run"
    w.scheduler.starts = True
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}]


def test_rerun_of_descendants_in_dependency_order(world: MakeWorld) -> None:
    """OPS-4: over dates too, optionally with the instance itself."""
    from domain.catalogs import SELF

    w = world(make_task("w.a", "0 1 * * *", SELF), make_task("w.b", "0 2 * * *", "w.a"))
    w.create(dates="2026-01-05..2026-01-06")
    w.finish()
    (error, *_) = w.do("rerun_descendants", "a 5 01:00")
    assert error is None
    assert w.state("a 5 01:00") == "successful"
    assert w.finish() == [{"b 5 02:00", "a 6 01:00"}, {"b 6 02:00"}]
    w.do("rerun_descendants", "a 5 01:00", include_self=True)
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00", "a 6 01:00"}, {"b 6 02:00"}]


def test_rerun_of_some_descendants(world: MakeWorld) -> None:
    """OPS-4: choose the descendants."""
    w = world(*two_tasks(), make_task("w.c", "0 3 * * *", "w.a"))
    w.create()
    w.finish()
    w.do("rerun_descendants", "a 5 01:00", tasks=frozenset({"w.c"}))
    assert w.finish() == [{"c 5 03:00"}]


def test_rerun_descendants_without_ended_ones_is_refused(world: MakeWorld) -> None:
    """OPS-4, OPS-8."""
    w, name = failed(world)
    (error,) = w.do("rerun_descendants", name)
    assert error is not None
    assert "no ended descendants" in error


def test_set_successful_lets_descendants_go_on(world: MakeWorld) -> None:
    """OPS-5."""
    w, name = failed(world)
    w.do("set_successful", name)
    assert w.state(name) == "successful set_successful"
    assert w.finish() == [{"b 5 02:00"}]


def test_frozen_blocks_descendants_and_goes_back_to_where_it_was(world: MakeWorld) -> None:
    """OPS-6: from Successful too: its descendants wait until it is unfrozen."""
    w, name = running(world)
    w.scheduler.starts = False
    w.end(name)
    w.do("freeze", name)
    assert w.state(name) == "frozen"
    assert w.state("b 5 02:00") == "not_run"
    w.do("unfreeze", name)
    assert w.state(name) == "successful"
    w.scheduler.starts = True
    w.finish()
    assert set(w.states().values()) == {"successful"}


def test_a_frozen_not_run_instance_starts_when_it_is_unfrozen(world: MakeWorld) -> None:
    """OPS-6, POL-7: a group that a frozen instance holds up goes on when it is unfrozen."""
    w = world(*two_tasks())
    backfill = w.create(dates="2026-01-05..2026-01-06")
    w.do("freeze", "b 5 02:00")
    w.finish()
    assert w.states()["a 6 01:00"] == "not_run"
    assert (w.status(backfill), w.row(backfill)["blocked_by"]) == ("failed", ["frozen"])
    w.do("unfreeze", "b 5 02:00")
    assert w.row(backfill)["ended_at"] is None
    w.finish()
    assert w.status(backfill) == "succeeded"


def test_what_waits_in_a_paused_backfill_is_not_run_and_can_be_frozen(world: MakeWorld) -> None:
    """OPS-0, OPS-6: a paused backfill's instances are Not run."""
    w, name = waiting_resources(world)
    w.backfills.pause(1)
    assert w.do("freeze", name) == [None]
    w.backfills.resume(1)
    assert w.finish() == []
    w.do("unfreeze", name)
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}]


def test_a_batch_answers_item_by_item(world: MakeWorld) -> None:
    """OPS-8: one that does not fit hinders no other; unknown ids too."""
    w, name = failed(world)
    ids = [w.id("b 5 02:00"), 999_999, w.id(name), w.id(name)]
    results = w.operations.rerun(ids)
    assert [result.id for result in results] == [ids[0], ids[1], ids[2]], "each item once"
    assert isinstance(results[0].error, WrongStateError)
    assert isinstance(results[1].error, UnknownNameError)
    assert results[2].ok


def test_operations_on_a_whole_backfill_are_recorded_with_who_and_when(world: MakeWorld) -> None:
    """OPS-8: who, when, comment; readable per backfill."""
    w, _ = waiting_resources(world)
    w.backfills.pause(1, "lunch")
    w.backfills.resume(1)
    w.backfills.resume(1)
    with w.store.read() as reader:
        found = [(o.user, o.action, o.comment, o.at_ms) for o in reader.operations("backfill_id", 1)]
    now = w.clock.now_ms()
    assert found == [
        ("admin", "create", "", now),
        ("admin", "pause", "lunch", now),
        ("admin", "resume", "", now),
    ]


def test_three_thousand_ids_in_one_call(world: MakeWorld) -> None:
    """OPS-4, OPS-8: in several transactions, each item once, in dependency order, the record complete."""
    w = world(make_task("w.a", "0 * * * *"), make_task("w.b", "30 * * * *", "w.a"), slots=3_000)
    backfill = w.create(dates="2026-01-01..2026-03-01", groups=10)
    with w.store.read() as reader:
        rows = list(reader.instance_range(1, 1 << 40))
    ids = [row.id for row in reversed(rows)]
    assert len(ids) == 2 * 24 * 60
    waiting = {row.id for row in rows if row.state == "not_run"}
    results = w.operations.freeze(ids)
    assert len(results) == len(ids)
    assert {result.id for result in results if result.ok} == waiting
    again = w.operations.freeze([*ids, 10**9, *ids])
    assert len(again) == len(ids) + 1
    assert sum(result.unchanged for result in again) == len(waiting)
    assert all(result.ok for result in w.operations.unfreeze(ids))
    with w.store.read() as reader:
        actions = Counter(o.action for o in reader.operations("backfill_id", backfill))
    assert actions == {"create": 1, "freeze": len(waiting), "unfreeze": len(waiting)}
    assert w.drift() == []


def test_ids_of_what_nobody_sees_are_unknown_in_a_large_call_too(world: MakeWorld) -> None:
    """OPS-8, RET-1: a backfill that is being deleted, among more ids than one transaction takes."""
    w = world(make_task("w.a", "* * * * *"))
    gone = w.create(dates="2026-01-05")
    hidden = w.id("a 5 00:00")
    w.create(dates="2026-01-05..2026-01-06")
    ids = [hidden, *(row.id for row in w.rows().values())]
    with w.store.transaction() as tx:
        tx.set_backfill(gone, phase="expired", stopped=1)
    w.restart()
    results = w.operations.freeze(ids)
    assert len(results) > 2_000
    assert [result.id for result in results if isinstance(result.error, UnknownNameError)] == [hidden]
