"""What follows from a change: who gets ready, which date a group comes to, what fails along."""

from __future__ import annotations

from domain.catalogs import SELF, make_task
from retrofill.domain.catalog.definitions import RunMode
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.planning.policy import AcrossGroups, Barrier, Order
from retrofill.domain.time.windows import parse_time_range
from services.worlds import MakeWorld

DAYS = "2026-01-05..2026-01-06"


def chain() -> list:
    return [
        make_task("w.a", "0 1 * * *"),
        make_task("w.b", "0 2 * * *", "w.a"),
        make_task("w.c", "0 3 * * *", "w.b"),
    ]


def test_a_chain_runs_in_order_and_date_by_date(world: MakeWorld) -> None:
    """RUN-1, POL-6: upstream first, and the next bizdate after all of the one before."""
    w = world(*chain())
    w.create(dates=DAYS)
    assert w.finish() == [
        {"a 5 01:00"},
        {"b 5 02:00"},
        {"c 5 03:00"},
        {"a 6 01:00"},
        {"b 6 02:00"},
        {"c 6 03:00"},
    ]
    assert set(w.states().values()) == {"successful"}


def test_hourly_instances_of_a_date_run_beside_each_other(world: MakeWorld) -> None:
    """POL-8, DEP-2: the daily task waits for all hours."""
    w = world(make_task("w.h", "0 */6 * * *"), make_task("w.d", "0 4 * * *", "w.h"))
    w.create()
    assert w.finish() == [{"h 5 00:00", "h 5 06:00", "h 5 12:00", "h 5 18:00"}, {"d 5 04:00"}]


def test_an_hourly_task_on_itself_runs_one_after_the_other(world: MakeWorld) -> None:
    """POL-8, DEP-6."""
    w = world(make_task("w.h", "0 */12 * * *", SELF))
    w.create(dates=DAYS)
    assert w.finish() == [{"h 5 00:00"}, {"h 5 12:00"}, {"h 6 00:00"}, {"h 6 12:00"}]


def test_groups_run_beside_each_other(world: MakeWorld) -> None:
    """POL-4: three dates in two groups are [5, 6] and [7]."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create(dates="2026-01-05..2026-01-07", groups=2)
    assert w.finish() == [{"a 5 01:00", "a 7 01:00"}, {"a 6 01:00"}]


def test_descending_order(world: MakeWorld) -> None:
    """POL-5."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create(dates="2026-01-05..2026-01-07", order=Order.DESCENDING)
    assert w.finish() == [{"a 7 01:00"}, {"a 6 01:00"}, {"a 5 01:00"}]


def test_a_group_waits_for_the_previous_cycle_in_another_group(world: MakeWorld) -> None:
    """DEP-13: the first date of group 2 waits for the last of group 1."""
    w = world(make_task("w.a", "0 1 * * *", SELF))
    w.create(dates="2026-01-05..2026-01-08", groups=2)
    assert [sorted(wave) for wave in w.finish()] == [[f"a {day} 01:00"] for day in (5, 6, 7, 8)]


def test_waits_across_groups_can_be_dropped(world: MakeWorld) -> None:
    """DEP-13: across_groups: ignore."""
    w = world(make_task("w.a", "0 1 * * *", SELF))
    w.create(dates="2026-01-05..2026-01-08", groups=2, across_groups=AcrossGroups.IGNORE)
    assert w.finish() == [{"a 5 01:00", "a 7 01:00"}, {"a 6 01:00", "a 8 01:00"}]


def test_with_barrier_task_dates_flow_like_a_pipeline(world: MakeWorld) -> None:
    """POL-6: a task's next bizdate starts once its own instances of the date before have succeeded."""
    w = world(*chain())
    w.create(dates=DAYS, barrier=Barrier.TASK)
    assert w.finish() == [
        {"a 5 01:00"},
        {"b 5 02:00", "a 6 01:00"},
        {"c 5 03:00", "b 6 02:00"},
        {"c 6 03:00"},
    ]


def test_an_empty_date_does_not_stop_its_group(world: MakeWorld) -> None:
    """TIME-4, POL-6: a bizdate on which no task is valid is over at once."""
    from datetime import date

    gone = make_task("w.a", "0 1 * * *", valid_until=date(2026, 1, 6))
    w = world(gone, make_task("w.b", "0 2 * * *", valid_from=date(2026, 1, 8)))
    w.create(dates="2026-01-05..2026-01-07")
    assert w.finish() == [{"a 5 01:00"}, {"b 7 02:00"}]


