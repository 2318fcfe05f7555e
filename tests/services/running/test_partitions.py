"""A partition has one writer at a time, and who plans a second one is told of the first (RUN-7)."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.time.windows import parse_time_range
from retrofill.domain.verification.findings import Finding
from retrofill.services.backfills.requests import PlannedBackfill
from retrofill.services.running.slots import Slots
from services.worlds import MakeWorld, World

DAILY = make_task("w.a", "0 1 * * *")


def same(planned: PlannedBackfill) -> list[Finding]:
    return [finding for finding in planned.findings if finding.code == "same_partition"]


def states(w: World, name: str, *backfills: int) -> list[str]:
    return [w.rows(number)[name].state for number in backfills]


def test_two_backfills_of_one_task_and_date_run_one_after_the_other(world: MakeWorld) -> None:
    """RUN-7: the second waits for resources, and `why` names the instance that runs."""
    w = world(DAILY)
    first, second = w.create(), w.create()
    w.tick()
    assert states(w, "a 5 01:00", first, second) == ["running", "waiting_resources"]
    runs = w.rows(first)["a 5 01:00"].id
    found = w.why("a 5 01:00")
    assert (found.code, found.text) == (
        "same_partition",
        f"Backfill {first} runs the same task and time, which only one may write at a time: instance {runs}.",
    )
    assert w.status(second) == "waiting_resources"
    w.executor.end(runs)
    w.tick()
    assert states(w, "a 5 01:00", first, second) == ["successful", "running"]


def test_what_waits_for_a_partition_leaves_its_slot_to_others(world: MakeWorld) -> None:
    """RUN-1, RUN-7: whoever comes next in the queue starts, in the same tick."""
    w = world(DAILY, make_task("w.b", "0 2 * * *"), slots=2)
    first, second = w.create("a"), w.create("a", "b")
    w.tick()
    assert states(w, "a 5 01:00", first, second) == ["running", "waiting_resources"]
    assert states(w, "b 5 02:00", second) == ["running"]


def test_other_dates_and_other_slots_are_other_partitions(world: MakeWorld) -> None:
    """RUN-7: task, bizdate and slot."""
    w = world(make_task("w.a", "0 1,2 * * *"), slots=9)
    w.create(dates="2026-01-05")
    w.create(dates="2026-01-06")
    w.tick()
    assert len(w.executor.running) == 4


def test_a_rerun_waits_for_the_other_backfill_too(world: MakeWorld) -> None:
    """OPS-3, RUN-7: ignoring dependencies does not mean to write beside another."""
    w = world(DAILY)
    first, second = w.create(), w.create()
    w.tick()
    w.executor.end(w.rows(first)["a 5 01:00"].id, exit_code=1)
    w.tick()
    assert states(w, "a 5 01:00", first, second) == ["failed", "running"]
    w.operations.rerun([w.rows(first)["a 5 01:00"].id], ignore_waits=True)
    w.tick()
    assert states(w, "a 5 01:00", first, second) == ["waiting_resources", "running"]


def test_a_scheduler_that_is_started_anew_knows_who_writes(world: MakeWorld) -> None:
    """RUN-7: what an earlier scheduler started still runs."""
    w = world(DAILY)
    first, second = w.create(), w.create()
    w.tick()
    w.restart()
    w.tick()
    assert states(w, "a 5 01:00", first, second) == ["running", "waiting_resources"]


def test_what_could_not_be_started_holds_nobody_up(world: MakeWorld) -> None:
    """RUN-7: the partition of an instance that failed before it ran is free."""
    secret = make_task("w.a", "0 1 * * *", parameters=(("day", "${secret:NONE}"),))
    w = world(secret)
    first = w.create()
    w.deploy(w.catalog.frozen_copy_of({"w.a": DAILY}))
    second = w.create()
    w.tick()
    w.tick()
    assert states(w, "a 5 01:00", first, second) == ["failed", "running"]


def test_many_that_wait_for_one_partition_are_not_read_at_every_tick(world: MakeWorld) -> None:
    """RUN-7: those met on the way are passed over in the index; the others are never looked at."""
    w = world(DAILY, slots=2)
    for _ in range(40):
        w.create()
    w.tick()
    asked: list[int] = []

    class Counting:
        """Notes how many rows a look at the queue brings."""

        def __init__(self, tx: object) -> None:
            self._tx = tx

        def __getattr__(self, name: str) -> object:
            return getattr(self._tx, name)

        def candidates(self, *arguments: object) -> list[object]:
            rows: list[object] = self._tx.candidates(*arguments)  # type: ignore[attr-defined]
            asked.append(len(rows))
            return rows

    slots = Slots(w.graphs)
    with w.store.read() as reader:
        for row, run in reader.running():
            slots.take(row, run.started_ms)

    def look() -> None:
        with w.scheduler_store.transaction() as tx:
            wanted = slots.wanted((), auto=False)
            assert slots.choose(Counting(tx), w.catalog, wanted) == []  # type: ignore[arg-type]

    look()
    met = sum(asked)
    asked.clear()
    for _ in range(3):
        look()
    assert (met, asked) == (39, [0, 0, 0])


# Planning


def test_a_plan_names_the_unfinished_backfill_that_holds_the_same(world: MakeWorld) -> None:
    """VER-1, RUN-7: which one, which tasks, which dates; a warning, as it may be meant."""
    w = world(DAILY, make_task("w.b", "0 2 * * *"))
    first = w.create("a", dates="2026-01-05..2026-01-07")
    (finding,) = same(w.plan("a", "b", dates="2026-01-06..2026-01-09"))
    assert (finding.level, finding.tasks) == ("warning", ("w.a",))
    assert finding.message == (
        f"Backfill {first} is not finished and holds the same tasks and times on 2 bizdates from 2026-01-06 to "
        "2026-01-07, of w.a: these are written twice, one after the other."
    )


def test_what_is_finished_holds_nothing(world: MakeWorld) -> None:
    """VER-1: bizdates that are done, and backfills that have ended or were stopped."""
    w = world(DAILY)
    first = w.create(dates="2026-01-05..2026-01-06")
    w.tick()
    w.end("a 5 01:00")
    assert same(w.plan(dates="2026-01-05")) == []
    assert len(same(w.plan(dates="2026-01-06"))) == 1
    w.backfills.stop(first)
    w.tick()
    w.tick()
    assert same(w.plan(dates="2026-01-06")) == []


def test_a_paused_backfill_still_holds(world: MakeWorld) -> None:
    """VER-1: it goes on when somebody resumes it."""
    w = world(DAILY)
    w.backfills.pause(w.create())
    assert len(same(w.plan())) == 1


@pytest.mark.parametrize(
    ("policy", "is_told"),
    [
        ({"time_range": parse_time_range("00:00-06:00")}, True),
        ({"time_range": parse_time_range("12:00-23:59")}, False),
    ],
)
def test_other_times_of_the_same_date_are_no_matter(
    world: MakeWorld, policy: dict[str, object], is_told: bool
) -> None:
    """RUN-7, POL-3: slots must be the same."""
    w = world(make_task("w.a", "0 1,13 * * *"))
    w.create(time_range=parse_time_range("00:00-06:00"))
    assert bool(same(w.plan(**policy))) == is_told


def test_what_runs_no_code_writes_nothing(world: MakeWorld) -> None:
    """VER-1: off days, virtual tasks."""
    w = world(
        make_task("w.gate", "0 1 * * *", type=TaskType.VIRTUAL), make_task("w.week", "0 1 * * MON"), DAILY
    )
    w.create("gate", "week", "a")
    assert [finding.tasks for finding in same(w.plan("gate", "week", "a"))] == [("w.a",)]


def test_a_plan_names_the_night_that_has_not_ended(world: MakeWorld) -> None:
    """VER-1: auto triggered instances that still run, or start by themselves."""
    w = world(DAILY, make_task("w.b", "0 2 * * *"), now="2026-03-02T22:00")
    w.clock.move_to("2026-03-02T23:45")
    w.night()
    (finding,) = same(w.plan("a", dates="2026-03-02", run_future=True))
    assert finding.message.startswith(
        "The schedule has not finished what it runs, and holds the same tasks and times on bizdate 2026-03-02, of w.a:"
    )
    w.clock.move_to("2026-03-03T03:00")
    w.finish()
    assert same(w.plan("a", dates="2026-03-02")) == []


def test_a_backfill_without_instances_yet_holds_what_it_will_run(world: MakeWorld) -> None:
    """VER-1, SEL-4."""
    from retrofill.domain.selection.ways import AllDescendantsSelection

    w = world(DAILY, now="2026-01-05T12:00")
    w.create(selection=AllDescendantsSelection("w.a"), dates="2026-01-08")
    assert len(same(w.plan(dates="2026-01-08"))) == 1
