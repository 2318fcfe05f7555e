"""Grid, timeline and graph of a backfill hold what its instances say one by one."""

from __future__ import annotations

from collections import Counter

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.searches import InstanceSearch
from retrofill.domain.running.states import State
from retrofill.services.ports.records import DateRecord
from retrofill.services.reading.documents import GridDocument
from retrofill.services.reading.grid import LETTERS, MARKS
from services.worlds import MakeWorld, World

TASKS = (
    make_task("w.a", "0 1,13 * * *"),
    make_task("v.foreign", "0 2 * * *", "w.a"),
    make_task("w.b", "0 3 * * *", "w.a", "v.foreign", SELF),
    make_task("w.c", "0 4 * * 1", "w.b"),
)
STATES = {letter: state.value for state, letter in LETTERS.items()}
MEMBERS = {"w": {"alice": "administrator"}, "v": {"greta": "administrator"}}


def make(world: MakeWorld) -> World:
    """Of three dates: something has failed, something runs, something waits, something is frozen."""
    w = world(*TASKS, members=MEMBERS)
    w.create(dates="2026-01-04..2026-01-06", groups=2)
    w.tick()
    w.end("a 4 01:00", exit_code=3)
    w.tick()
    w.do("freeze", next(name for name, state in w.states().items() if state == State.NOT_RUN))
    return w


def cells_of(grid: GridDocument) -> dict[int, tuple[str, str, str, str]]:
    """By id: task, bizdate, time and state, as the document says that they are found."""
    return {
        grid["first_instance"] + grid["positions"][column] * grid["stride"] + row["place"]: (
            row["task"],
            grid["bizdates"][column],
            row["slot"],
            STATES[letter],
        )
        for row in grid["rows"]
        for column, letter in enumerate(row["cells"])
        if letter != "."
    }


def marks_of(grid: GridDocument) -> dict[int, str]:
    """By id: what else is told of it."""
    return {
        grid["first_instance"] + grid["positions"][column] * grid["stride"] + row["place"]: mark
        for row in grid["rows"]
        for column, mark in enumerate(row["marks"])
        if mark != "-"
    }


@pytest.mark.parametrize("user", ["admin", "alice", "greta"])
@pytest.mark.parametrize("is_held", [False, True])
def test_a_grid_says_what_lists_say(world: MakeWorld, user: str, is_held: bool) -> None:
    """BF-2, OPS-0, SEC-2: of every instance that somebody sees, and of no other."""
    w = make(world)
    if is_held:
        w.backfills.pause(1)
    w.user = user
    listed = {
        row["id"]: (row["task"], row["bizdate"], row["scheduled_at"][11:16], row["state"])
        for row in w.center.instances.each(InstanceSearch(backfills=(1,)))
    }
    assert cells_of(w.center.backfills.grid(1)) == listed
    assert len({state for *_, state in listed.values()}) > (1 if is_held or user == "greta" else 2)


def _dates(w: World) -> list[DateRecord]:
    with w.store.read() as reader:
        return list(reader.dates(1))


def test_a_grid_sees_what_waits_out_of_turn(world: MakeWorld) -> None:
    """OPS-3: rerun at once on a date whose turn was taken back, so that no counter tells of it."""
    w = world(make_task("w.a", "0 1 * * *"), slots=1)
    w.create("a", dates="2026-01-04..2026-01-06")
    w.finish()
    w.do("rerun", "a 4 01:00", "a 5 01:00")
    w.do("rerun", "a 6 01:00", ignore_waits=True)
    w.tick()
    assert [(date.reached, date.running) for date in _dates(w)] == [(1, 1), (0, 0), (0, 0)]
    states = [cell[-1] for _, cell in sorted(cells_of(w.center.backfills.grid(1)).items())]
    assert states == [w.state(f"a {day} 01:00") for day in (4, 5, 6)]
    assert states == ["running", "not_run", "waiting_resources"]


