"""A scheduler that waits: what holds everything back decides when it looks again, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Rerun
from retrofill.domain.planning.changes import Changes
from retrofill.domain.time.windows import parse_window
from services.fakes import ms
from services.worlds import MakeWorld, World

NEW_YORK = "America/New_York"


def _closed(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *"))
    w.create(window=parse_window("20:00-22:00", "UTC"))
    return w


def _closed_when_its_time_comes(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 13 * * *"), now="2026-01-06T12:00")
    w.create(window=parse_window("20:00-22:00", "UTC"))
    w.tick()
    w.clock.move_to("2026-01-06T13:00")
    return w


def _future(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *"))
    w.create(dates="2026-04-01..2026-04-03")
    return w


def _paused(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 13 * * *"), now="2026-01-06T12:00")
    w.backfills.pause(w.create())
    w.tick()
    w.clock.move_to("2026-01-06T14:00")
    return w


def _stopped(make: MakeWorld) -> World:
    w = _closed(make)
    w.backfills.stop(1)
    return w


def _slots_full(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *"), slots=1)
    w.create(dates="2026-01-05..2026-01-09", groups=5)
    w.create(dates="2026-01-05", window=parse_window("20:00-22:00", "UTC"))
    return w


def _task_at_its_limit(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *", max_parallel_instances=1))
    w.create(dates="2026-01-05..2026-01-06", groups=2)
    return w


def _failed(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    w.create()
    w.finish(fails=lambda _: True)
    return w


def _rerun_interval(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=600)))
    w.create()
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    return w


def _frozen(make: MakeWorld) -> World:
    w = make(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    w.create()
    w.do("freeze", "b 5 02:00")
    w.finish()
    return w


WAITING: list[tuple[Callable[[MakeWorld], World], str | None]] = [
    (_closed, "2026-03-02T20:00"),
    (_closed_when_its_time_comes, "2026-01-06T20:00"),
    (_future, "2026-04-02T01:00"),
    (_paused, None),
    (_stopped, None),
    (_slots_full, "2026-03-02T20:00"),
    (_task_at_its_limit, None),
    (_failed, None),
    (_rerun_interval, "2026-03-02T12:10"),
    (_frozen, None),
]


@pytest.mark.parametrize(("reach", "due"), WAITING, ids=[reach.__name__.strip("_") for reach, _ in WAITING])
def test_a_scheduler_that_waits_looks_again_when_the_next_thing_is_due(
    world: MakeWorld, reach: Callable[[MakeWorld], World], due: str | None
) -> None:
    """POL-2, POL-11, OPS-0: no polling faster than the next due time, and none at all without one."""
    w = reach(world)
    for _ in range(3):  # the first may still have something to do
        ticked = w.tick()
    assert (ticked.ended, ticked.started, ticked.more) == (0, 0, False)
    assert ticked.next_ms == (None if due is None else ms(due))
    before = w.rows()
    assert w.tick().next_ms == ticked.next_ms
    assert w.rows() == before
    if ticked.next_ms is not None:
        w.clock.ms = ticked.next_ms
        found = w.tick()
        assert found.started or found.next_ms is None or found.next_ms > w.clock.ms


# -- windows, from one due time to the next


def starts(w: World, until: str) -> list[tuple[str, str]]:
    """Let a scheduler go from one due time to the next: what started when, in New York."""
    found = []
    while w.clock.ms <= ms(until):
        ticked = w.tick()
        for number in sorted(w.executor.running):
            (name,) = [name for name, row in w.rows().items() if row.id == number]
            at = datetime.fromtimestamp(w.clock.ms / 1000, ZoneInfo(NEW_YORK))
            found.append((name, f"{at:%a %d %H:%M}"))
            w.executor.end(number)
        if ticked.started or ticked.more:
            continue
        if ticked.next_ms is None:
            break
        assert ticked.next_ms > w.clock.ms, "it would spin"
        w.clock.ms = ticked.next_ms
    return found


@pytest.mark.parametrize(
    ("now", "window", "weekends", "expected"),
    [
        # a Monday, 12:00 in New York
        ("2026-03-02T17:00", "22:00-06:00", False, "Mon 02 22:00"),
        ("2026-03-02T17:00", "10:00-12:00", False, "Tue 03 10:00"),
        ("2026-03-02T17:00", "12:00-12:01", False, "Mon 02 12:00"),
        # the weekend's last window reaches into Monday; Friday's into Saturday is no weekend
        ("2026-03-02T10:59", "22:00-06:00", True, "Mon 02 05:59"),
        ("2026-03-02T11:00", "22:00-06:00", True, "Sat 07 22:00"),
        ("2026-03-07T05:00", "22:00-06:00", True, "Sat 07 22:00"),
        # 8 March: from 02:00 to 03:00; 1 November: from 02:00 back to 01:00
        ("2026-03-08T05:30", "02:30-04:00", False, "Sun 08 03:00"),
        ("2026-03-08T05:30", "02:00-02:30", False, "Mon 09 02:00"),
        ("2026-11-01T04:30", "01:30-01:45", False, "Sun 01 01:30"),
        ("2026-11-01T05:45", "01:30-03:00", False, "Sun 01 01:45"),
    ],
)
def test_an_opening_starts_work_at_that_minute(
    world: MakeWorld, now: str, window: str, weekends: bool, expected: str
) -> None:
    """POL-11, TIME-5: over midnight, on weekends, on the days on which clocks are changed in New York."""
    w = world(make_task("w.a", "0 1 * * *"), now=now)
    w.create(dates="2026-01-05", window=parse_window(window, NEW_YORK, weekends))
    assert starts(w, "2026-12-01T00:00") == [("a 5 01:00", expected)]
    assert w.status(1) == "succeeded"


def test_the_first_of_two_equal_minutes_opens_it(world: MakeWorld) -> None:
    """POL-11, TIME-5: 01:30 comes twice on 1 November; the window opens at the first and stays open for its length."""
    window = parse_window("01:30-03:00", NEW_YORK)
    assert window.next_open(datetime.fromisoformat("2026-11-01T00:00-04:00")).timestamp() * 1000 == ms(
        "2026-11-01T05:30"
    )
    w = world(make_task("w.a", "0 1 * * *"), now="2026-11-01T06:45")  # 01:45 for the second time
    w.create(dates="2026-01-05", window=window)
    assert len(starts(w, "2026-11-01T07:00")) == 1


def test_in_its_window_an_instance_still_waits_for_its_time(world: MakeWorld) -> None:
    """POL-11, POL-2: T holds, or the moment of --run-future; the window comes on top."""
    w = world(make_task("w.a", "0 23 * * *"), now="2026-01-06T17:00")
    window = parse_window("20:00-22:00", "UTC")
    first = w.create(dates="2026-01-05", window=window)
    assert w.tick().next_ms == ms("2026-01-06T20:00"), "the window opens before T"
    assert starts(w, "2026-01-09T00:00") == [("a 5 23:00", "Wed 07 15:00")]
    assert w.status(first) == "succeeded"
    w.create(dates="2026-01-08", window=window, run_future=True)
    assert starts(w, "2026-01-12T00:00") == [("a 8 23:00", "Fri 09 15:00")]


def test_closing_leaves_what_runs(world: MakeWorld) -> None:
    """POL-11, BF-3: whether the window closes by time or by a change; an automatic rerun is a new start."""
    w = world(
        make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=0)), now="2026-03-02T21:59:59"
    )
    w.create(window=parse_window("21:00-22:00", "UTC"))
    w.tick()
    w.clock.forward(1)
    w.tick()
    assert w.running() == {"a 5 01:00"}
    w.end("a 5 01:00", exit_code=1)
    assert w.running() == set()
    assert w.status(1) == "pending"
    w.backfills.change(1, Changes({"window": parse_window("22:00-23:00", "")}))
    w.tick()
    assert w.running() == {"a 5 01:00"}
    w.backfills.change(1, Changes({"window": parse_window("01:00-02:00", "")}))
    w.tick()
    w.end("a 5 01:00")
    assert w.status(1) == "succeeded"
