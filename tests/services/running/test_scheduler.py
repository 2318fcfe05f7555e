"""What a tick starts, in which order, and what the ends of runs mean."""

from __future__ import annotations

from datetime import date

import pytest

from domain.catalogs import make_task
from retrofill import failpoints
from retrofill.domain.catalog.definitions import Rerun, ResourceGroup
from retrofill.domain.errors import StoreFullError
from retrofill.domain.planning.policy import OverrideError
from retrofill.domain.time.windows import parse_window
from services.crashing import once_at
from services.worlds import MakeWorld


def test_no_more_start_than_the_group_has_slots(world: MakeWorld) -> None:
    """RUN-1: over all backfills."""
    w = world(*[make_task(f"w.t{i}", "0 1 * * *") for i in range(5)], slots=3)
    w.create()
    w.create("t0", "t1")
    w.tick()
    assert len(w.executor.running) == 3
    w.executor.end(next(iter(w.executor.running)))
    w.tick()
    assert len(w.executor.running) == 3


def test_groups_have_slots_of_their_own(world: MakeWorld) -> None:
    """RUN-1, POL-10: an override of the whole backfill takes that group's slots."""
    night = ResourceGroup("night", slots=1)
    w = world(
        make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *", resource_group="night"), groups=(night,)
    )
    w.create()
    w.tick()
    assert len(w.running()) == 2
    w.create(resource_group="night")
    w.tick()
    assert len(w.running()) == 0
    assert {row.resource_group for row in w.rows().values()} == {"night"}


def test_higher_priority_first_then_time_then_id(world: MakeWorld) -> None:
    """RUN-1."""
    w = world(
        make_task("w.late", "0 5 * * *"),
        make_task("w.early", "0 1 * * *"),
        make_task("w.vip", "0 9 * * *", priority=8),
        make_task("w.more", "0 8 * * *", priority=5),
        slots=1,
    )
    w.create()
    order = [next(iter(wave)) for wave in w.finish()]
    assert order == ["vip 5 09:00", "more 5 08:00", "early 5 01:00", "late 5 05:00"]


def test_old_bizdates_have_a_lower_priority(world: MakeWorld) -> None:
    """POL-12: yesterday keeps its priority, older 7 and 8 become 3, 3 and 5 become 2, 1 stays."""
    w = world(
        *[make_task(f"w.p{p}", "0 1 * * *", priority=p) for p in (1, 3, 5, 7, 8)],
        now="2026-01-07T12:00",
        slots=1,
    )
    w.create(dates="2026-01-05..2026-01-06", groups=2)
    w.scheduler.starts = False
    w.tick()
    found = {name: row.priority for name, row in w.rows().items()}
    assert [found[f"p{p} 5 01:00"] for p in (1, 3, 5, 7, 8)] == [1, 2, 2, 3, 3]
    assert [found[f"p{p} 6 01:00"] for p in (1, 3, 5, 7, 8)] == [1, 3, 5, 7, 8]


def test_a_task_runs_at_most_max_parallel_instances(world: MakeWorld) -> None:
    """RUN-1: others take the slots that it leaves free."""
    w = world(
        make_task("w.h", "0 * * * *", max_parallel_instances=2, priority=5),
        make_task("w.x", "0 1 * * *"),
        slots=4,
    )
    w.create()
    w.tick()
    assert sorted(name.split()[0] for name in w.running()) == ["h", "h", "x"]
    assert all(len([n for n in wave if n.startswith("h")]) <= 2 for wave in w.finish())


def test_an_instance_waits_for_its_time(world: MakeWorld) -> None:
    """POL-2, OPS-0: without --run-future it waits for T."""
    w = world(make_task("w.a", "0 9 * * *"), now="2026-01-06T08:59:59")
    backfill = w.create()
    assert w.tick().next_ms == w.clock.ms + 1000
    assert w.state("a 5 09:00") == "waiting_time"
    assert w.status(backfill) == "pending"
    w.clock.forward(1)
    w.tick()
    assert w.running() == {"a 5 09:00"}


