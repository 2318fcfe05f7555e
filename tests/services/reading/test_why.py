"""One sentence that names what an instance waits for (OPS-9)."""

from __future__ import annotations

import pytest

from domain.catalogs import CHILDREN, SELF, make_catalog, make_task
from retrofill.domain.catalog.definitions import Rerun, ResourceGroup
from retrofill.domain.time.windows import parse_time_range, parse_window
from services.worlds import MakeWorld

CHAIN = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))


def test_an_open_wait_names_the_upstream_instance_and_its_state(world: MakeWorld) -> None:
    """OPS-9: upstream X of T."""
    w = world(*CHAIN)
    w.create()
    w.tick()
    found = w.why("b 5 02:00")
    assert found.text == "It waits for w.a 2026-01-06 01:00 (Running, bizdate 2026-01-05, instance 1)."
    assert found.blockers == (
        {"id": w.id("a 5 01:00"), "task": "w.a", "bizdate": "2026-01-05",
         "scheduled_at": "2026-01-06T01:00:00", "state": "running", "reason": None},
    )  # fmt: skip


def test_what_failed_is_named_before_what_merely_waits(world: MakeWorld) -> None:
    """OPS-9: the binding constraint first."""
    w = world(make_task("w.h", "0 */4 * * *"), make_task("w.d", "0 5 * * *", "w.h"), slots=1)
    w.create()
    w.tick()
    w.end("h 5 00:00", exit_code=1)
    found = w.why("d 5 05:00")
    assert found.text.startswith("It waits for w.h 2026-01-06 00:00 (Failed, bizdate 2026-01-05, instance ")
    assert found.text.endswith("and 3 more.")
    assert len(found.blockers) == 6


def test_an_earlier_bizdate_names_what_holds_it_up(world: MakeWorld) -> None:
    """OPS-9, POL-6."""
    w = world(*CHAIN)
    w.create(dates="2026-01-05..2026-01-07")
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    text = w.why("a 7 01:00").text
    assert "Group 1 is at bizdate 2026-01-05" in text
    assert "2 of 2 instances have not succeeded" in text
    assert f"w.a 2026-01-06 01:00 (Failed, bizdate 2026-01-05, instance {w.id('a 5 01:00')})" in text


def test_time(world: MakeWorld) -> None:
    """OPS-9, POL-2."""
    w = world(*CHAIN, now="2026-01-05T12:00")
    w.create()
    assert w.why("a 5 01:00").text == "It waits for its time, 2026-01-06 01:00:00 UTC."


def test_a_reruns_interval(world: MakeWorld) -> None:
    """OPS-9, RUN-3."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=90)))
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert w.why("a 5 01:00").text == "Run 1 failed; run 2 starts by itself at 2026-03-02 12:01:30 UTC."


def test_a_closed_window(world: MakeWorld) -> None:
    """OPS-9, POL-11."""
    w = world(*CHAIN)
    w.create(window=parse_window("20:00-22:00", "UTC"))
    text = w.why("a 5 01:00").text
    assert "window" in text
    assert "2026-03-02 20:00 UTC" in text


def test_slots_name_what_takes_them(world: MakeWorld) -> None:
    """OPS-9: slot taken by ..."""
    w = world(make_task("w.h", "0 */12 * * *"), slots=1)
    w.create()
    w.tick()
    found = w.why("h 5 12:00")
    taker = w.id("h 5 00:00")
    assert found.text == f"The only slot of resource group default is taken, by instance {taker}."
    assert [blocker["id"] for blocker in found.blockers] == [taker]


def test_max_parallel_instances(world: MakeWorld) -> None:
    """OPS-9, RUN-1: slots are free, but the task may run no more."""
    w = world(make_task("w.h", "0 */12 * * *", max_parallel_instances=1))
    w.create()
    w.tick()
    assert "max_parallel_instances" in w.why("h 5 12:00").text


def test_a_resource_group_that_is_gone(world: MakeWorld) -> None:
    """OPS-9, CAT-2: slots are those of the deployed version; without them nothing starts."""
    night = ResourceGroup("night", slots=1)
    w = world(make_task("w.a", "0 1 * * *", resource_group="night"), groups=(night,))
    w.create()
    w.deploy(make_catalog(make_task("w.a", "0 1 * * *"), groups=(ResourceGroup("default"),)))
    assert w.finish() == []
    assert "night is gone from the project" in w.why("a 5 01:00").text
    w.deploy(make_catalog(make_task("w.a", "0 1 * * *"), groups=(ResourceGroup("default"), night)))
    assert w.finish() == [{"a 5 01:00"}]


def test_no_scheduler(world: MakeWorld) -> None:
    """OPS-9: nothing but that."""
    w = world(*CHAIN)
    w.create()
    assert "no scheduler runs" in w.why("a 5 01:00", has_scheduler=False).text


@pytest.mark.parametrize("how", ["pause", "stop"])
def test_a_held_backfill(world: MakeWorld, how: str) -> None:
    """OPS-9, OPS-0."""
    w = world(*CHAIN)
    w.create()
    getattr(w.backfills, how)(1)
    assert w.why("a 5 01:00").text.startswith(f"Backfill 1 is {'paused' if how == 'pause' else 'stopped'};")


def test_frozen(world: MakeWorld) -> None:
    """OPS-9, OPS-6: the frozen one and what waits for it."""
    w = world(*CHAIN)
    w.create()
    w.do("freeze", "b 5 02:00")
    assert w.why("b 5 02:00").text.startswith("It is frozen")
    w.finish()
    w.do("freeze", "a 5 01:00")
    w.do("unfreeze", "b 5 02:00")
    assert (
        w.why("b 5 02:00").text
        == "It waits for w.a 2026-01-06 01:00 (Frozen, bizdate 2026-01-05, instance 1)."
    )


def test_isolated(world: MakeWorld) -> None:
    """OPS-9, DEP-11: with the missing upstream."""
    w = world(*CHAIN)
    w.create(time_range=parse_time_range("02:00-03:00"), allow_risks=True)
    text = w.why("b 5 02:00").text
    assert text.startswith("It is isolated")
    assert "w.a" in text


def test_failures_say_what_to_do(world: MakeWorld) -> None:
    """OPS-9: log and rerun are named."""
    w = world(make_task("w.h", "0 */12 * * *"), slots=1)
    w.create()
    w.tick()
    w.end("h 5 00:00", exit_code=9, message="exit status 9")
    number = w.id("h 5 00:00")
    text = w.why("h 5 00:00").text
    assert "exit status 9" in text
    assert f"retrofill instance log {number}" in text
    assert f"retrofill instance rerun {number}" in text
    sibling = w.why("h 5 12:00")
    assert "Another instance of the same task and bizdate failed" in sibling.text
    assert [blocker["id"] for blocker in sibling.blockers] == [number]


@pytest.mark.parametrize(
    ("outcome", "part"),
    [("stopped", "stopped it"), ("timeout", "timeout"), ("lost", "supervisor")],
)
def test_other_failures(world: MakeWorld, outcome: str, part: str) -> None:
    """OPS-9, RUN-4."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create()
    w.tick()
    w.end("a 5 01:00", outcome=outcome, exit_code=None)
    assert part in w.why("a 5 01:00").text


