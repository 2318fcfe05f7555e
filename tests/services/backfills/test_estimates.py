"""Estimates: what is learnt from runs, what is expected of a backfill, how far that was off."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from domain.catalogs import make_task
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import Barrier
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.time.windows import parse_window
from retrofill.services.backfills.estimates import estimate_left
from retrofill.services.instances.graphs import GraphCache
from services.backfills.running_out import learn, run
from services.centers import WorldParts, center_of
from services.conftest import MakeWorld
from services.worlds import World


def times_of(w: World, task: str) -> list[int]:
    with w.store.read() as reader:
        task_id = reader.task_ids()[task]
        return reader.times.recent([task_id]).get(task_id, [])


# What is learnt


def test_a_successful_run_is_remembered(world: MakeWorld) -> None:
    """BF-2: from its start to its end, of runs that exited with 0 and of nothing else."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"))
    w.create()
    w.tick()
    w.clock.forward(40)
    w.end("a 5 01:00")
    w.end("b 5 01:00", exit_code=1)
    assert times_of(w, "w.a") == [40_000]
    assert times_of(w, "w.b") == []


def test_a_run_that_another_scheduler_started_is_remembered(world: MakeWorld) -> None:
    w = world(make_task("w.a", "0 1 * * *"))
    w.create()
    w.tick()
    w.clock.forward(10)
    w.restart()
    w.clock.forward(10)
    w.end("a 5 01:00")
    assert times_of(w, "w.a") == [20_000]


# What is expected


def test_without_a_run_the_end_is_unknown(world: MakeWorld) -> None:
    """BF-2: and the first run of each task mends that."""
    w = world(make_task("w.a", "0 1 * * *"))
    backfill = w.create(dates="2026-01-05..2026-01-07")
    w.tick()
    row = w.row(backfill)
    assert (row["estimated_end_at"], row["first_estimate"]["seconds"]) == (None, None)
    assert row["first_estimate"]["unknown_tasks"] == ["w.a"]
    w.clock.forward(10)
    w.end("a 5 01:00")
    assert w.row(backfill)["estimated_end_at"] == "2026-03-02T12:00:30Z"


def test_a_backfill_as_before_ends_when_expected(world: MakeWorld) -> None:
    """BF-2: after a history the estimate of what always takes as long is exact, and told as such."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 */6 * * *", "w.a"), slots=3)
    run_seconds = {"a": 30.0, "b": 20.0}
    w.create()
    run(w, run_seconds)
    backfill = w.create(dates="2026-01-05..2026-01-08", groups=2)
    first = w.row(backfill)["first_estimate"]
    assert (first["seconds"], first["low_seconds"], first["high_seconds"]) == (160, 160, 160)
    assert first["off_percent"] is None
    run(w, run_seconds)
    row = w.row(backfill)
    assert row["status"] == "succeeded"
    assert row["ended_at"] == first["end_at"]
    assert row["first_estimate"] == first | {"off_percent": 0}


def test_an_estimate_that_was_off_says_by_how_much(world: MakeWorld) -> None:
    """BF-2: in percent of the time that it took."""
    w = world(make_task("w.a", "0 1 * * *"))
    learn(w, a=75)
    backfill = w.create()
    run(w, {"a": 100})
    assert w.row(backfill)["first_estimate"]["off_percent"] == -25
    assert w.row(backfill)["estimated_end_at"] is None


def test_what_is_left_is_estimated_while_it_runs(world: MakeWorld) -> None:
    """BF-2: exact at every moment where the past repeats itself."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 */6 * * *", "w.a"), slots=2)
    learn(w, a=30, b=20)
    backfill = w.create(dates="2026-01-05..2026-01-08", groups=2)
    expected = w.row(backfill)["first_estimate"]["end_at"]
    for _ in range(8):
        run(w, {"a": 30, "b": 20}, until=2)
        w.clock.forward(0.001)
        assert w.row(backfill)["estimated_end_at"] == expected
        w.clock.forward(-0.001)


def test_a_paused_or_stopped_one_has_no_expected_end(world: MakeWorld) -> None:
    w = world(make_task("w.a", "0 1 * * *"))
    learn(w, a=30)
    backfill = w.create(dates="2026-01-05..2026-01-07")
    w.tick()
    w.backfills.pause(backfill)
    assert w.row(backfill)["status"] == "running"
    assert w.row(backfill)["estimated_end_at"] is None
    w.backfills.resume(backfill)
    assert w.row(backfill)["estimated_end_at"] == "2026-03-02T12:01:30Z"
    w.backfills.stop(backfill)
    assert w.row(backfill)["estimated_end_at"] is None


