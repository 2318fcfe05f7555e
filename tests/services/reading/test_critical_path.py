"""What the end of a backfill hangs on, as it ran and as it is expected to."""

from __future__ import annotations

from typing import Any

from domain.catalogs import make_task
from retrofill.services.reading.critical_path import Stretch, path_to
from services.backfills.running_out import run
from services.centers import center_of
from services.conftest import MakeWorld
from services.worlds import World

RUN_SECONDS = {"a": 10.0, "b": 30.0, "c": 5.0}


def critical(w: World, backfill: int) -> Any:
    return center_of(w).backfills.critical_path(backfill)


def told(found: Any) -> list[tuple[str, str, float, bool]]:
    return [
        (one["task"], one["bizdate"][-2:], one["waited_seconds"], one["is_expected"])
        for one in found["links"]
    ]


def test_it_goes_by_what_ended_last_of_what_was_waited_for(world: MakeWorld) -> None:
    """BF-2: through both dates of a group, since the turn of the second comes with the end of the first."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("w.b", "0 1 * * *"),
        make_task("w.c", "0 1 * * *", "w.a", "w.b"),
        slots=4,
    )
    backfill = w.create(dates="2026-01-05..2026-01-06")
    run(w, RUN_SECONDS)
    found = critical(w, backfill)
    assert told(found) == [
        ("w.b", "05", 0, False),
        ("w.c", "05", 0, False),
        ("w.b", "06", 0, False),
        ("w.c", "06", 0, False),
    ]
    assert (found["run_seconds"], found["wait_seconds"], found["is_expected"]) == (70, 0, False)
    assert found["end_at"] == w.row(backfill)["ended_at"]


def test_waiting_for_a_slot_is_told_from_running(world: MakeWorld) -> None:
    """BF-2: also before the first of them, since the backfill began."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"), slots=1)
    backfill = w.create()
    run(w, RUN_SECONDS)
    found = critical(w, backfill)
    waited = {"w.b": 10, "w.a": 30}[found["links"][0]["task"]]
    assert [one["waited_seconds"] for one in found["links"]] == [waited]
    assert (found["run_seconds"], found["wait_seconds"]) == (40 - waited, waited)


def test_what_is_to_come_counts_as_the_forecast_has_it(world: MakeWorld) -> None:
    """BF-2: what runs has begun when it has, and ends when it is expected to."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.c", "0 1 * * *", "w.a"))
    w.create()
    run(w, RUN_SECONDS)
    backfill = w.create(dates="2026-01-06")
    assert critical(w, backfill)["links"][0]["is_expected"]
    w.tick()
    w.clock.forward(4)
    found = critical(w, backfill)
    assert told(found) == [("w.a", "06", 0, True), ("w.c", "06", 0, True)]
    assert (found["run_seconds"], found["is_expected"]) == (15, True)
    center_of(w).backfills.pause(backfill)
    assert [one["task"] for one in critical(w, backfill)["links"]] == ["w.a"]  # nothing else will start


def test_what_has_not_begun_and_cannot_has_none(world: MakeWorld) -> None:
    w = world(make_task("w.a", "0 1 * * *"))
    backfill = w.create()
    center_of(w).backfills.pause(backfill)
    assert critical(w, backfill) is None


def test_what_passed_without_running_is_gone_through() -> None:
    """Also where two ways lead through it, or it waits in a circle with nothing."""
    stretches = {1: Stretch(0, 40), 2: Stretch(0, 60), 5: Stretch(70, 90), 6: Stretch(95, 200)}
    above = {5: [3, 4], 3: [1, 4], 4: [2, 3], 6: [5]}
    assert [*path_to(6, stretches, lambda one: above.get(one, []), lambda _: [])] == [6, 5, 2]
    turn = {5: [1]}
    only_turns = path_to(5, stretches, lambda _: [], lambda one: turn.get(one, []))
    assert [*only_turns] == [5, 1]


def test_who_ended_too_late_was_not_waited_for() -> None:
    """An upstream that was rerun since does not explain when the instance began."""
    stretches = {1: Stretch(0, 400), 2: Stretch(0, 60), 3: Stretch(70, 500)}
    assert [*path_to(3, stretches, lambda one: [1, 2] if one == 3 else [], lambda _: [])] == [3, 2]
