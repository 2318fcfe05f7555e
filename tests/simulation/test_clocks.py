"""Clocks that jump, and days on which they change: nothing is made twice or missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.definitions import Catalog, Task, Workspace
from retrofill.domain.people.roles import system_administrator
from retrofill.domain.running.filters import OperationFilter
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.upkeep.clocks import ClockDoubtedError, accept_clock
from retrofill.services.upkeep.custody import Rules
from retrofill.services.upkeep.retention import Retention
from services.worlds import MakeWorld, World

ADMIN = system_administrator("admin")

EVERY_HALF_HOUR = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]


def zoned(timezone: str, *tasks: Task) -> Catalog:
    return replace(make_catalog(*tasks), workspaces={"w": Workspace("w", timezone)})


def pass_days(w: World, until: str, step_minutes: int = 30) -> None:
    """Move the clock in small steps, make what is due, let everything end at once."""
    end = datetime.fromisoformat(until).replace(tzinfo=UTC)
    while instant_of(w.clock.ms) < end:
        w.clock.forward(60 * step_minutes)
        if w.schedule.make_due(was_down=False):
            w.scheduler.look_again()
        w.finish()


@pytest.mark.parametrize(
    ("timezone", "date_of_change", "due"),
    [
        # The clock skips an hour or half of one: a slot in the gap is due at its end.
        ("America/New_York", "2026-03-08", {"01:30": "06:30", "02:00": "07:00", "02:30": "07:00", "03:00": "07:00"}),
        ("Australia/Lord_Howe", "2026-10-04", {"01:30": "15:00", "02:00": "15:30", "02:30": "15:30"}),
        ("Africa/Cairo", "2026-04-24", {"00:00": "22:00", "00:30": "22:00", "01:00": "22:00", "01:30": "22:30"}),
        # The clock shows an hour or half of one twice: a slot is due when it is shown first.
        ("America/New_York", "2026-11-01", {"00:30": "04:30", "01:00": "05:00", "01:30": "05:30", "02:00": "07:00"}),
        ("Australia/Lord_Howe", "2026-04-05", {"01:00": "14:00", "01:30": "14:30", "02:00": "15:30"}),
    ],
)  # fmt: skip
def test_a_date_on_which_the_clock_changes(
    world: MakeWorld, timezone: str, date_of_change: str, due: dict[str, str]
) -> None:
    """TIME-5, AUTO-1: 48 half hours on every date, each made once and run once, none before its time."""
    change = date.fromisoformat(date_of_change)
    start = change - timedelta(days=3)
    w = world(make_task("w.half", "*/30 * * * *"), now=f"{start}T12:00", slots=100)
    w.deploy(zoned(timezone, make_task("w.half", "*/30 * * * *")))
    w.restart()
    pass_days(w, f"{change + timedelta(days=2)}T12:00")
    with w.store.read() as reader:
        days = sorted(reader.generations.bizdates(-1))
        rows = {day: reader.generations.instances(day) for day in days}
    first = date.fromisoformat(days[0])
    assert days == [str(first + timedelta(days=i)) for i in range(len(days))]
    bizdate = str(change - timedelta(days=1))
    assert bizdate in days
    for day in days:
        assert sorted(row.slot for row in rows[day]) == [30 * i for i in range(48)]
    shown = {f"{row.slot // 60:02}:{row.slot % 60:02}": row for row in rows[bizdate]}
    assert sorted(shown) == EVERY_HALF_HOUR
    assert {slot: f"{instant_of(shown[slot].due_ms):%H:%M}" for slot in due} == due
    for row in shown.values():
        assert row.state == "successful"
        assert row.started_ms is not None
        assert row.started_ms >= row.due_ms
    assert max(Counter(spec.ref.instance_id for spec in w.executor.started).values()) == 1


def test_a_midnight_that_does_not_exist(world: MakeWorld) -> None:
    """TIME-5: Cairo's daily task of 00:00 runs on 24 April 2026 too, at 01:00 of that day."""
    daily = make_task("w.daily", "0 0 * * *")
    w = world(daily, now="2026-04-22T12:00")
    w.deploy(zoned("Africa/Cairo", daily))
    w.restart()
    pass_days(w, "2026-04-26T12:00")
    started = {
        spec.environment["RETROFILL_BIZDATE"]: spec.environment["RETROFILL_SCHEDULED_AT"]
        for spec in w.executor.started
    }
    assert sorted(started) == ["2026-04-22", "2026-04-23", "2026-04-24", "2026-04-25"]
    assert started["2026-04-23"].startswith("2026-04-24")
    assert f"{instant_of(w.auto_rows()['daily 23 00:00'].due_ms):%d %H:%M}" == "23 22:00"