def test_future_bizdates_start_when_they_have_elapsed(world: MakeWorld) -> None:
    """POL-2: with --run-future at 00:00 of D+1 in the workspace's time zone."""
    w = world(make_task("w.a", "0 9 * * *"), now="2026-01-05T23:59:59")
    w.create(run_future=True)
    w.tick()
    assert w.state("a 5 09:00") == "waiting_time"
    w.clock.forward(1)
    w.tick()
    assert w.running() == {"a 5 09:00"}


def test_nothing_starts_outside_the_window_and_what_runs_goes_on(world: MakeWorld) -> None:
    """POL-11, OPS-0: outside its window what is ready is Not run; the start is closed, the end open."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"), now="2026-01-07T19:59:59")
    backfill = w.create(window=parse_window("20:00-22:00", "UTC"))
    assert w.tick().next_ms == w.clock.ms + 1000
    assert w.running() == set()
    assert w.status(backfill) == "pending"
    assert w.row(backfill)["counts"] == {
        "not_run": 2, "waiting_time": 0, "waiting_resources": 0, "running": 0, "successful": 0, "failed": 0, "frozen": 0,
    }  # fmt: skip
    w.clock.forward(1)
    w.tick()
    assert w.running() == {"a 5 01:00"}
    w.clock.move_to("2026-01-07T22:00")
    w.end("a 5 01:00")
    assert w.state("a 5 01:00") == "successful"
    assert w.running() == set()
    w.clock.move_to("2026-01-08T20:00")
    assert w.finish() == [{"b 5 02:00"}]


def test_a_stopped_backfill_starts_nothing_after_its_end(world: MakeWorld) -> None:
    """OPS-1: whatever else the scheduler looks at, a window of another backfill above all."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"), slots=1)
    stopped = w.create("a", "b")
    w.tick()
    w.backfills.stop(stopped)
    windowed = w.create("a", dates="2026-01-06", window=parse_window("10:00-22:00", "UTC"))
    w.tick()
    w.tick()
    w.finish()
    assert w.status(stopped) == "stopped"
    assert {row.state for row in w.rows(stopped).values()} == {"failed", "waiting_resources"}
    assert w.status(windowed) == "succeeded"


def test_a_weekend_window_over_midnight(world: MakeWorld) -> None:
    """POL-11: it belongs to the day on which it starts."""
    w = world(make_task("w.a", "0 1 * * *"), now="2026-01-09T23:00")  # a Friday
    w.create(window=parse_window("22:00-06:00", "UTC", True))
    w.tick()
    assert w.running() == set()
    w.clock.move_to("2026-01-12T05:59")  # Monday, in Sunday's window
    w.tick()
    assert w.running() == {"a 5 01:00"}


def test_a_run_that_fails_is_rerun_after_its_interval(world: MakeWorld) -> None:
    """RUN-3, OPS-0: times, interval, numbers from 1."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=2, interval_seconds=60)))
    backfill = w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=3)
    assert w.state("a 5 01:00") == "waiting_time rerun_interval"
    assert w.status(backfill) == "pending"
    w.clock.forward(59.9)
    w.tick()
    assert w.running() == set()
    w.clock.forward(0.1)
    w.tick()
    w.end("a 5 01:00", exit_code=3)
    w.clock.forward(60)
    w.tick()
    w.end("a 5 01:00", exit_code=3)
    assert w.state("a 5 01:00") == "failed exit_code"
    assert [spec.ref.run_number for spec in w.executor.started] == [1, 2, 3]
    instance_id = w.id("a 5 01:00")
    with w.store.read() as reader:
        assert [(run.number, run.exit_code) for run in reader.runs(instance_id)] == [(1, 3), (2, 3), (3, 3)]


def test_a_rerun_with_interval_zero_starts_at_once(world: MakeWorld) -> None:
    """RUN-3."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=0)))
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert w.running() == {"a 5 01:00"}


