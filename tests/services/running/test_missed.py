"""Nights that nobody makes are named, with the backfills that make up for them (AUTO-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from domain.catalogs import SELF, make_catalog, make_task
from retrofill.cli.steps import command_of, told
from retrofill.domain.catalog.definitions import RunMode, Task
from retrofill.domain.catalog.task_types import TaskType
from retrofill.services.running.missed import Missed, find_missed
from retrofill.services.running.nights import ScheduleSettings
from services.worlds import MakeWorld, World

CHAIN = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))


def eleven_days(world: MakeWorld, *tasks: Task, **more: Any) -> World:
    """Deployed on 1 March; the night of bizdate 1 is made and run, then nobody is there until the 12th."""
    w = world(*tasks, now="2026-03-01T12:00", **more)
    w.clock.move_to("2026-03-01T23:30")
    w.night()
    w.clock.move_to("2026-03-02T12:00")
    w.finish()
    w.clock.move_to("2026-03-13T12:00")
    return w


def missed(w: World, sees: Any = lambda _: True) -> Missed | None:
    with w.store.read() as reader:
        return find_missed(reader, w.graphs, w.schedule, sees)


def test_a_command_makes_up_for_them(world: MakeWorld) -> None:
    """AUTO-3: named before a scheduler starts as after it; no more once all of it has run."""
    w = eleven_days(world, *CHAIN)
    found = missed(w)
    assert found is not None
    assert found.bizdates == ("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05")
    assert (
        command_of(found.makes_up)
        == "retrofill backfill create --task w.a --task w.b --bizdate 2026-03-02..2026-03-05"
    )
    assert len(w.night(was_down=True)) == 7
    assert missed(w) == found
    w.create("a", "b", dates="2026-03-02..2026-03-04")
    w.finish()
    part = missed(w)
    assert part is not None
    assert (part.bizdates, part.tasks) == (("2026-03-05",), ("w.a", "w.b"))
    w.create("a", dates="2026-03-05")
    w.finish()
    part = missed(w)
    assert part is not None
    assert command_of(part.makes_up) == "retrofill backfill create --task w.b --bizdate 2026-03-05"
    (sentence,) = part.sentences()
    assert told(sentence) == (
        "1 night was missed and will not be made, of bizdate 2026-03-05: w.b lacks it. "
        "`retrofill backfill create --task w.b --bizdate 2026-03-05` makes up for it."
    )
    w.create("b", dates="2026-03-05")
    w.finish()
    assert missed(w) is None


def test_what_went_on_over_the_hole_is_named(world: MakeWorld) -> None:
    """AUTO-3, DEP-6: a self-dependent task ran on without the dates that were missed."""
    w = eleven_days(world, *CHAIN, make_task("w.total", "0 3 * * *", SELF))
    w.night(was_down=True)
    w.finish()
    assert w.auto_states()["total 6 03:00"] == "successful"
    found = missed(w)
    assert found is not None
    assert found.over_them == ("w.total",)
    assert command_of(found.afterwards) == (
        "retrofill backfill create --task w.total --descendants all --bizdate 2026-03-06..2026-03-12"
    )
    assert "went on without them" in str(list(found.sentences())[1])


def test_only_what_would_have_run_lacks_anything(world: MakeWorld) -> None:
    """AUTO-3, SEL-8: no off days, no gates, no dry runs; tasks that came later lack nothing before."""
    tasks = (
        make_task("w.a", "0 1 * * *"),
        make_task("w.gate", "0 1 * * *", type=TaskType.VIRTUAL),
        make_task("w.dry", "0 1 * * *", mode=RunMode.DRY_RUN),
        make_task("w.sunday", "0 1 * * SUN"),  # 8 March: bizdate 7 March
        make_task("w.old", "0 1 * * *", valid_until=date(2026, 3, 4)),
    )
    w = eleven_days(world, *tasks)
    w.deploy(make_catalog(*tasks, make_task("w.new", "0 1 * * *")))
    found = missed(w)
    assert found is not None
    assert found.tasks == ("w.a", "w.old")
    w.create("a", "old", dates="2026-03-02..2026-03-05")
    w.finish()
    assert missed(w) is None


def test_a_project_that_is_only_backfilled_has_no_nights(world: MakeWorld) -> None:
    """AUTO-3: until a scheduler has begun."""
    w = world(*CHAIN, now="2026-03-01T12:00")
    w.clock.move_to("2026-04-01T12:00")
    assert missed(w) is None
    w.night(was_down=True)
    assert missed(w) is not None


def test_a_visitor_of_another_workspace_sees_nothing_of_it(world: MakeWorld) -> None:
    """SEC-2."""
    w = eleven_days(world, *CHAIN, make_task("x.c", "0 1 * * *"))
    found = missed(w, lambda name: name.startswith("x."))
    assert found is not None
    assert found.tasks == ("x.c",)
    assert missed(w, lambda _: False) is None


def test_many_tasks_are_chosen_by_workspace(world: MakeWorld) -> None:
    """AUTO-3, SEL-1."""
    tasks = [make_task(f"{workspace}.t{i}", "0 1 * * *") for workspace in "wx" for i in range(9)]
    w = eleven_days(world, *tasks, nights=ScheduleSettings(23 * 60 + 30, 0))
    found = missed(w)
    assert found is not None
    assert command_of(found.makes_up) == (
        "retrofill backfill create --where workspace=w --where workspace=x --bizdate 2026-03-02..2026-03-12"
    )


def test_dates_that_do_not_lie_in_a_row(world: MakeWorld) -> None:
    """AUTO-3: each range once."""
    w = eleven_days(world, replace(CHAIN[0], name="w.only"))
    w.create("only", dates="2026-03-03..2026-03-04")
    w.finish()
    found = missed(w)
    assert found is not None
    assert command_of(found.makes_up).endswith("--bizdate 2026-03-02 --bizdate 2026-03-05")