def test_dry_runs_off_days_and_virtual_tasks_pass_without_running(world: MakeWorld) -> None:
    """RUN-2, TIME-2, CAT-8: and what waits for them goes on."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.mid", "0 2 * * *", "w.a"),
        make_task("w.weekly", "0 3 * * MON", "w.mid"),  # T is Tuesday, 6 January
        make_task("w.gate", "0 4 * * *", "w.weekly", type=TaskType.VIRTUAL),
        make_task("w.still", "0 5 * * *", "w.gate", mode=RunMode.DRY_RUN),
        make_task("w.z", "0 6 * * *", "w.still"),
    )
    w.create("a", "weekly", "gate", "still", "z")
    assert w.finish() == [{"a 5 01:00"}, {"z 5 06:00"}]
    assert w.state("mid 5 02:00") == "successful dry_run"
    assert w.state("weekly 5 03:00") == "successful off_day"
    assert w.state("gate 5 04:00") == "successful"
    assert w.state("still 5 05:00") == "successful dry_run"


def test_intermediate_dry_runs_do_not_wait_for_their_time_but_virtual_tasks_do(world: MakeWorld) -> None:
    """RUN-2: a virtual task gates by its time, a dry run by SEL-6 does not."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.mid", "0 9 * * *", "w.a"),
        make_task("w.gate", "0 9 * * *", "w.a", type=TaskType.VIRTUAL),
        make_task("w.z", "0 2 * * *", "w.mid", "w.gate"),
        now="2026-01-06T05:00",
    )
    w.create("a", "gate", "z")
    w.finish()
    assert w.state("mid 5 09:00") == "successful dry_run"
    assert w.state("gate 5 09:00") == "waiting_time"
    assert w.state("z 5 02:00") == "not_run"
    w.clock.move_to("2026-01-06T09:00")
    assert w.finish() == [{"z 5 02:00"}]


def test_a_failure_fails_what_has_not_started_of_its_task_and_date(world: MakeWorld) -> None:
    """POL-7: siblings that have not started fail with it, running ones keep their own outcome."""
    w = world(
        make_task("w.h", "0 */6 * * *"),
        make_task("w.d", "30 23 * * *", "w.h"),
        make_task("w.x", "0 1 * * *"),
        slots=3,
    )
    backfill = w.create(dates=DAYS)
    w.tick()
    assert w.running() == {"h 5 00:00", "x 5 01:00", "h 5 06:00"}
    w.end("h 5 00:00", exit_code=1)
    assert w.state("h 5 00:00") == "failed exit_code"
    assert w.state("h 5 12:00") == w.state("h 5 18:00") == "failed sibling_failed"
    assert w.state("h 5 06:00") == "running"
    w.finish()
    assert w.state("h 5 06:00") == "successful"
    assert w.state("x 5 01:00") == "successful", "an independent branch of the same date goes on"
    assert w.state("d 5 23:30") == "not_run"
    assert w.state("h 6 00:00") == "not_run", "the task's next bizdate does not run"
    assert w.status(backfill) == "failed"
    assert w.row(backfill)["blocked_by"] == ["failed"]


def test_a_rerun_brings_the_siblings_back_and_the_group_goes_on(world: MakeWorld) -> None:
    """POL-7, BF-5: by itself, and ended_at is cleared at once."""
    w = world(make_task("w.h", "0 */6 * * *"), make_task("w.d", "30 23 * * *", "w.h"), slots=1)
    backfill = w.create(dates=DAYS)
    w.finish(fails=lambda name: name == "h 5 06:00")
    assert w.states()["h 5 12:00"] == "failed"
    assert w.row(backfill)["ended_at"] is not None
    assert w.do("rerun", "h 5 06:00") == [None]
    assert w.row(backfill)["ended_at"] is None
    assert w.state("h 5 12:00") in ("not_run", "waiting_resources")
    waves = w.finish()
    assert waves[0] == {"h 5 06:00"}
    assert waves[-1] == {"d 6 23:30"}
    assert w.status(backfill) == "succeeded"
    assert w.rows()["h 5 06:00"].run_number == 2
    assert w.rows()["h 5 12:00"].run_number == 1


def test_siblings_stay_failed_while_one_has_a_reason_of_its_own(world: MakeWorld) -> None:
    """POL-7: they come back only when no instance of the task and date is failed by itself."""
    w = world(make_task("w.h", "0 */6 * * *"), slots=2)
    w.create()
    w.tick()
    w.end("h 5 00:00", "h 5 06:00", exit_code=1)
    assert w.do("rerun", "h 5 00:00") == [None]
    assert w.state("h 5 12:00") == "failed sibling_failed"
    assert w.do("set_successful", "h 5 06:00") == [None]
    w.finish()
    assert set(w.states().values()) == {"successful"}


def test_a_sibling_that_was_frozen_meanwhile_comes_back_too(world: MakeWorld) -> None:
    """POL-7, OPS-6: unfrozen after the one that failed was mended, it does not stay Failed for ever."""
    w = world(make_task("w.h", "0 */12 * * *"), slots=1)
    w.create()
    w.finish(fails=lambda _: True)
    w.do("freeze", "h 5 12:00")
    w.do("set_successful", "h 5 00:00")
    w.do("unfreeze", "h 5 12:00")
    assert w.finish() == [{"h 5 12:00"}]


