"""What is queued when: one message when a backfill ends, for failure at the first failed instance (POL-9)."""

from __future__ import annotations

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.definitions import Rerun
from retrofill.domain.planning.policy import Alert, AlertMethod, AlertTrigger
from retrofill.domain.selection.ways import AllDescendantsSelection
from retrofill.domain.time.windows import parse_time_range, parse_window
from services.worlds import MakeWorld, World

A, B, C = (make_task(f"w.{name}", "0 1 * * *") for name in "abc")
EMAIL = Alert(AlertTrigger.EITHER, AlertMethod.EMAIL)


def told(w: World, backfill_id: int) -> list[tuple[int, str, str]]:
    """Round, event and method of all that was queued."""
    with w.store.read() as reader:
        return [(a.round, a.event, a.method) for a in reader.outbox.of_backfill(backfill_id)]


def first_failed(w: World, backfill_id: int) -> list[int | None]:
    with w.store.read() as reader:
        return [a.instance_id for a in reader.outbox.of_backfill(backfill_id)]


def test_success_is_told_when_the_backfill_ends(world: MakeWorld) -> None:
    """POL-9."""
    w = world(A, make_task("w.b", "0 1 * * *", "w.a"))
    number = w.create(alert=Alert(AlertTrigger.SUCCESS))
    w.tick()
    w.end("a 5 01:00")
    assert told(w, number) == []
    w.end("b 5 01:00")
    assert told(w, number) == [(1, "success", "email"), (1, "success", "sms")]


def test_failure_is_told_at_the_first_failed_instance_and_once(world: MakeWorld) -> None:
    """POL-9: not again at further failures, nor when the backfill ends."""
    w = world(A, B, C)
    number = w.create(alert=EMAIL)
    w.tick()
    w.end("b 5 01:00", exit_code=1)
    assert w.status(number) == "running"
    assert told(w, number) == [(1, "failure", "email")]
    assert first_failed(w, number) == [w.id("b 5 01:00")]
    w.end("a 5 01:00", exit_code=1)
    w.end("c 5 01:00")
    assert w.status(number) == "failed"
    assert told(w, number) == [(1, "failure", "email")]


def test_an_automatic_rerun_is_no_failure(world: MakeWorld) -> None:
    """POL-9, RUN-3: for good, that is after the last one."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=0)))
    number = w.create(alert=EMAIL)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert told(w, number) == []
    w.end("a 5 01:00", exit_code=1)
    assert told(w, number) == [(1, "failure", "email")]


@pytest.mark.parametrize(("trigger", "event"), [("success", 0), ("failure", 1)])
def test_only_what_the_trigger_names_is_told(world: MakeWorld, trigger: str, event: int) -> None:
    """POL-9."""
    w = world(A)
    good = w.create(alert=Alert(AlertTrigger(trigger), AlertMethod.EMAIL))
    w.finish()
    bad = w.create(alert=Alert(AlertTrigger(trigger), AlertMethod.EMAIL))
    w.finish(fails=lambda _: True)
    queued = [told(w, good), told(w, bad)]
    assert queued[event] == [(1, trigger, "email")]
    assert queued[1 - event] == []


def test_without_an_alert_nothing_is_queued(world: MakeWorld) -> None:
    """POL-9."""
    w = world(A)
    number = w.create()
    w.finish(fails=lambda _: True)
    assert told(w, number) == []


def test_a_backfill_that_goes_on_after_its_end_may_tell_again(world: MakeWorld) -> None:
    """POL-9: once a round; a rerun of an ended backfill begins a new one, a mended end is told too."""
    w = world(A)
    number = w.create(alert=EMAIL)
    w.finish(fails=lambda _: True)
    assert w.do("rerun", "a 5 01:00") == [None]
    w.finish(fails=lambda _: True)
    assert w.do("set_successful", "a 5 01:00") == [None]
    assert told(w, number) == [(1, "failure", "email"), (2, "failure", "email"), (2, "success", "email")]


def test_a_rerun_while_it_runs_is_the_same_round(world: MakeWorld) -> None:
    """POL-9: failure was told, and success is told besides where both are asked for."""
    w = world(A, B)
    number = w.create(alert=EMAIL)
    w.tick()
    for _ in range(2):
        w.end("a 5 01:00", exit_code=1)
        w.do("rerun", "a 5 01:00")
        w.tick()
    w.end("a 5 01:00", "b 5 01:00")
    assert told(w, number) == [(1, "failure", "email"), (1, "success", "email")]


def test_a_stop_is_told_as_failure(world: MakeWorld) -> None:
    """POL-9, OPS-1: with and without running instances."""
    w = world(A)
    running, waiting = w.create(alert=EMAIL), w.create(alert=EMAIL, dates="2027-01-05")
    w.tick()
    w.backfills.stop(running)
    w.tick()
    w.tick()
    w.backfills.stop(waiting)
    assert told(w, running) == told(w, waiting) == [(1, "failure", "email")]


def test_what_cannot_start_is_told_when_it_ends(world: MakeWorld) -> None:
    """POL-9, BF-5: a backfill that a frozen instance holds up has ended, and nothing of it failed."""
    w = world(A, make_task("w.b", "0 1 * * *", "w.a"))
    number = w.create(alert=EMAIL)
    w.backfills.freeze(number)
    w.finish()
    assert w.row(number)["blocked_by"] == ["frozen"]
    assert told(w, number) == [(1, "failure", "email")]
    assert first_failed(w, number) == [None]


def test_a_backfill_refused_at_its_start_is_told(world: MakeWorld) -> None:
    """POL-9, SEL-4: who planned it for later does not look."""
    w = world(A, B)
    number = w.create(
        selection=AllDescendantsSelection("w.a"), window=parse_window("20:00-22:00", "UTC"), alert=EMAIL
    )
    w.deploy(make_catalog(B))
    w.clock.move_to("2026-03-02T20:00")
    w.later_starts.start_due()
    assert w.row(number)["check_status"] == "failed"
    assert told(w, number) == [(1, "failure", "email")]


def test_a_backfill_refused_at_once_is_not_told(world: MakeWorld) -> None:
    """POL-9, VER-2: who creates it has the answer in hand."""
    w = world(A, make_task("w.b", "0 2 * * *", "w.a"))
    number = w.create(time_range=parse_time_range("02:00-03:00"), alert=EMAIL)
    assert w.row(number)["check_status"] == "failed"
    assert told(w, number) == []
