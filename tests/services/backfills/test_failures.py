"""What becomes of a backfill when instances fail: it goes on with later dates, or pauses by itself (POL-14)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.catalog.definitions import Rerun
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import (
    Alert,
    AlertMethod,
    AlertTrigger,
    Barrier,
    FailurePolicyError,
    OnFailure,
)
from retrofill.domain.time.windows import parse_time_range
from services.worlds import MakeWorld, World

A = make_task("w.a", "0 1 * * *")
B = make_task("w.b", "0 2 * * *", "w.a")
OTHER = make_task("w.o", "0 3 * * *")
CHAIN = make_task("w.c", "0 1 * * *", SELF)
ON = {"on_failure": OnFailure.CONTINUE}


def fails(*names: str) -> Callable[[str], bool]:
    return lambda name: name in names


def ended(w: World, state: str) -> set[str]:
    return {name for name, found in w.states().items() if found == state}


# on_failure: continue


def test_by_default_the_dates_after_a_failure_wait(world: MakeWorld) -> None:
    """POL-7, POL-14: on_failure: stop."""
    w = world(A)
    number = w.create(dates="2026-01-05..2026-01-07")
    w.finish(fails=fails("a 5 01:00"))
    assert ended(w, "not_run") == {"a 6 01:00", "a 7 01:00"}
    assert w.status(number) == "failed"


def test_one_bad_date_stops_no_other(world: MakeWorld) -> None:
    """POL-14: continue; the backfill ends Run failed, and what waits below the failure is Not run."""
    w = world(A, B)
    number = w.create(dates="2026-01-05..2026-01-08", **ON)
    w.finish(fails=fails("a 6 01:00"))
    assert ended(w, "failed") == {"a 6 01:00"}
    assert ended(w, "not_run") == {"b 6 02:00"}
    assert len(ended(w, "successful")) == 6
    row = w.row(number)
    assert (row["status"], row["blocked_by"]) == ("failed", ["failed"])
    assert row["ended_at"] is not None


def test_the_next_date_waits_for_what_still_goes_on(world: MakeWorld) -> None:
    """POL-6, POL-14: a group has one date under way."""
    w = world(A, B, OTHER)
    w.create(dates="2026-01-05..2026-01-06", **ON)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert w.running() == {"o 5 03:00"}
    w.end("o 5 03:00")
    assert w.running() == {"a 6 01:00", "o 6 03:00"}


def test_a_rerun_by_itself_keeps_the_group_at_its_date(world: MakeWorld) -> None:
    """RUN-3, POL-14: it has not failed for good."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=60)))
    w.create(dates="2026-01-05..2026-01-06", **ON)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert w.running() == set()
    w.clock.forward(60)
    w.tick()
    assert w.running() == {"a 5 01:00"}
    w.end("a 5 01:00", exit_code=1)
    assert w.running() == {"a 6 01:00"}


def test_dependencies_are_waited_for_all_the_same(world: MakeWorld) -> None:
    """POL-14: a running total stops at its hole, what does not depend on it goes on."""
    w = world(CHAIN, OTHER)
    w.create(dates="2026-01-05..2026-01-08", **ON)
    w.finish(fails=fails("c 6 01:00"))
    assert ended(w, "successful") == {"c 5 01:00", "o 5 03:00", "o 6 03:00", "o 7 03:00", "o 8 03:00"}
    assert ended(w, "not_run") == {"c 7 01:00", "c 8 01:00"}


def test_a_date_that_cannot_begin_at_all_is_passed_over(world: MakeWorld) -> None:
    """POL-14: it lies wholly below a failure of the date before."""
    w = world(CHAIN)
    number = w.create(dates="2026-01-05..2026-01-07 2026-01-20", **ON)
    w.finish(fails=fails("c 5 01:00"))
    assert ended(w, "not_run") == {"c 6 01:00", "c 7 01:00"}
    assert ended(w, "successful") == {"c 20 01:00"}
    assert w.status(number) == "failed"


