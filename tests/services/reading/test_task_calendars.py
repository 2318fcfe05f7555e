"""A year of a task's bizdates, and its last nights: a letter each, of whoever ran last."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.searches import InstanceSearch
from retrofill.services.reading.documents import TaskCalendar
from retrofill.services.reading.task_calendars import CalendarReader
from services.centers import WorldParts, center_of
from services.worlds import MakeWorld, World

TASKS = (
    make_task("w.a", "0 1,13 * * *"),
    make_task("w.b", "0 3 * * *", "w.a"),
    make_task("w.week", "0 4 * * 1"),  # of the bizdates below, only 2026-03-01 is a Sunday
    make_task("w.new", "0 5 * * *", valid_from=date(2026, 3, 2)),
)


def calendar(w: World, task: str, until: date = date(2026, 3, 1), days: int = 5) -> TaskCalendar:
    return center_of(w).tasks.calendar(task, until, days)


def night(w: World, at: str, **how: Any) -> None:
    """Make the night that is due at this time, and let everything of it run the day after."""
    w.clock.move_to(f"{at}T23:31")
    w.night()
    w.clock.forward(24 * 60 * 60)
    w.finish(**how)


def test_cells_are_of_whoever_ran_last(world: MakeWorld) -> None:
    """RUN-7: a failed night that a backfill has run again is successful, and the other way round."""
    w = world(*TASKS, now="2026-02-28T12:00")
    night(w, "2026-02-28", fails=lambda name: name.startswith("b"))
    assert calendar(w, "w.b")["cells"] == "...f."
    w.create("b", dates="2026-02-28")
    assert calendar(w, "w.b")["cells"] == "...f.", "what is to run has written nothing yet"
    w.finish()
    found = calendar(w, "w.b")
    assert (found["cells"], found["backfills"]) == ("...s.", [None, None, None, 1, None])
    w.create("b", dates="2026-02-27..2026-02-28")
    w.finish(fails=lambda name: name == "b 28 03:00")
    found = calendar(w, "w.b")
    assert (found["cells"], found["backfills"]) == ("..sf.", [None, None, 2, 2, None])


def test_of_several_times_the_one_that_tells_most(world: MakeWorld) -> None:
    """OPS-0: a failed hour is not hidden by those that succeeded."""
    w = world(*TASKS)
    w.create("a", dates="2026-02-27..2026-02-28")
    w.finish(fails=lambda name: name == "a 27 01:00")
    found = calendar(w, "w.a")
    assert found["cells"] == "..fn.", "the next date waits for it"
    failed = center_of(w).instances.show(found["instances"][2] or 0)
    assert (failed["bizdate"], failed["scheduled_at"][11:16], failed["state"]) == (
        "2026-02-27",
        "01:00",
        "failed",
    )


def test_what_is_to_be_backfilled(world: MakeWorld) -> None:
    """TIME-2, TIME-4: what failed and what is not there, of days on which the task runs and that have come."""
    w = world(*TASKS, now="2026-03-02T12:00")
    w.create("a", dates="2026-02-27..2026-02-28")
    w.finish(fails=lambda name: name.startswith("a 27"))
    assert calendar(w, "w.a")["to_backfill"] == ["2026-02-25", "2026-02-26", "2026-02-27", "2026-03-01"]
    week = calendar(w, "w.week")
    assert (week["cells"], week["to_backfill"]) == ("oooo.", ["2026-03-01"])
    new = calendar(w, "w.new", date(2026, 3, 3))
    assert (new["cells"], new["to_backfill"]) == ("oo...", ["2026-03-01"])


def test_what_is_not_kept_is_not_called_missing(world: MakeWorld) -> None:
    """RET-1: of dates whose instances may have been removed by age, nobody knows."""
    w = world(*TASKS, now="2026-03-02T12:00")
    assert calendar(w, "w.b", days=366)["cells"] == "." * 366, (
        "nothing can have been made before the first deploy"
    )
    w.clock.move_to("2026-06-01T12:00")
    cells = calendar(w, "w.b", date(2026, 5, 31), 40)["cells"]
    assert cells == "?" * 10 + "." * 30


def test_dry_runs_tell_that_nothing_was_made(world: MakeWorld) -> None:
    """SEL-6: and hide nothing that was."""
    w = world(*TASKS, make_task("w.c", "0 6 * * *", "w.b"))
    w.create("a", "c", dates="2026-02-27..2026-02-28")
    w.finish()
    assert calendar(w, "w.b")["cells"] == "..dd."
    w.create("b", dates="2026-02-27")
    w.finish()
    w.create("a", "c", dates="2026-02-27..2026-02-28")
    w.finish()
    assert calendar(w, "w.b")["cells"] == "..sd."


def test_the_latest_runs(world: MakeWorld) -> None:
    """BF-2: what has started, newest first."""
    w = world(*TASKS)
    w.create("a", dates="2026-02-27..2026-02-28")
    w.finish()
    latest = calendar(w, "w.a")["latest"]
    listed = center_of(w).instances.list(InstanceSearch(tasks=("w.a",)))["items"]
    assert sorted(row["id"] for row in latest) == sorted(row["id"] for row in listed)
    assert [row["started_at"] for row in latest] == sorted((r["started_at"] for r in listed), reverse=True)


def test_older_backfills_are_left_out_and_counted(world: MakeWorld) -> None:
    """So that a calendar is answered in a moment, however often somebody has backfilled."""
    w = world(*TASKS)
    for _ in range(3):
        w.create("b", dates="2026-02-27..2026-03-01")
        w.finish()
    with w.store.read() as reader:
        made = [
            CalendarReader(w.view(reader), w.catalog, w.catalog.tasks[name], date(2026, 3, 1), 4, 30, most=4)
            for name in ("w.b", "w.a")
        ]
        found, of_two_times = (one.document() for one in made)
    assert (found["cells"], found["left_out"]) == (".sss", 1)
    assert len(of_two_times["cells"]) == 2, "half as many days"


def test_of_foreign_tasks_nothing(world: MakeWorld) -> None:
    """SEC-2: like one that there is not."""
    w = world(
        *TASKS, make_task("v.x", "0 1 * * *"), members={"v": {"greta": "visitor"}, "w": {"alice": "visitor"}}
    )
    w.user = "greta"
    center = center_of(w)
    with pytest.raises(UnknownNameError):
        center.tasks.calendar("w.a")
    assert center.tasks.nights(["w.a", "v.x"])["tasks"] == [{"task": "v.x", "cells": ""}]


def test_nights_are_those_of_the_schedule(world: MakeWorld) -> None:
    """AUTO-1: whatever backfills do; a paused schedule's ready instances count as not run (OPS-0)."""
    w = world(*TASKS, now="2026-02-28T12:00")
    night(w, "2026-02-28", fails=lambda name: name.startswith("b"))
    w.create("b", dates="2026-02-28")
    w.finish()
    w.clock.move_to("2026-03-01T23:31")
    w.night()
    nights = center_of(w).tasks.nights(["w.b", "w.week", "w.nothing"])
    assert nights["bizdates"] == ["2026-02-28", "2026-03-01"]
    assert nights["tasks"] == [{"task": "w.b", "cells": "fn"}, {"task": "w.week", "cells": "ot"}]
    center_of(w).schedule.pause()
    assert center_of(w).tasks.nights(["w.week"], 1)["tasks"] == [{"task": "w.week", "cells": "n"}]


def test_before_the_first_instance(world: MakeWorld) -> None:
    parts = WorldParts(w := world(*TASKS))
    found = center_of(w, parts).tasks.calendar("w.b", days=3)
    assert (found["first"], found["last"]) == ("2026-02-27", "2026-03-01"), "today's, in the task's zone"