def test_a_grid_tells_what_passes_what_is_held_up_and_what_a_person_set(world: MakeWorld) -> None:
    """SEL-8, OPS-5, OPS-9: marks against the instances one by one."""
    w = make(world)
    held_up = w.center.backfills.trouble(1)["held_up"]
    found = w.center.backfills.grid(1)
    marks = marks_of(found)
    rows = {row["id"]: row for row in w.center.instances.each(InstanceSearch(backfills=(1,)))}
    passing = {number: row["kind"] for number, row in rows.items() if row["kind"] in MARKS}
    assert {n: mark for n, mark in marks.items() if mark != "h"} == {
        n: MARKS[kind] for n, kind in passing.items() if marks[n] != "h"
    }
    held = [number for number, mark in marks.items() if mark == "h"]
    assert passing
    assert len(held) == held_up > 0
    assert {rows[number]["state"] for number in held} == {"not_run"}
    w.do("set_successful", "a 4 01:00")
    after = marks_of(w.center.backfills.grid(1))
    assert {n for n, mark in after.items() if mark == "m"} == {w.id("a 4 01:00")}
    w.do("rerun", "a 4 01:00")
    assert "m" not in marks_of(w.center.backfills.grid(1)).values()


def test_a_grid_of_some_dates_is_a_part_of_the_whole(world: MakeWorld) -> None:
    w = make(world)
    whole, part = w.center.backfills.grid(1), w.center.backfills.grid(1, [2, 0])
    assert part["positions"] == [0, 2]
    assert part["bizdates"] == [whole["bizdates"][0], whole["bizdates"][2]]
    ids = set(cells_of(whole)) - {
        n for n, (_, day, *_) in cells_of(whole).items() if day == whole["bizdates"][1]
    }
    assert cells_of(part) == {n: cell for n, cell in cells_of(whole).items() if n in ids}
    assert marks_of(part) == {n: mark for n, mark in marks_of(whole).items() if n in ids}
    with pytest.raises(UnknownNameError, match="bizdates 0 to 2"):
        w.center.backfills.grid(1, [3])


def test_a_grid_before_instances_are_made_is_empty(world: MakeWorld) -> None:
    """SEL-4: what is chosen when it starts is not there yet."""
    from retrofill.domain.selection.ways import AllDescendantsSelection

    w = world(*TASKS)
    number = w.create(selection=AllDescendantsSelection("w.a"), dates="2030-01-01")
    found = w.center.backfills
    assert found.grid(number)["rows"] == []
    assert found.dag(number) == {"id": number, "nodes": [], "edges": []}
    assert found.timeline(number)["began_at"] is None


def test_a_timeline_is_all_runs(world: MakeWorld) -> None:
    """BF-2: those of tasks that are seen, also runs that were followed by another one."""
    w = make(world)
    w.do("rerun", "a 4 01:00")
    w.clock.forward(60)
    w.tick()
    found = w.center.backfills.timeline(1)
    runs = [
        (row["id"], run["run_number"], row["task"], run["ended_at"] is None, run["exit_code"])
        for row in sorted(w.center.instances.each(), key=lambda row: row["id"])
        for run in w.center.instances.history(row["id"])["runs"]
    ]
    letters = ["r" if is_open else "f" if code else "s" for *_, is_open, code in runs]
    assert found["states"] == "".join(letters)
    assert found["instances"] == [number for number, *_ in runs]
    assert found["run_numbers"] == [number for _, number, *_ in runs]
    assert [found["tasks"][index] for index in found["task_of"]] == [task for _, _, task, *_ in runs]
    assert min(found["started"]) == 0
    assert [ended is None for ended in found["ended"]] == [is_open for *_, is_open, _ in runs]
    w.user = "greta"
    assert set(w.center.backfills.timeline(1)["tasks"]) <= {"v.foreign"}


def test_a_graph_has_the_edges_that_instances_wait_by(world: MakeWorld) -> None:
    """OPS-10: against every single instance."""
    w = make(world)
    found = w.center.backfills.dag(1)
    rows = {row["id"]: row for row in w.center.instances.each()}
    pairs = set()
    for number, row in rows.items():
        for node in w.center.instances.dag(number, 1, 0)["nodes"]:
            if node["level"] == -1:
                pairs.add((node["task"], row["task"], node["bizdate"] != row["bizdate"]))
    edges = {(one["upstream"], one["downstream"], one["previous"]) for one in found["edges"]}
    assert edges == pairs
    counts = {node["task"]: {k: v for k, v in node["counts"].items() if v} for node in found["nodes"]}
    by_task = Counter((row["task"], row["state"]) for row in rows.values())
    assert {(task, state): n for task, of in counts.items() for state, n in of.items()} == by_task


def test_a_graph_tells_nothing_of_foreign_tasks(world: MakeWorld) -> None:
    """SEC-2: neither they, nor who waits for them."""
    w = make(world)
    w.user = "alice"
    found = w.center.backfills.dag(1)
    assert {node["task"] for node in found["nodes"]} == {"w.a", "w.b", "w.c"}
    assert "foreign" not in str(found)
