"""What an act on all of a backfill is said to come to is what comes of it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalogs import make_task
from examples import examples
from retrofill.domain.catalog.definitions import Rerun
from retrofill.domain.errors import InvalidValueError, RetrofillError
from retrofill.domain.running.states import State
from services.running.histories import History
from services.worlds import MakeWorld, World

CHAIN = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"), make_task("w.c", "0 3 * * *"))
MEMBERS = {"w": {"alice": "operator", "bob": "visitor"}}


def under_way(world: MakeWorld) -> World:
    """Of two dates: `a` has failed on the first, `c` runs there; the second waits for its turn."""
    w = world(*CHAIN, members=MEMBERS)
    w.create(dates="2026-01-05..2026-01-06")
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    return w


def test_a_stop_ends_what_runs_and_starts_nothing_further(world: MakeWorld) -> None:
    """OPS-1: three numbers, before it is done and without doing it."""
    w = under_way(world)
    before = w.states()
    found = w.center.backfills.effects(1, "stop")
    assert (found["acts_on"], found["not_started"], found["failed"]) == (1, 4, 1)
    assert w.states() == before
    assert len(w.center.backfills.stop(1).items) == found["acts_on"]


def test_a_pause_lets_what_runs_end(world: MakeWorld) -> None:
    """BF-3: nothing is ended."""
    found = under_way(world).center.backfills.effects(1, "pause")
    assert (found["acts_on"], found["running"], found["not_started"]) == (0, 1, 4)


def test_a_resume_tells_what_goes_on_and_what_still_waits(world: MakeWorld) -> None:
    """BF-3, OPS-9: of what has not run, all waits for the failure."""
    w = under_way(world)
    w.backfills.pause(1)
    found = w.center.backfills.effects(1, "resume")
    assert (found["unchanged"], found["going_on"], found["held_up"]) == (False, 0, 4)


def test_what_holds_already_is_told(world: MakeWorld) -> None:
    """OPS-8: a second pause changes nothing."""
    w = under_way(world)
    w.backfills.pause(1)
    assert w.center.backfills.effects(1, "pause")["unchanged"]


def test_a_rerun_of_what_failed_lets_go_on_what_waits_for_it(world: MakeWorld) -> None:
    """OPS-3: one runs again, four go on by themselves once it has succeeded."""
    found = under_way(world).center.backfills.effects(1, "rerun", only_failed=True)
    assert (found["acts_on"], found["going_on"], found["held_up"], found["failed"]) == (1, 4, 0, 0)


def test_a_rerun_that_a_task_does_not_allow_is_left_alone_with_its_reason(world: MakeWorld) -> None:
    """OPS-2: counted apart."""
    never = make_task("w.c", "0 3 * * *", rerun=Rerun(mode="never"))
    w = world(*CHAIN[:2], never)
    w.create()
    w.finish()
    found = w.center.backfills.effects(1, "rerun")
    assert (found["acts_on"], found["left_alone"], found["successful"]) == (2, 1, 1)
    assert "rerun mode never" in str(found["because"])


def test_what_would_be_refused_is_told_in_the_words_of_the_refusal(world: MakeWorld) -> None:
    """OPS-8, SEC-4: the same sentence and hint."""
    w = under_way(world)
    w.user = "bob"
    for act in ("pause", "resume", "stop"):
        found = w.center.backfills.effects(1, act)
        with pytest.raises(RetrofillError) as refused:
            getattr(w.center.backfills, act)(1)
        assert str(found["refusal"]) == refused.value.message
        assert found["hint"] == refused.value.hint
    assert w.center.backfills.effects(1, "rerun")["left_alone"] == 1


def test_an_act_that_there_is_not(world: MakeWorld) -> None:
    w = under_way(world)
    with pytest.raises(InvalidValueError, match="no act"):
        w.center.backfills.effects(1, "delete")


def done(w: World, number: int, act: str, only_failed: bool) -> Any:
    """What the act answers; the error where it is refused."""
    more = {"only_failed": only_failed} if act == "rerun" else {}
    try:
        return getattr(w.backfills, act)(number, **more)
    except RetrofillError as error:
        return error


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.integers(0, 10**9), st.sampled_from(["pause", "resume", "stop", "rerun", "freeze", "unfreeze"]))
def test_what_is_said_is_what_comes(seed: int, act: str) -> None:
    """BF-3, BF-4, OPS-1, OPS-3: the same numbers, the same refusal, after any history."""
    with TemporaryDirectory() as directory:
        history = History(Path(directory), Random(seed))
        try:
            if not history.create():
                return
            w, number = history.world, history.backfill
            for _ in range(12):
                history.step()
            only_failed = history.chance.random() < 0.5
            found = w.center.backfills.effects(number, act, only_failed)
            successful = {row.id for row in w.rows(number).values() if row.state == State.SUCCESSFUL}
            came = done(w, number, act, only_failed)
            if isinstance(came, RetrofillError):
                assert str(found["refusal"]) == came.message
                return
            assert found["refusal"] is None
            if act in ("pause", "resume"):
                assert found["unchanged"] == (not came.is_changed)
            else:
                assert found["acts_on"] == sum(item.ok for item in came)
                assert found["left_alone"] == sum(not item.ok for item in came)
            if act in ("rerun", "freeze", "unfreeze"):
                done_to = {item.id for item in came if item.ok} if act == "rerun" else set()
                assert found["successful"] == len(successful - done_to)
        finally:
            history.world.close()