def test_a_persons_rerun_gives_the_automatic_ones_back(world: MakeWorld) -> None:
    """RUN-3, OPS-2."""
    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=0)))
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    w.end("a 5 01:00", exit_code=1)
    assert w.state("a 5 01:00") == "failed exit_code"
    w.do("rerun", "a 5 01:00")
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert w.running() == {"a 5 01:00"}
    assert w.rows()["a 5 01:00"].run_number == 4


@pytest.mark.parametrize(
    ("outcome", "rerun", "state"),
    [
        ("timeout", Rerun(times=3, interval_seconds=0), "failed timeout"),
        ("exited", Rerun(mode="never", times=3, interval_seconds=0), "failed exit_code"),
        ("lost", Rerun(times=3, interval_seconds=0), "failed lost"),
        ("lost", Rerun(times=3, interval_seconds=0, on_lost=True), "running"),
    ],
)
def test_which_ends_are_rerun(world: MakeWorld, outcome: str, rerun: Rerun, state: str) -> None:
    """RUN-3, RUN-4: not after a timeout, not in mode never, lost ones only when asked for."""
    w = world(make_task("w.a", "0 1 * * *", rerun=rerun))
    w.create()
    w.tick()
    w.end("a 5 01:00", outcome=outcome, exit_code=1 if outcome == "exited" else None)
    assert w.state("a 5 01:00") == state


def test_a_run_that_never_started_keeps_its_number_under_a_new_token(world: MakeWorld) -> None:
    """RUN-3: and does not count as a rerun."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create()
    w.tick()
    w.end("a 5 01:00", outcome="not_started", exit_code=None)
    first, second = (spec.ref for spec in w.executor.started)
    assert (first.run_number, second.run_number) == (1, 1)
    assert first.token != second.token
    w.finish()
    assert w.state("a 5 01:00") == "successful"


def test_a_late_end_of_a_forgotten_run_changes_nothing(world: MakeWorld) -> None:
    """RUN-3: ends are taken by (instance, run number, token)."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create()
    w.tick()
    old = w.executor.started[0]
    w.end("a 5 01:00", outcome="not_started", exit_code=None)
    running = w.executor.running.copy()
    w.executor.running = {old.ref.instance_id: old}
    w.executor.end(old.ref.instance_id, exit_code=1)
    w.tick()
    assert w.state("a 5 01:00") == "running"
    w.executor.running = running
    w.finish()
    assert w.state("a 5 01:00") == "successful"


def test_a_new_scheduler_adopts_what_runs(world: MakeWorld) -> None:
    """RUN-1, OPS-0: nothing runs twice, and what ended meanwhile is known."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.b", "0 1 * * *"),
        make_task("w.c", "0 2 * * *", "w.a"),
        slots=2,
    )
    w.create()
    w.tick()
    w.executor.end(w.id("a 5 01:00"))
    w.restart()
    assert len(w.executor.adopted) == 2
    w.tick()
    assert w.running() == {"b 5 01:00", "c 5 02:00"}
    assert len(w.executor.started) == 3


def test_a_stop_asked_for_while_no_scheduler_ran_is_seen(world: MakeWorld) -> None:
    """OPS-1: the wish is in the ledger."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create()
    w.tick()
    w.do("stop", "a 5 01:00")
    w.restart()
    w.tick()
    w.tick()
    assert w.state("a 5 01:00") == "failed stopped"


def test_a_missing_secret_fails_the_instance_with_a_sentence(world: MakeWorld) -> None:
    """SEC-3: and holds nothing else up."""
    w = world(
        make_task("w.a", "0 1 * * *", parameters=(("password", "${secret:NAME}"),)),
        make_task("w.b", "0 1 * * *"),
    )
    w.create()
    w.tick()
    assert w.state("a 5 01:00") == "failed not_started"
    assert "no secret NAME" in w.why("a 5 01:00").text
    assert w.running() == {"b 5 01:00"}


