"""Cases that once went wrong, each as small as it can be."""

from __future__ import annotations

from datetime import date

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import ResourceGroup, RunMode
from retrofill.domain.catalog.task_types import TaskType
from services.worlds import MakeWorld

DAILY, HOURLY = "0 7 * * *", "0 * * * *"


def test_a_stop_of_a_run_whose_start_was_lost(world: MakeWorld) -> None:
    """OPS-1, RUN-3: the run never started, so it is Failed (stopped), and the scheduler goes on."""
    w = world(make_task("w.a", DAILY))
    w.create("a")
    w.tick()
    w.do("stop", "a 5 07:00")
    w.executor.obeys = False
    w.executor.end(w.id("a 5 07:00"), outcome="not_started", exit_code=None)
    w.tick()
    w.tick()
    assert w.state("a 5 07:00") == "failed stopped"


def test_a_second_stop_is_delivered_too(world: MakeWorld) -> None:
    """OPS-1: stop, rerun, stop again under one scheduler."""
    w = world(make_task("w.a", DAILY))
    w.create("a")
    w.tick()
    for _ in range(2):
        w.do("stop", "a 5 07:00")
        w.tick()
        w.tick()
        assert w.state("a 5 07:00") == "failed stopped"
        w.do("rerun", "a 5 07:00")
        w.tick()
        assert w.state("a 5 07:00") == "running"
    assert len(w.executor.told_to_stop) == 2


def test_a_tasks_limit_holds_over_resource_groups(world: MakeWorld) -> None:
    """RUN-1: instances of one task in two groups count together."""
    task = make_task("w.a", DAILY, max_parallel_instances=1)
    w = world(task, groups=(ResourceGroup("night", slots=4),))
    w.create("a", dates="2026-01-05")
    w.create("a", dates="2026-01-06", resource_group="night")
    w.tick()
    assert len(w.executor.running) == 1


def test_an_end_keeps_the_time_at_which_it_came(world: MakeWorld) -> None:
    """OPS-0: a scheduler that was away does not stretch the run time."""
    w = world(make_task("w.a", DAILY))
    w.create("a")
    w.tick()
    w.clock.forward(5)
    w.executor.end(w.id("a 5 07:00"))
    w.clock.forward(3 * 3600)
    w.tick()
    row = w.rows()["a 5 07:00"]
    assert row.started_ms is not None
    assert row.ended_ms == row.started_ms + 5_000


def test_an_unfrozen_instance_is_what_it_was_beneath(world: MakeWorld) -> None:
    """SEL-8, TIME-2, CAT-5: off-day and virtual instances of a paused task never run code."""
    w = world(
        make_task("w.v", DAILY, type=TaskType.VIRTUAL, mode=RunMode.PAUSED),
        make_task("w.off", "0 7 * * MON", mode=RunMode.PAUSED),
        make_task("w.r", DAILY),
    )
    w.create(dates="2026-01-05")
    assert date(2026, 1, 6).strftime("%a") == "Tue"
    w.do("unfreeze", "v 5 07:00", "off 5 07:00")
    w.tick()
    assert w.states()["v 5 07:00"] == "successful"
    assert w.state("off 5 07:00") == "successful off_day"
    assert [spec.name for spec in w.executor.started] == ["w.r"]


def test_what_was_frozen_when_a_sibling_failed_fails_when_it_is_unfrozen(world: MakeWorld) -> None:
    """POL-7, OPS-6."""
    w = world(make_task("w.a", "0 1,2 * * *"), slots=1)
    w.create("a")
    w.tick()
    w.backfills.pause(1)
    w.do("freeze", "a 5 02:00")
    w.backfills.resume(1)
    w.end("a 5 01:00", exit_code=1)
    w.do("unfreeze", "a 5 02:00")
    assert w.state("a 5 02:00") == "failed sibling_failed"


def test_a_refused_rerun_of_a_backfill_leaves_it_stopped(world: MakeWorld) -> None:
    """OPS-1, OPS-3: only a rerun that takes place lifts the stop."""
    from retrofill.domain.catalog.definitions import Rerun

    w = world(make_task("w.a", DAILY, rerun=Rerun(mode="never")), make_task("w.b", DAILY), slots=1)
    backfill = w.create()
    w.tick()
    w.end("a 5 07:00", exit_code=1)
    w.backfills.stop(backfill)
    w.tick()
    w.tick()
    results = w.backfills.rerun(backfill, only_failed=True)
    assert any(result.error for result in results)
    lifted = not all(result.error for result in results)
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
    assert record is not None
    assert bool(record.stopped) != lifted