def test_a_pending_one_ends_after_its_window_has_opened(world: MakeWorld) -> None:
    """POL-11: two runs on the first evening, one on the next."""
    w = world(make_task("w.a", "0 1 * * *"))
    learn(w, a=5400)
    backfill = w.create(dates="2026-01-05..2026-01-07", window=parse_window("20:00-22:00", "UTC"))
    w.tick()
    row = w.row(backfill)
    assert (row["status"], row["estimated_end_at"]) == ("pending", "2026-03-03T21:30:00Z")
    assert row["first_estimate"]["seconds"] == 25.5 * 3600


def test_what_needs_a_person_is_not_waited_for(world: MakeWorld) -> None:
    """POL-7: the estimate is of what can run."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *"))
    learn(w, a=30, b=50)
    backfill = w.create(dates="2026-01-05..2026-01-07")
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    assert w.row(backfill)["estimated_end_at"] == "2026-03-02T12:00:50Z"


def test_others_that_hold_or_want_the_slots_are_counted_in(world: MakeWorld) -> None:
    """RUN-1: what runs for its rest, what queues by its turn."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *"), slots=1)
    learn(w, a=30, b=60)
    w.create("a", "b")
    w.tick()
    w.clock.forward(10)
    backfill = w.create("b")
    first = w.row(backfill)["first_estimate"]
    assert first["rivals"] == 2  # a runs for 20 seconds more, then b of the other, then ours
    assert first["end_at"] == "2026-03-02T12:02:30Z"
    run(w, {"a": 30, "b": 60})
    assert w.row(backfill)["ended_at"] == "2026-03-02T12:02:30Z"


def test_a_backfill_that_is_planned_keeps_its_plans_estimate(world: MakeWorld) -> None:
    """SEL-4: until it starts; then a new one takes its place."""
    from retrofill.domain.selection.ways import AllDescendantsSelection

    w = world(make_task("w.a", "0 18 * * *"))
    learn(w, a=60)
    backfill = w.create(dates="2026-03-02", selection=AllDescendantsSelection("w.a"))
    assert w.row(backfill)["status"] == "pending"
    assert w.row(backfill)["estimated_end_at"] == "2026-03-03T18:01:00Z"
    learn(w, a=120)
    w.clock.move_to("2026-03-03T18:00")
    w.later_starts.start_due()
    assert w.row(backfill)["first_estimate"]["end_at"] == "2026-03-03T18:01:30Z"


def test_a_plan_says_how_long_it_takes(world: MakeWorld) -> None:
    """BF-2, VER-4: without creating anything; what is created keeps the same estimate."""
    w = world(make_task("w.a", "0 1 * * *"))
    learn(w, a=30)
    planned = w.plan(dates="2026-01-05..2026-01-07")
    expected = planned.summary()["estimate"]
    assert expected == {
        "end_at": "2026-03-02T12:01:30Z", "seconds": 90, "low_seconds": 90, "high_seconds": 90, "at_least_seconds": None,
        "unknown_tasks": [], "longest_task": "w.a", "longest_share": 1, "rivals": 0, "is_extrapolated": False,
    }  # fmt: skip
    backfill = w.creation.create(planned, w.version_id, w.user)
    assert w.row(backfill)["first_estimate"] == expected | {"off_percent": None}


def test_a_plan_that_nobody_estimated_is_estimated_when_it_is_created(world: MakeWorld) -> None:
    w = world(make_task("w.a", "0 1 * * *"))
    learn(w, a=30)
    backfill = w.creation.create(replace(w.plan(), estimate=None), w.version_id, w.user)
    assert w.row(backfill)["first_estimate"]["seconds"] == 30


def test_a_large_request_is_measured(world: MakeWorld) -> None:
    """VER-1: a thousand runs of a quarter of an hour on one slot."""
    w = world(make_task("w.a", "0 1 * * *"), slots=1)
    learn(w, a=900)
    (finding,) = w.plan(dates="2020-01-01..2022-09-26").findings
    assert finding.code == "large_request"
    assert "takes about 10 days (as measured)" in finding.message