def test_started_and_ended_are_noted(world: MakeWorld) -> None:
    """BF-2, BF-5: ended_at at the end, cleared by a rerun."""
    w = world(make_task("w.a", "0 1 * * *"))
    backfill = w.create()
    assert w.row(backfill)["started_at"] is None
    w.clock.forward(5)
    w.tick()
    assert w.row(backfill)["started_at"] == "2026-03-02T12:00:05Z"
    w.clock.forward(5)
    w.executor.end(w.id("a 5 01:00"))
    assert w.tick().backfills_ended == [backfill]
    assert w.row(backfill)["ended_at"] == "2026-03-02T12:00:10Z"
    w.do("rerun", "a 5 01:00")
    assert w.row(backfill)["ended_at"] is None


def test_an_instance_keeps_the_version_that_it_was_made_from(world: MakeWorld) -> None:
    """CAT-2: a deploy changes what is created after it."""
    from domain.catalogs import make_catalog

    w = world(make_task("w.a", "0 1 * * *", code="old"))
    w.create()
    w.deploy(make_catalog(make_task("w.a", "0 1 * * *", code="new"), groups=(ResourceGroup("default"),)))
    w.create(dates="2026-01-06")
    w.restart()
    w.tick()
    assert sorted(spec.code for spec in w.executor.started) == ["new", "old"]


def test_validity_leaves_dates_out(world: MakeWorld) -> None:
    """TIME-4, POL-3: no instance is made outside the validity period."""
    w = world(make_task("w.a", "0 1 * * *", valid_from=date(2026, 1, 7)), make_task("w.b", "0 1 * * *"))
    w.create(dates="2026-01-05..2026-01-06")
    assert set(w.states()) == {"b 5 01:00", "a 6 01:00", "b 6 01:00"}


def test_a_secret_reaches_the_environment_and_no_argument(world: MakeWorld) -> None:
    """SEC-3, PAR-4: anybody on the machine can read arguments, so a secret's place is empty there."""
    task = make_task("w.a", "0 7 * * *", parameters=(("day", "$bizdate"), ("key", "${secret:KEY}")))
    w = world(task, secrets={"KEY": "hush"})
    w.create("a")
    w.tick()
    (spec,) = w.executor.started
    assert spec.arguments == ("20260105", "")
    assert (spec.environment["day"], spec.environment["key"]) == ("20260105", "hush")


def test_an_override_names_a_secret_of_its_task(world: MakeWorld) -> None:
    """SEC-3: another secret of the deployment is refused before anything is stored."""
    task = make_task("w.a", "0 7 * * *", parameters=(("day", "$bizdate"), ("key", "${secret:KEY}")))
    w = world(task, secrets={"KEY": "hush", "OTHER": "not yours"})
    with pytest.raises(OverrideError, match="OTHER"):
        w.create("a", overrides={"w.a": {"day": "${secret:OTHER}"}})
    w.create("a", overrides={"w.a": {"day": "${secret:KEY}"}})
    w.tick()
    (spec,) = w.executor.started
    assert spec.environment["day"] == "hush"


def test_what_comes_due_while_its_backfill_is_made_waits_for_that(world: MakeWorld) -> None:
    """RUN-1, SEL-4: nothing of a backfill is seen before all of it is there."""
    w = world(make_task("w.a", "1 12 * * *"), now="2026-03-02T12:00")
    w.tick()

    def meanwhile() -> None:
        w.clock.move_to("2026-03-02T12:02")
        assert w.tick().next_ms is None  # and no reason to look again at once
        assert w.executor.started == []

    with once_at("backfill.written", meanwhile) as done:
        w.create("a", dates="2026-03-01")
    assert done == [None]
    w.tick()
    assert w.state("a 1 12:01") == "running"


def test_run_times_are_counted_once_although_a_tick_is_tried_again(world: MakeWorld) -> None:
    """BF-2: the disk was full when the first try wanted to commit."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create("a")
    w.tick()
    w.clock.forward(10)
    w.executor.end(w.id("a 5 01:00"))
    with failpoints.asked_for("fault.store=ENOSPC@1"), pytest.raises(StoreFullError):
        w.tick()
    w.tick()
    with w.store.read() as reader:
        (times,) = reader.times.recent(reader.task_ids().values()).values()
    assert list(times) == [10_000]