def test_other_groups_go_on_when_one_fails(world: MakeWorld) -> None:
    """POL-7."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create(dates="2026-01-05..2026-01-08", groups=2)
    w.finish(fails=lambda name: name.startswith("a 5"))
    assert w.states() == {
        "a 5 01:00": "failed",
        "a 6 01:00": "not_run",
        "a 7 01:00": "successful",
        "a 8 01:00": "successful",
    }


def test_with_barrier_task_only_the_failed_task_stands_still(world: MakeWorld) -> None:
    """POL-6, POL-7."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *"))
    w.create(dates=DAYS, barrier=Barrier.TASK)
    w.finish(fails=lambda name: name == "a 5 01:00")
    assert w.states() == {
        "a 5 01:00": "failed",
        "a 6 01:00": "not_run",
        "b 5 02:00": "successful",
        "b 6 02:00": "successful",
    }


def test_an_isolated_instance_blocks_its_descendants(world: MakeWorld) -> None:
    """DEP-11, OPS-0, VER-2: with allow_risks it runs, and the risky instance stays blocked."""
    w = world(*chain())
    backfill = w.create(time_range=parse_time_range("02:00-23:59"), allow_risks=True)
    assert w.finish() == []
    assert w.state("b 5 02:00") == "not_run isolated"
    assert w.state("c 5 03:00") == "not_run"
    assert (w.status(backfill), w.row(backfill)["blocked_by"]) == ("failed", ["isolated"])


def test_nothing_passes_in_a_paused_backfill(world: MakeWorld) -> None:
    """RUN-2, BF-3: a virtual task neither, nor what waits for it."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.gate", "0 2 * * *", "w.a", type=TaskType.VIRTUAL),
        make_task("w.c", "0 3 * * *", "w.gate"),
    )
    backfill = w.create()
    w.tick()
    w.backfills.pause(backfill)
    w.end("a 5 01:00")
    assert w.state("a 5 01:00") == "successful"
    assert not w.state("gate 5 02:00").startswith("successful")
    w.backfills.resume(backfill)
    assert w.finish() == [{"c 5 03:00"}]


def test_an_isolated_instance_does_not_fail_with_its_siblings(world: MakeWorld) -> None:
    """POL-7, DEP-11: it could not run anyway, and says so."""
    w = world(make_task("w.a", "0 1,12 * * *"), make_task("w.b", "0 2,3 * * *", "w.a"))
    backfill = w.create(time_range=parse_time_range("01:00-06:00"), allow_risks=True)
    assert w.finish(fails=lambda name: name.startswith("b")) == [{"a 5 01:00"}, {"b 5 02:00"}]
    assert (w.state("b 5 02:00"), w.state("b 5 03:00")) == ("failed exit_code", "not_run isolated")
    assert w.row(backfill)["blocked_by"] == ["failed", "isolated"]


def test_a_dry_run_that_the_time_range_removes_passes_the_wait_on(world: MakeWorld) -> None:
    """SEL-6: c waits for a, as it would through b; by operations too."""
    w = world(
        make_task("w.a", "0 5-6 * * *"),
        make_task("w.b", "30 1 * * *", "w.a"),
        make_task("w.c", "0 5-6 * * *", "w.b"),
    )
    w.create("a", "c", time_range=parse_time_range("05:00-06:00"))
    assert w.finish() == [{"a 5 05:00", "a 5 06:00"}, {"c 5 05:00", "c 5 06:00"}]
    w.do("rerun", "a 5 06:00")
    w.do("rerun", "c 5 05:00")
    assert w.state("c 5 05:00") == "not_run"
    assert w.finish() == [{"a 5 06:00"}, {"c 5 05:00"}]
    assert w.drift() == []


def test_a_loop_between_instances_is_named_as_what_blocks(world: MakeWorld) -> None:
    """VER-1, BF-5: nothing failed, and yet nothing can start."""
    from domain.catalogs import CHILDREN

    w = world(make_task("w.a", "30 6,12 * * *", CHILDREN), make_task("w.b", "0 0,6,12 * * *", "w.a"))
    planned = w.plan()
    assert [f.code for f in planned.findings if f.level == "risk"] == ["loop"]
    backfill = w.create(allow_risks=True)
    w.finish()
    assert (w.status(backfill), w.row(backfill)["blocked_by"]) == ("failed", ["loop"])


def test_what_was_ready_keeps_its_turn_when_the_clock_goes_back(world: MakeWorld) -> None:
    """TIME-8: its time had come while the schedule was paused; a clock that is set back does not take that away."""
    w = world(make_task("w.gate", "0 2 * * *", type=TaskType.VIRTUAL), now="2026-03-02T12:00")
    w.clock.move_to("2026-03-02T23:30")
    w.night()
    w.schedule.pause("admin")
    w.scheduler.look_again()
    w.clock.move_to("2026-03-03T02:00")
    w.tick()
    assert w.auto_states() == {"gate 2 02:00": "waiting_resources"}
    w.clock.jump(-40 * 60)
    w.schedule.resume("admin")
    w.scheduler.look_again()
    w.tick()
    assert w.auto_states() == {"gate 2 02:00": "successful"}