def test_running_and_successful(world: MakeWorld) -> None:
    """OPS-9: the question has an answer in every state."""
    w = world(*CHAIN)
    w.create()
    w.tick()
    assert w.why("a 5 01:00").text == "It is running (run 1)."
    w.executor.obeys = False
    w.do("stop", "a 5 01:00")
    assert "being stopped" in w.why("a 5 01:00").text
    w.end("a 5 01:00")
    assert w.why("a 5 01:00").text == "It has succeeded."


def test_the_cause_at_the_end_of_a_chain(world: MakeWorld) -> None:
    """OPS-9: what merely has not had its turn is no answer at night."""
    w = world(*CHAIN, make_task("w.c", "0 3 * * *", "w.b"), make_task("w.d", "0 4 * * *", "w.c"))
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=3)
    found = w.why("d 5 04:00")
    assert found.text == (
        "It waits for w.c 2026-01-06 03:00 (Not run, bizdate 2026-01-05, instance 3), "
        "and in the end for w.a 2026-01-06 01:00 (Failed, bizdate 2026-01-05, instance 1)."
    )
    assert found.cause is not None
    assert found.cause["id"] == w.id("a 5 01:00")
    assert found.code == "upstream"


def test_a_date_that_waits_across_groups_names_where_it_stands(world: MakeWorld) -> None:
    """OPS-9, DEP-13: an instance, not a date alone."""
    w = world(make_task("w.a", "0 1 * * *", SELF))
    w.create(dates="2026-01-05..2026-01-08", groups=2)
    w.tick()
    found = w.why("a 8 01:00")
    assert "it stands at w.a 2026-01-06 01:00 (Running, bizdate 2026-01-05, instance 1)" in found.text


def test_what_may_not_be_rerun_is_not_advised_to_be(world: MakeWorld) -> None:
    """OPS-9, OPS-2: rerun mode never."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(mode="never")))
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    text = w.why("a 5 01:00").text
    assert "instance rerun" not in text
    assert "instance set-successful" in text


def test_what_could_not_start_has_no_log(world: MakeWorld) -> None:
    """OPS-9: nothing is pointed at that does not exist."""
    w = world(make_task("w.a", "0 1 * * *", parameters=(("key", "${secret:MISSING}"),)))
    w.create()
    w.tick()
    text = w.why("a 5 01:00").text
    assert "there is no secret MISSING; set RETROFILL_SECRET_MISSING in the scheduler's environment;" in text
    assert "instance log" not in text


def test_a_circle_is_named_as_one(world: MakeWorld) -> None:
    """OPS-9, VER-1: what waits for itself would otherwise only seem to have to wait."""
    tasks = (
        make_task("w.a", "30 6,12 * * *", CHILDREN),
        make_task("w.b", "0 0,6,12 * * *", "w.a"),
    )
    w = world(*tasks)
    w.create(dates="2026-01-05", allow_risks=True)
    w.finish()
    stuck = next(name for name, state in w.states().items() if state == "not_run")
    found = w.why(stuck)
    assert found.code == "loop"
    assert "in a circle" in found.text
    assert "remove-wait" in found.text
    assert found.blockers


def test_running_without_a_scheduler(world: MakeWorld) -> None:
    """OPS-9: it may have ended; nobody has heard of it yet."""
    w = world(*CHAIN)
    w.create()
    w.tick()
    assert "no scheduler runs" in w.why("a 5 01:00", has_scheduler=False).text