def test_a_failure_of_another_group_is_seen_across(world: MakeWorld) -> None:
    """DEP-13, POL-14: the second group waits for the first one's last date, and goes on once that has failed."""
    w = world(CHAIN, OTHER)
    w.create(dates="2026-01-05..2026-01-08", groups=2, **ON)
    w.finish(fails=fails("c 6 01:00"))
    assert ended(w, "not_run") == {"c 7 01:00", "c 8 01:00"}
    assert {"o 7 03:00", "o 8 03:00"} <= ended(w, "successful")


def test_what_is_frozen_or_isolated_holds_its_group(world: MakeWorld) -> None:
    """POL-7, POL-14: only a failure is passed over."""
    w = world(A, OTHER)
    w.create(dates="2026-01-05..2026-01-06", **ON)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    w.backfills.pause(1)
    w.end("o 5 03:00", exit_code=1)
    w.do("freeze", "o 5 03:00")
    w.backfills.resume(1)
    w.tick()
    assert w.do("unfreeze", "o 5 03:00") == [None]

    hours = make_task("w.h", "0 5,6 * * *")
    gate = make_task("w.g", "0 1 * * *", "w.h")
    w = world(hours, gate, A)
    w.create(
        dates="2026-01-05..2026-01-06", time_range=parse_time_range("00:00-02:00"), allow_risks=True, **ON
    )
    w.finish(fails=fails("a 5 01:00"))
    assert ended(w, "not_run") == {"g 5 01:00", "g 6 01:00", "a 6 01:00"}


def test_it_can_be_asked_for_while_the_group_stands_still(world: MakeWorld) -> None:
    """POL-14, BF-3: from then on the group goes on; the backfill has not ended any more."""
    w = world(A, B)
    number = w.create(dates="2026-01-05..2026-01-07")
    w.finish(fails=fails("a 5 01:00"))
    assert w.row(number)["ended_at"] is not None
    found = w.backfills.change(number, Changes({"on_failure": OnFailure.CONTINUE})).differences
    assert [str(one) for one in found] == ["on failure stop -> continue"]
    assert w.row(number)["ended_at"] is None
    w.finish()
    assert ended(w, "not_run") == {"b 5 02:00"}
    assert len(ended(w, "successful")) == 4


def test_it_can_be_taken_back(world: MakeWorld) -> None:
    """POL-14, BF-3: the next failure holds its group up."""
    w = world(A)
    number = w.create(dates="2026-01-05..2026-01-08", **ON)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    w.backfills.change(number, Changes({"on_failure": OnFailure.STOP}))
    w.finish(fails=fails("a 6 01:00"))
    assert ended(w, "not_run") == {"a 7 01:00", "a 8 01:00"}


def test_what_is_mended_later_runs_in_its_order(world: MakeWorld) -> None:
    """OPS-2, POL-14: what waits below comes after it, whatever later dates have done."""
    w = world(A, B)
    number = w.create(dates="2026-01-05..2026-01-06", **ON)
    w.finish(fails=fails("a 5 01:00"))
    assert w.do("rerun", "a 5 01:00") == [None]
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}]
    assert w.status(number) == "succeeded"


def test_a_scheduler_that_is_started_anew_goes_on_in_the_same_way(world: MakeWorld) -> None:
    """POL-14: what is known of failures is in the ledger."""
    w = world(CHAIN, OTHER)
    w.create(dates="2026-01-05..2026-01-08", **ON)
    w.tick()
    w.end("c 5 01:00", exit_code=1)
    w.restart()
    w.end("o 5 03:00")
    w.restart()
    w.end("o 6 03:00")
    assert w.running() == {"o 7 03:00"}


def test_waits_of_a_task_barrier_cannot_be_passed_over() -> None:
    """POL-14: one clear sentence."""
    from retrofill.domain.planning.policy import Policy
    from retrofill.domain.time.bizdates import parse_range

    with pytest.raises(FailurePolicyError, match="barrier: task"):
        Policy(ranges=(parse_range("2026-01-05"),), barrier=Barrier.TASK, on_failure=OnFailure.CONTINUE)