@pytest.mark.parametrize("back_seconds", [60, 3_600, 86_400, 3 * 86_400])
def test_a_clock_that_goes_back(world: MakeWorld, back_seconds: int) -> None:
    """AUTO-1: no night is made twice, nothing starts twice, and what is due later waits for its time."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 12 * * *", "w.a"), now="2026-03-02T12:00")
    pass_days(w, "2026-03-05T06:00")
    before = w.auto_states()
    w.clock.forward(-back_seconds)
    w.restart()
    w.night(was_down=True)
    w.finish()
    assert w.auto_states() == before
    if back_seconds > 3_600:  # more than the clock may be off: somebody has to say that it is right
        accept_clock(w.store, w.clock, ADMIN.name)
    pass_days(w, "2026-03-07T13:00")
    assert set(w.auto_states()) == {
        f"{task} {day} {slot}" for day in range(2, 7) for task, slot in (("a", "01:00"), ("b", "12:00"))
    }
    started = Counter(spec.ref.instance_id for spec in w.executor.started)
    assert set(started.values()) == {1}


@pytest.mark.parametrize(("days", "made"), [(1, 1), (7, 7), (40, 7)])
@pytest.mark.parametrize("is_down", [True, False])
def test_a_clock_that_jumps_forward(world: MakeWorld, days: int, made: int, is_down: bool) -> None:
    """AUTO-3: as many nights as were jumped over are made, oldest first, seven at most; each once."""
    w = world(make_task("w.a", "0 1 * * *"), now="2026-03-02T12:00")
    w.clock.forward(days * 86_400)
    if is_down:
        w.restart()
    nights = w.night(was_down=is_down)
    last = date(2026, 3, 2) + timedelta(days=days - 1)
    assert nights == [str(last - timedelta(days=i)) for i in reversed(range(made))]
    assert w.night(was_down=is_down) == []
    w.finish()
    assert len(w.executor.started) == made


def test_a_rerun_interval_over_a_clock_that_goes_back(world: MakeWorld) -> None:
    """RUN-3: the next run starts by the clock, once, whatever the clock did in between."""
    from retrofill.domain.catalog.definitions import Rerun

    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=600)))
    w.create("a")
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    w.clock.forward(-3_600)
    w.tick()
    assert w.state("a 5 01:00") == "waiting_time rerun_interval"
    w.clock.forward(3_600 + 601)
    w.finish()
    assert w.rows()["a 5 01:00"].run_number == 2
    assert w.state("a 5 01:00") == "successful"


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("days", [3, -3, 60])
def test_a_clock_that_is_wrong_for_five_seconds(world: MakeWorld, days: int, restarts: bool) -> None:
    """TIME-8: no night of a date to come, nothing before its time, and nothing is lost when it is right again."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 12 * * *", "w.a"), now="2026-03-02T12:00")
    pass_days(w, "2026-03-05T06:00")
    before = w.auto_states()
    w.clock.jump(days * 86_400)
    if restarts:
        w.restart()
    assert w.night(was_down=restarts) == []
    w.clock.forward(5)
    trouble = w.tick().clock_trouble
    assert trouble is not None
    assert "by the time that has passed it is 2026-03-05T06:00:05Z" in str(trouble)
    assert w.executor.running == {}
    assert w.auto_states() == before
    w.clock.jump(-days * 86_400)
    if restarts:
        w.restart()
    assert w.tick().clock_trouble is None
    assert w.auto_states() == before
    pass_days(w, "2026-03-07T13:00")
    assert sorted(w.auto_states()) == sorted(
        f"{task} {day} {slot}" for day in range(2, 7) for task, slot in (("a", "01:00"), ("b", "12:00"))
    )
    assert set(w.auto_states().values()) == {"successful"}
    with w.store.read() as reader:
        assert reader.generations.missed() == []


def test_what_waits_for_its_time_waits_for_the_true_one(world: MakeWorld) -> None:
    """TIME-8: by the time that has passed it starts at noon, though the clock is three days ahead."""
    w = world(make_task("w.noon", "0 12 * * *"), now="2026-03-02T12:00")
    pass_days(w, "2026-03-03T06:00")
    w.clock.jump(3 * 86_400)
    ticked = w.tick()
    assert w.executor.running == {}
    assert ticked.next_ms is not None
    assert ticked.next_ms - w.clock.ms == 6 * 3_600_000
    w.clock.forward(6 * 3_600)
    w.tick()
    assert len(w.executor.running) == 1


