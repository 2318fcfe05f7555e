"""Pause, resume and stop on a backfill in every standing, on the real ledger."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import Kind, RetrofillError
from retrofill.domain.running.steering import STEERING, BackfillSituation, Steer, Verdict
from retrofill.domain.selection.ways import AllDescendantsSelection
from retrofill.domain.time.windows import parse_time_range
from retrofill.services.instances.backfill_status import standing
from services.worlds import MakeWorld, World


def _made(make: MakeWorld, **more: object) -> World:
    w = make(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"), **more)
    w.create()
    w.executor.obeys = False
    return w


def _refused(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    w.create(time_range=parse_time_range("02:00-03:00"))
    return w


def _planned(make: MakeWorld, phase: str = "planned") -> World:
    """Its instances are made later; `phase`: as they are while somebody makes or checks them."""
    w = make(make_task("w.a", "0 1 * * *"), now="2026-01-01T12:00")
    w.create(selection=AllDescendantsSelection("w.a"))
    with w.store.transaction() as tx:
        tx.set_backfill(1, phase=phase)
    return w


def _running(make: MakeWorld, then: str = "") -> World:
    w = _made(make)
    w.tick()
    if then:
        getattr(w.backfills, then)(1)
    return w


def _steered(make: MakeWorld, steer: str) -> World:
    w = _made(make)
    getattr(w.backfills, steer)(1)
    return w


def _ended(make: MakeWorld, fails: bool) -> World:
    w = _made(make)
    w.finish(fails=lambda _: fails)
    return w


REACH: dict[BackfillSituation, Callable[[MakeWorld], World]] = {
    BackfillSituation.CHECKING: lambda make: _planned(make, "checking"),
    BackfillSituation.REFUSED: _refused,
    BackfillSituation.STARTING: lambda make: _planned(make, "creating"),
    BackfillSituation.RUNNING: _running,
    BackfillSituation.PAUSING: lambda make: _running(make, "pause"),
    BackfillSituation.STOPPING: lambda make: _running(make, "stop"),
    BackfillSituation.PAUSED: lambda make: _steered(make, "pause"),
    BackfillSituation.STOPPED: lambda make: _steered(make, "stop"),
    BackfillSituation.SUCCEEDED: lambda make: _ended(make, fails=False),
    BackfillSituation.WAITING_RESOURCES: _made,
    BackfillSituation.PENDING: _planned,
    BackfillSituation.FAILED: lambda make: _ended(make, fails=True),
}


def _stands(w: World) -> BackfillSituation:
    with w.store.read() as reader:
        record = reader.find_backfill(1)
        assert record is not None
        return standing(reader, record, window_is_closed=False)


def _facts(w: World) -> tuple[object, ...]:
    states = w.states()
    with w.store.read() as reader:
        operations = [(o.action, o.instance_id) for o in reader.operations("backfill_id", 1)]
        return reader.find_backfill(1), operations, states


@pytest.mark.parametrize("at", list(BackfillSituation))
@pytest.mark.parametrize("steer", [Steer.PAUSE, Steer.RESUME, Steer.STOP])
def test_every_operation_in_every_standing(world: MakeWorld, steer: Steer, at: BackfillSituation) -> None:
    """BF-3, BF-5, OPS-1, OPS-8: done, unchanged or refused; the last two touch nothing, `ended_at` least of all."""
    w = REACH[at](world)
    assert _stands(w) is at
    before = _facts(w)
    w.clock.forward(60)
    verdict = STEERING[steer, at]
    if verdict is Verdict.REFUSED:
        with pytest.raises(RetrofillError) as caught:
            getattr(w.backfills, steer.value)(1)
        assert caught.value.kind is Kind.WRONG_STATE
        assert _facts(w) == before
        return
    result = getattr(w.backfills, steer.value)(1)
    if steer is not Steer.STOP:
        assert result.is_changed == (verdict is Verdict.DONE)
    if verdict is Verdict.UNCHANGED:
        assert _facts(w) == before
        return
    reached = {
        Steer.PAUSE: {BackfillSituation.PAUSED, BackfillSituation.PAUSING},
        Steer.RESUME: {BackfillSituation.RUNNING, BackfillSituation.WAITING_RESOURCES},
        Steer.STOP: {BackfillSituation.STOPPED, BackfillSituation.STOPPING},
    }
    # While instances are made or checked, the wish is kept for when they are there.
    assert _stands(w) in reached[steer] | {at} & {BackfillSituation.CHECKING, BackfillSituation.STARTING}
    with w.store.read() as reader:
        record = reader.find_backfill(1)
        assert record is not None
        assert (record.paused, record.stopped) == (steer is Steer.PAUSE, steer is Steer.STOP)
        assert reader.operations("backfill_id", 1)[-1].at_ms == w.clock.now_ms()
    if at in (BackfillSituation.CHECKING, BackfillSituation.STARTING):
        with w.store.transaction() as tx:
            tx.set_backfill(1, phase="planned")


def test_a_pause_ends_with_the_last_success(world: MakeWorld) -> None:
    """BF-3, BF-5: it does not hold back a rerun long after."""
    w = world(make_task("w.a", "0 1 * * *"))
    backfill = w.create()
    w.tick()
    w.backfills.pause(backfill)
    w.end("a 5 01:00")
    assert w.status(backfill) == "succeeded"
    w.do("rerun", "a 5 01:00")
    w.tick()
    assert w.running() == {"a 5 01:00"}


def test_an_ended_backfill_keeps_the_moment_of_its_end(world: MakeWorld) -> None:
    """BF-5: whatever is asked of it in vain."""
    w = _ended(world, fails=True)
    ended_at = w.row(1)["ended_at"]
    w.clock.forward(3600)
    for name in ("pause", "stop"):
        with pytest.raises(RetrofillError, match="has failed, and nothing of it starts by itself"):
            getattr(w.backfills, name)(1)
    assert not w.backfills.resume(1).is_changed
    assert w.row(1)["ended_at"] == ended_at