# max_failures


def pausing(make: MakeWorld, **more: object) -> World:
    w = make(A, B, OTHER, slots=9)
    w.create(dates="2026-01-05..2026-01-10", groups=6, max_failures=2, **more)
    w.tick()
    return w


def test_a_backfill_pauses_by_itself_when_so_many_have_failed(world: MakeWorld) -> None:
    """POL-14: running ones end, nothing new starts; row, why and the record say so."""
    w = pausing(world)
    w.end("a 5 01:00", exit_code=1)
    assert w.status(1) == "running"
    assert w.row(1)["held"] is None
    w.end("a 6 01:00", exit_code=1)
    row = w.row(1)
    assert (row["status"], row["held"], row["paused_by"], row["failures"]) == (
        "running",
        "paused",
        "max_failures",
        2,
    )
    running = w.running()
    assert w.finish() == [running]
    assert w.states()["o 10 03:00"] == "waiting_resources"
    assert w.status(1) == "paused"
    assert w.why("b 7 02:00").text == (
        "Backfill 1 has paused by itself when 2 instances had failed; `retrofill backfill resume 1` lets it go on."
    )
    with w.store.read() as reader:
        last = reader.operations("backfill_id", 1)[-1]
    assert (last.user, last.action, last.comment) == (
        "retrofill",
        "pause",
        "2 instances failed (max_failures 2)",
    )


def test_after_a_resume_it_is_counted_anew(world: MakeWorld) -> None:
    """POL-14: since the start or the last resume."""
    w = pausing(world)
    w.end("a 5 01:00", exit_code=1)
    w.end("a 6 01:00", exit_code=1)
    w.backfills.resume(1)
    assert w.row(1)["paused_by"] is None
    w.end("a 7 01:00", exit_code=1)
    assert w.row(1)["held"] is None
    w.end("a 8 01:00", exit_code=1)
    assert w.row(1)["held"] == "paused"


def test_only_failures_for_good_count_and_siblings_do_not(world: MakeWorld) -> None:
    """POL-14: an automatic rerun is no failure, and what failed with a sibling did not run."""
    task = make_task("w.h", "0 1-9 * * *", rerun=Rerun(times=1, interval_seconds=0), max_parallel_instances=1)
    w = world(task, OTHER)
    w.create(dates="2026-01-05..2026-01-06", groups=2, max_failures=2)
    w.tick()
    w.end("h 5 01:00", exit_code=1)
    w.tick()
    w.end("h 5 01:00", exit_code=1)
    assert len(ended(w, "failed")) == 9
    assert (w.row(1)["held"], w.row(1)["failures"]) == (None, 1)


def test_what_could_not_go_on_anyway_ends(world: MakeWorld) -> None:
    """POL-14, BF-5: a backfill that nobody need resume is Run failed, not paused."""
    w = world(A, B)
    number = w.create(max_failures=1)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    row = w.row(number)
    assert (row["status"], row["held"], row["paused_by"]) == ("failed", None, None)
    assert row["ended_at"] is not None


def test_the_last_failure_of_a_paused_one_ends_it(world: MakeWorld) -> None:
    """POL-14, BF-5: what ran while it paused was all that was left."""
    w = world(A, OTHER)
    number = w.create(max_failures=1)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert w.row(number)["held"] == "paused"
    w.end("o 5 03:00", exit_code=1)
    assert (w.status(number), w.row(number)["held"]) == ("failed", None)
    assert w.do("rerun", "a 5 01:00") == [None]
    w.tick()
    assert w.running() == {"a 5 01:00"}