@pytest.mark.parametrize("seed", range(12))
def test_the_scheduler_does_what_was_estimated(world: MakeWorld, seed: int) -> None:
    """BF-2: at the beginning and from any point on the way, over random graphs and policies."""
    chance = Random(seed)
    names = "abcde"
    dates = chance.choice(["2026-01-05..2026-01-10", "2026-02-26..2026-03-03"])
    tasks = [
        make_task(
            f"w.{name}",
            chance.choice(["0 1 * * *", "0 */8 * * *", "0 3 * * MON"]),
            *(f"w.{other}" for other in names[:i] if chance.random() < 0.4),
            priority=chance.choice([1, 8]) if dates < "2026-02" else 1,  # they age (POL-12)
            max_parallel_instances=chance.choice([None, 1]),
        )
        for i, name in enumerate(names)
    ]
    w = world(*tasks, slots=chance.randint(1, 3))
    seconds = {name: chance.choice([60, 60, 600, 3600]) for name in names}
    learn(w, **seconds)
    policy: dict[str, Any] = {
        "groups": chance.randint(1, 3),
        "barrier": chance.choice(list(Barrier)),
        "window": chance.choice([None, parse_window("22:00-06:00", "UTC")]),
    }
    backfill = w.create(dates=dates, **policy)
    expected = w.row(backfill)["first_estimate"]["end_at"]
    for _ in range(3):
        run(w, {name: float(one) for name, one in seconds.items()}, until=chance.randint(1, 12))
        with w.store.read() as reader:
            record = reader.find_backfill(backfill)
            assert record is not None
            if record.ended_ms is None:
                left = estimate_left(reader, w.graphs, record, w.clock.ms)
                assert shown_instant(left.end_ms) == expected
    run(w, {name: float(one) for name, one in seconds.items()})
    assert w.row(backfill)["ended_at"] == expected


def test_lists_read_what_the_scheduler_has_stored(world: MakeWorld) -> None:
    """BF-2: no simulation a row; an estimate is written when something has moved, and only then."""
    from retrofill.services.backfills.expecting import Expecting
    from retrofill.services.reading.backfills import BackfillReader

    def listed() -> str | None:
        with w.store.read() as reader:
            record = reader.find_backfill(backfill)
            assert record is not None
            return BackfillReader(w.view(reader)).row(record)["estimated_end_at"]

    w = world(make_task("w.a", "0 1 * * *"))
    learn(w, a=30)
    backfill = w.create(dates="2026-01-05..2026-01-08")
    assert listed() == "2026-03-02T12:02:00Z", "from its creation on"
    w.tick()
    w.clock.forward(10)
    w.end("a 5 01:00")
    assert listed() == "2026-03-02T12:02:00Z", "nothing is computed for a list"
    expecting = Expecting(w.store, w.graphs, w.clock)
    assert expecting.look(has_moved=True) is None
    assert listed() == "2026-03-02T12:01:10Z", "the first run was faster than expected"
    assert expecting.look(has_moved=False) is None
    w.clock.forward(3600)
    assert listed() == "2026-03-02T13:00:10Z", "what runs is late: it may end at any moment"


def test_a_forecast_has_every_run_that_is_left(world: MakeWorld) -> None:
    """BF-2: what runs ends first, the rest follows in order."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.b", "0 2 * * *", "w.a"),
        slots=1,
    )
    with w.store.transaction() as tx:
        ids = tx.task_ids()
        tx.times.add({ids["w.a"]: [60_000], ids["w.b"]: [30_000]}, w.clock.now_ms())
    number = w.create("a", "b", dates="2026-01-05..2026-01-06")
    w.tick()
    w.clock.forward(60)
    w.end("a 5 01:00")
    w.tick()
    w.clock.forward(10)
    found = w.center.backfills.forecast(number)
    left = w.center.backfills.time_left(number)
    assert found is not None
    assert left is not None
    names = [
        w.center.instances.show(i)["task"] + w.center.instances.show(i)["bizdate"][-2:]
        for i in found["instances"]
    ]
    assert list(zip(names, found["started"], found["ended"], strict=True)) == [
        ("w.b05", 0, 20_000),
        ("w.a06", 20_000, 80_000),
        ("w.b06", 80_000, 110_000),
    ]
    assert found["end_at"] == left["end_at"] == found["low_end_at"] == found["high_end_at"]
    assert not found["is_partial"]


def test_who_goes_on_looking_sees_changed_groups(world: MakeWorld) -> None:
    """BF-2, BF-3: a wait keeps its graphs from look to look, and somebody else changes the backfill."""
    w = world(make_task("w.a", "0 1 * * *"), slots=4)
    with w.store.transaction() as tx:
        tx.times.add({tx.task_ids()["w.a"]: [60_000]}, w.clock.now_ms())
    number = w.create("a", dates="2026-01-05..2026-01-08")
    w.tick()
    parts = WorldParts(w)
    parts.graphs = GraphCache()
    look = center_of(w, parts).backfills.time_left
    before, again = look(number), look(number)
    assert before is not None
    assert again == before
    w.backfills.change(number, Changes({"groups": 4}))
    after = look(number)
    assert after is not None
    assert before["seconds"] == 4 * 60
    assert after["seconds"] == 60