def test_accepting_a_clock_lets_everything_go_on(world: MakeWorld) -> None:
    """TIME-8: it was wrong before, and is right now."""
    w = world(make_task("w.a", "0 1 * * *"), now="2026-03-02T12:00")
    pass_days(w, "2026-03-05T06:00")
    w.clock.jump(3 * 86_400)
    assert w.night() == []
    assert accept_clock(w.store, w.clock, ADMIN.name).expected_ms is not None
    assert w.night() == ["2026-03-05", "2026-03-06", "2026-03-07"]
    assert accept_clock(w.store, w.clock, ADMIN.name).expected_ms is None
    with w.store.read() as reader:
        assert [o.action for o in reader.latest_operations(OperationFilter(), None, 2)] == [
            "accept-clock",
            "accept-clock",
        ]


def test_a_wrong_clock_that_somebody_accepted(world: MakeWorld) -> None:
    """TIME-8: nights of dates to come were made and missed; with the right clock, none is left out."""
    w = world(make_task("w.a", "0 1 * * *"), now="2026-03-02T12:00")
    pass_days(w, "2026-03-05T06:00")
    w.clock.jump(20 * 86_400)
    accept_clock(w.store, w.clock, ADMIN.name)
    assert len(w.night()) == 7
    with w.store.read() as reader:
        assert len(reader.generations.missed()) == 13
    w.clock.jump(-20 * 86_400)
    assert w.night() == []
    accept_clock(w.store, w.clock, ADMIN.name)
    pass_days(w, "2026-03-26T13:00")
    assert set(w.auto_states()) == {f"a {day} 01:00" for day in range(2, 26)}
    assert set(w.auto_states().values()) == {"successful"}
    with w.store.read() as reader:
        assert reader.generations.missed() == []


def test_a_clock_behind_the_store_after_a_start_of_the_machine(world: MakeWorld) -> None:
    """TIME-8: the machine came up with a clock of 2025; it is believed when a time server has set it."""
    w = world(make_task("w.a", "0 1 * * *"), now="2026-03-02T12:00")
    pass_days(w, "2026-03-05T06:00")
    w.clock.jump(-400 * 86_400)
    w.clock.start_machine()
    w.restart()
    ticked = w.tick()
    assert ticked.clock_trouble is not None
    assert "and the store knows of 2026-03-0" in str(ticked.clock_trouble)
    assert w.night(was_down=True) == []
    w.clock.jump(400 * 86_400)
    assert w.tick().clock_trouble is None
    w.clock.move_to("2026-03-05T23:30")
    assert w.night() == ["2026-03-05"]


@pytest.mark.parametrize("seconds", [1_800, -1_800, 3 * 86_400, -3 * 86_400])
def test_a_pause_is_as_long_as_it_is(world: MakeWorld, seconds: int) -> None:
    """TIME-8, RUN-3: an interval of ten minutes takes ten minutes, wherever the clock jumps meanwhile."""
    from retrofill.domain.catalog.definitions import Rerun

    w = world(make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=600)))
    w.create("a")
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    w.clock.jump(seconds)
    w.tick()
    w.clock.forward(599)
    w.tick()
    assert w.state("a 5 01:00") == "waiting_time rerun_interval"
    w.clock.forward(2)
    w.tick()
    assert w.state("a 5 01:00") == "running"


def test_nothing_is_deleted_by_a_clock_that_is_doubted(world: MakeWorld) -> None:
    """TIME-8, RET-1: sixty days ahead, in a scheduler or by hand; and after a start of the machine."""
    w = world(make_task("w.a", "0 1 * * *"), now="2026-03-02T12:00")
    w.create("a")
    w.finish()

    def delete() -> int:
        rules = Rules(30, {"shared": 7, "exclusive": 30, "serverless": 30}, 0)
        return Retention(w.store, NoFolder(), w.graphs, w.clock, rules).run().backfills  # type: ignore[arg-type]

    w.clock.jump(60 * 86_400)
    with pytest.raises(ClockDoubtedError, match="by the time that has passed"):
        delete()
    w.clock.start_machine()
    with pytest.raises(ClockDoubtedError, match="everything in the store was older than 30 days"):
        delete()
    accept_clock(w.store, w.clock, ADMIN.name)
    assert delete() == 1


def test_a_run_is_never_shorter_than_nothing(world: MakeWorld) -> None:
    """TIME-8: the clock went back while it ran; the supervisor says when it ended by the time that has passed."""
    w = world(make_task("w.a", "0 1 * * *"))
    number = w.create("a")
    w.tick()
    w.clock.jump(-86_400)
    w.end("a 5 01:00")
    row = w.rows()["a 5 01:00"]
    assert row.state == "successful"
    assert row.ended_ms == row.started_ms
    assert w.status(number) == "succeeded"


class NoFolder:
    """There are no logs."""

    def scan(self) -> Iterator[None]:
        return iter(())

    dead_journals = scan

    def remove_of(self, runs: object) -> tuple[int, int]:
        return 0, 0

    def tidy(self, before_seconds: float) -> None:
        pass