def test_it_can_be_set_and_taken_away_while_it_runs(world: MakeWorld) -> None:
    """POL-14, BF-3: set below what has failed already, it pauses at once."""
    w = pausing(world)
    w.end("a 5 01:00", exit_code=1)
    w.backfills.change(1, Changes({"max_failures": 1}))
    assert w.row(1)["held"] == "paused"
    w.backfills.resume(1)
    w.backfills.change(1, Changes({"max_failures": None}))
    for name in ("a 6 01:00", "a 7 01:00", "a 8 01:00"):
        w.end(name, exit_code=1)
    assert w.row(1)["held"] is None


def test_each_pause_by_itself_is_told_once(world: MakeWorld) -> None:
    """POL-9, POL-14: to whoever asked to be told of failures."""

    def told() -> list[tuple[int, str]]:
        with w.store.read() as reader:
            return [(alert.round, alert.event) for alert in reader.outbox.of_backfill(1)]

    w = pausing(world, alert=Alert(AlertTrigger.FAILURE, AlertMethod.EMAIL))
    w.end("a 5 01:00", exit_code=1)
    w.end("a 6 01:00", exit_code=1)
    assert told() == [(1, "failure"), (1, "paused")]
    w.backfills.resume(1)
    for name in ("a 7 01:00", "a 8 01:00", "a 9 01:00"):
        w.end(name, exit_code=1)
    assert told() == [(1, "failure"), (1, "paused"), (2, "failure"), (2, "paused")]


# How long it took


def test_time_in_which_nothing_could_go_on_is_not_counted(world: MakeWorld) -> None:
    """BF-2: until somebody stepped in; after a failure, while paused, after a stop."""
    w = world(A, B)
    number = w.create(dates="2026-01-05..2026-01-06")
    w.tick()
    w.clock.forward(10)
    w.end("a 5 01:00", exit_code=1)
    assert w.row(number)["took_seconds"] == 10
    w.clock.forward(3_600)
    w.do("rerun", "a 5 01:00")
    w.tick()
    w.clock.forward(10)
    w.end("a 5 01:00")
    w.clock.forward(5)
    w.backfills.pause(number)
    w.clock.forward(5)
    w.end("b 5 02:00")  # it ran on while paused
    w.clock.forward(7_200)
    w.backfills.resume(number)
    w.tick()
    w.clock.forward(20)
    w.backfills.stop(number)
    w.tick()
    w.tick()
    assert w.status(number) == "stopped"
    assert w.row(number)["took_seconds"] == 50
    w.clock.forward(900)
    w.backfills.resume(number)
    w.do("rerun", "a 6 01:00")
    w.tick()
    w.clock.forward(10)
    w.end("a 6 01:00")
    w.clock.forward(10)
    w.end("b 6 02:00")
    assert w.status(number) == "succeeded"
    assert w.row(number)["took_seconds"] == 70
    w.clock.forward(900)
    w.do("rerun", "b 6 02:00")
    w.tick()
    w.clock.forward(1)
    w.end("b 6 02:00")
    assert w.row(number)["took_seconds"] == 71


def test_what_somebody_sets_successful_ended_when_it_failed(world: MakeWorld) -> None:
    """BF-2, OPS-5."""
    w = world(A)
    number = w.create()
    w.tick()
    w.clock.forward(10)
    w.end("a 5 01:00", exit_code=1)
    w.clock.forward(3_600)
    w.do("set_successful", "a 5 01:00")
    assert w.row(number)["took_seconds"] == 10


def test_a_first_estimate_is_held_against_the_time_that_it_could_run(world: MakeWorld) -> None:
    """BF-2: the score leaves out the same time."""
    w = world(A)
    w.create()
    w.tick()
    w.clock.forward(100)
    w.end("a 5 01:00")
    number = w.create(dates="2026-01-06")
    w.tick()
    w.clock.forward(50)
    w.end("a 6 01:00", exit_code=1)
    w.clock.forward(86_400)
    w.do("rerun", "a 6 01:00")
    w.tick()
    w.clock.forward(50)
    w.end("a 6 01:00")
    assert w.row(number)["first_estimate"]["off_percent"] == 0
