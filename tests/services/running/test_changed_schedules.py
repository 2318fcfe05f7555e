"""Deploys that change slots, and tasks that come after the night of their date (AUTO-1, AUTO-2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.catalogs import SELF, make_catalog, make_task, previous
from retrofill.domain.catalog.definitions import Dependency, DependencyKind, Task
from services.worlds import MakeWorld, World

CHILDREN = Dependency(DependencyKind.CHILDREN)


def nightly(world: MakeWorld, *tasks: Task, **more: Any) -> World:
    """The night of bizdate 2 has been made."""
    w = world(*tasks, now="2026-03-02T12:00", **more)
    w.clock.move_to("2026-03-02T23:30")
    assert w.night() == ["2026-03-02"]
    return w


def next_night(w: World, *tasks: Task) -> None:
    """Deploy at noon of 3 March, then make the night of bizdate 3."""
    w.clock.move_to("2026-03-03T12:00")
    w.deploy(make_catalog(*tasks))
    assert w.schedule.make_owed() == {}
    w.clock.move_to("2026-03-03T23:30")
    assert w.night() == ["2026-03-03"]


def waits(w: World, name: str) -> set[str]:
    """What an auto triggered instance waits for, by written names."""
    rows = w.auto_rows()
    names = {row.id: key for key, row in rows.items()}
    with w.store.read() as reader:
        return {names[i] for i in w.graphs.schedule(reader).upstream(rows[name].id)}


def test_a_moved_task_waits_for_its_last_date(world: MakeWorld) -> None:
    """AUTO-2: what failed at 01:00 holds the 01:30 of the next date, until it is mended."""
    w = nightly(world, make_task("w.balance", "0 1 * * *", SELF))
    w.clock.move_to("2026-03-03T02:00")
    w.finish(fails=lambda _: True)
    next_night(w, make_task("w.balance", "30 1 * * *", SELF))
    w.clock.move_to("2026-03-04T02:00")
    w.tick()
    assert w.auto_states() == {"balance 2 01:00": "failed exit_code", "balance 3 01:30": "not_run"}
    assert waits(w, "balance 3 01:30") == {"balance 2 01:00"}
    assert w.drift() == []
    assert w.do("rerun", "auto balance 2 01:00") == [None]
    w.tick()
    w.end("auto balance 2 01:00")
    assert w.auto_states()["balance 3 01:30"] == "running"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0 1 * * *", "0 2,14 * * *", {"02:00": {"a 2 01:00"}, "14:00": {"a 3 02:00"}}),
        ("0 2,14 * * *", "0 1 * * *", {"01:00": {"a 2 14:00"}}),
        ("0 2,14 * * *", "0 3,15 * * *", {"03:00": {"a 2 14:00"}, "15:00": {"a 3 03:00"}}),
        ("0 1 * * *", "0 1,13 * * *", {"01:00": {"a 2 01:00"}, "13:00": {"a 3 01:00"}}),
    ],
)
def test_the_first_slot_waits_for_the_last_one_as_it_was_made(
    world: MakeWorld, old: str, new: str, expected: dict[str, set[str]]
) -> None:
    """AUTO-2, DEP-6: whatever number of slots the task had and has."""
    w = nightly(world, make_task("w.a", old, SELF))
    next_night(w, make_task("w.a", new, SELF))
    assert {slot: waits(w, f"a 3 {slot}") for slot in expected} == expected


@pytest.mark.parametrize(
    ("old", "new", "below", "expected"),
    [
        # One slot each, moved.
        ("0 1 * * *", "0 4 * * *", "0 6 * * *", {"06:00": {"a 2 01:00"}}),
        # Several as made, one that waits: all of them.
        ("0 1,13 * * *", "0 4 * * *", "0 6 * * *", {"06:00": {"a 2 01:00", "a 2 13:00"}}),
        # As many as wait now: those that cross the date wait for all, because the task is daily by now.
        (
            "0 1,13 * * *",
            "0 4 * * *",
            "0 6,18 * * *",
            {"06:00": {"a 2 13:00"}, "18:00": {"a 2 01:00", "a 2 13:00"}},
        ),
        # One as made, several that wait: every one of them.
        (
            "0 4 * * *",
            "0 1,13 * * *",
            "0 6,18 * * *",
            {"06:00": {"a 2 04:00"}, "18:00": {"a 2 04:00", "a 3 01:00"}},
        ),
        # Neither: the greatest earlier one, which is the last of the date before.
        ("0 1,9,17 * * *", "0 5,7,21 * * *", "0 3,8 * * *", {"03:00": {"a 2 17:00"}, "08:00": {"a 3 07:00"}}),
    ],
)
def test_another_tasks_previous_cycle_as_it_was_made(
    world: MakeWorld, old: str, new: str, below: str, expected: dict[str, set[str]]
) -> None:
    """AUTO-2, DEP-7."""
    b = make_task("w.b", below, previous("w.a"))
    w = nightly(world, make_task("w.a", old), b)
    next_night(w, make_task("w.a", new), b)
    assert {slot: waits(w, f"b 3 {slot}") for slot in expected} == expected


def test_previous_children_as_they_were_made(world: MakeWorld) -> None:
    """AUTO-2, DEP-8."""
    a = make_task("w.a", "0 3 * * *", CHILDREN)
    w = nightly(world, a, make_task("w.b", "0 1 * * *", "w.a"))
    next_night(w, a, make_task("w.b", "0 5 * * *", "w.a"))
    assert waits(w, "a 3 03:00") == {"b 2 01:00"}
    assert waits(w, "b 3 05:00") == {"a 3 03:00"}


def test_the_second_night_is_as_ever(world: MakeWorld) -> None:
    """AUTO-2."""
    w = nightly(world, make_task("w.a", "0 1 * * *", SELF))
    next_night(w, make_task("w.a", "0 2,14 * * *", SELF))
    w.clock.move_to("2026-03-04T23:30")
    assert w.night() == ["2026-03-04"]
    assert waits(w, "a 4 02:00") == {"a 3 14:00"}


def test_a_bizdate_is_produced_once_whatever_the_schedule_becomes(world: MakeWorld) -> None:
    """AUTO-1: a task has one generation a bizdate; `immediate` adds none at other times."""
    a = make_task("w.a", "0 1 * * *", generation="immediate")
    w = nightly(world, a)
    w.clock.move_to("2026-03-03T02:00")
    w.finish()
    w.deploy(make_catalog(make_task("w.a", "0 5,9 * * *", generation="immediate")))
    assert w.schedule.make_owed() == {}
    assert set(w.auto_rows()) == {"a 2 01:00"}
    w.clock.move_to("2026-03-03T23:30")
    w.night()
    assert set(w.auto_rows()) == {"a 2 01:00", "a 3 05:00", "a 3 09:00"}


def test_a_deploy_leaves_out_what_the_one_before_made_at_other_times(world: MakeWorld) -> None:
    """AUTO-1: of a bizdate without a night too; the same times are completed, none comes twice."""
    w = world(make_task("w.a", "0 15 * * *", generation="immediate"), now="2026-03-02T12:00")
    assert w.schedule.make_owed() == {date(2026, 3, 1): 1}
    w.deploy(make_catalog(make_task("w.a", "0 17,19 * * *", generation="immediate")))
    assert w.schedule.make_owed() == {}
    assert set(w.auto_rows()) == {"a 1 15:00"}


def test_a_task_that_is_new_after_the_night_gets_its_date_at_deploy(world: MakeWorld) -> None:
    """AUTO-1: whatever its `generation`; slots later than ten minutes from then."""
    a = make_task("w.a", "0 1 * * *")
    w = nightly(world, a)
    w.clock.move_to("2026-03-02T23:50")
    w.deploy(make_catalog(a, make_task("w.new", "0 0,3 * * *", "w.a", SELF)))
    assert w.schedule.make_owed() == {date(2026, 3, 2): 1}
    assert waits(w, "new 2 03:00") == {"a 2 01:00"}
    w.clock.move_to("2026-03-03T03:00")
    assert [sorted(wave) for wave in w.finish()] == [["a 2 01:00"], ["new 2 03:00"]]
    w.clock.move_to("2026-03-03T23:30")
    w.night()
    assert waits(w, "new 3 00:00") == {"a 3 01:00", "new 2 03:00"}


def test_a_task_that_is_new_at_noon_gets_what_is_left_of_today(world: MakeWorld) -> None:
    """AUTO-1."""
    a = make_task("w.a", "0 1 * * *")
    w = nightly(world, a)
    w.clock.move_to("2026-03-03T12:00")
    w.deploy(make_catalog(a, make_task("w.new", "0 */6 * * *")))
    assert w.schedule.make_owed() == {date(2026, 3, 2): 1}
    assert "new 2 18:00" in w.auto_rows()


def test_a_new_task_is_not_made_where_it_could_never_run(world: MakeWorld) -> None:
    """AUTO-1: what it waits for is over for that date; it begins with the next night."""
    a = make_task("w.a", "0 1 * * *")
    chain = (make_task("w.first", "0 2 * * *"), make_task("w.second", "0 13 * * *", "w.first"))
    w = nightly(world, a)
    w.clock.move_to("2026-03-03T12:00")
    w.deploy(make_catalog(a, *chain, make_task("w.third", "0 14 * * *", "w.second")))
    assert w.schedule.make_owed() == {}
    w.clock.move_to("2026-03-03T23:30")
    w.night()
    assert {name for name, state in w.auto_states().items() if "isolated" in state} == set()


def test_nothing_is_new_before_the_first_night(world: MakeWorld) -> None:
    """AUTO-1: a deploy at noon owes only what is immediate; the night makes the rest."""
    w = world(make_task("w.a", "0 1 * * *"), now="2026-03-02T12:00")
    w.deploy(make_catalog(*w.catalog.tasks.values(), make_task("w.b", "0 15 * * *")))
    assert w.schedule.make_owed() == {}
    assert w.auto_rows() == {}


def test_a_new_task_waits_for_a_moved_one_as_it_was_made(world: MakeWorld) -> None:
    """AUTO-1, AUTO-2: the date has `a` at 01:00, though the new version says 02:00."""
    w = nightly(world, make_task("w.a", "0 1 * * *"))
    w.clock.move_to("2026-03-02T23:45")
    w.deploy(make_catalog(make_task("w.a", "0 2 * * *"), make_task("w.b", "0 3 * * *", "w.a")))
    assert w.schedule.make_owed() == {date(2026, 3, 2): 1}
    assert waits(w, "b 2 03:00") == {"a 2 01:00"}
    assert w.auto_states() == {"a 2 01:00": "waiting_time", "b 2 03:00": "not_run"}


def test_a_night_that_is_being_made_while_somebody_deploys(world: MakeWorld) -> None:
    """AUTO-1: a task is in the night or is added to it; it misses no date."""
    a, new = make_task("w.a", "0 1 * * *"), make_task("w.new", "0 3 * * *")
    w = world(a, now="2026-03-02T12:00")
    w.clock.move_to("2026-03-02T23:30")
    make_night = w.schedule.making.make_night

    def meanwhile(bizdate: date) -> None:
        w.deploy(make_catalog(a, new))
        make_night(bizdate)

    w.schedule.making.make_night = meanwhile  # type: ignore[method-assign]
    w.night()
    assert w.schedule.make_owed() == {}
    assert set(w.auto_rows()) == {"a 2 01:00", "new 2 03:00"}


def test_a_deploy_after_a_deploy_that_was_killed(world: MakeWorld) -> None:
    """AUTO-1: the scheduler makes what is owed, once, by the newest version."""
    a = make_task("w.a", "0 18 * * *", generation="immediate")
    w = world(a, now="2026-03-02T12:00")
    w.deploy(make_catalog(a, replace(a, name="w.b")))
    assert w.schedule.make_owed() == {date(2026, 3, 1): 2}
    assert w.schedule.make_owed() == {}


def test_a_deploy_says_what_happens_to_the_first_night(world: MakeWorld) -> None:
    """AUTO-2: for each task whose slots change and which others, or itself, wait for by their previous cycle."""
    below = make_task("w.below", "0 6 * * *", previous("w.a"))
    other = make_task("x.other", "0 7 * * *", previous("w.a"))
    alone = make_task("w.alone", "0 1 * * *")
    w = nightly(world, make_task("w.a", "0 1 * * *", SELF), below, other, alone)
    moved = make_task("w.a", "0 2,14 * * *", SELF)
    w.deploy(make_catalog(moved, below, other, make_task("w.alone", "0 5 * * *")))
    (sentence,) = w.schedule.notes_of_deploy()
    assert sentence == (
        "w.a is scheduled at 02:00, 14:00 from bizdate 2026-03-03 on; bizdates up to 2026-03-02 keep 01:00. In the "
        "first night, what waits for its previous cycle (itself, w.below, x.other) waits for it as bizdate "
        "2026-03-02 has it."
    )
    (to_member,) = w.schedule.notes_of_deploy(lambda name: name.startswith("w."))
    assert "(itself, w.below, 1 task of other workspaces)" in to_member
    assert w.schedule.notes_of_deploy(lambda name: name.startswith("x.")) == []
    w.deploy(make_catalog(make_task("w.a", "0 1 * * *", SELF), below, other, alone))
    assert w.schedule.notes_of_deploy() == []
