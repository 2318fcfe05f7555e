"""Estimates: what is learnt from runs, what is expected of a backfill, how far that was off."""

from __future__ import annotations

from domain.catalogs import make_task
from services.conftest import MakeWorld
from services.worlds import World


def times_of(w: World, task: str) -> list[int]:
    with w.store.read() as reader:
        task_id = reader.task_ids()[task]
        return reader.times.recent([task_id]).get(task_id, [])


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
