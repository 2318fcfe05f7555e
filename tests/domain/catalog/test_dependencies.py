"""Who waits for whom between the slots of two tasks: the rules' own examples, then every pair of cycles."""

from __future__ import annotations

from itertools import product

import pytest

from domain import reference_planner
from domain.catalogs import CRONS, SELF, make_task
from retrofill.domain.catalog.dependencies import Waits, previous_cycle, same_cycle
from retrofill.domain.time import cron

DAILY, HOURLY, HALF_HOURLY = "0 7 * * *", "0 * * * *", "*/30 * * * *"


def shown(waits: Waits, up: str, down: str) -> dict[str, list[str]]:
    """Downstream time -> upstream times, "-1 " before those of the date before; no entry is no wait."""

    def clock(minute: int) -> str:
        return f"{minute // 60:02}:{minute % 60:02}"

    ups, downs = cron.parse(up).slots, cron.parse(down).slots
    found: dict[str, list[str]] = {}
    for k, place in enumerate(waits.down.tolist()):
        before = "-1 " if waits.before[k] else ""
        found.setdefault(clock(downs[place]), []).append(before + clock(ups[waits.up[k]]))
    return found


def same(up: str, down: str, up_waits_for_itself: bool = False) -> dict[str, list[str]]:
    return shown(same_cycle(cron.parse(up), up_waits_for_itself, cron.parse(down)), up, down)


def before(up: str, down: str, up_waits_for_itself: bool = False) -> dict[str, list[str]]:
    return shown(previous_cycle(cron.parse(up), up_waits_for_itself, cron.parse(down)), up, down)


def hours(*numbers: int) -> list[str]:
    return [f"{n:02}:00" for n in numbers]


def test_one_slot_each() -> None:
    """DEP-1: whatever the times; an upstream task that is later delays the other."""
    assert same("0 9 * * *", "0 7 * * *") == {"07:00": ["09:00"]}


@pytest.mark.parametrize("weekly_or_monthly", ["0 3 * * MON,FRI", "0 3 1 * *", "0 3 1 1 *"])
def test_a_daily_task_waits_every_day_for_a_weekly_one(weekly_or_monthly: str) -> None:
    """DEP-1, DEP-9: week, month and year tasks have one slot on every date."""
    assert same(weekly_or_monthly, DAILY) == {"07:00": ["03:00"]}
    assert same(DAILY, weekly_or_monthly) == {"03:00": ["07:00"]}


def test_a_daily_task_waits_for_all_hours_of_the_date() -> None:
    """DEP-2: without self, also for the hours after its own time."""
    assert same(HOURLY, "0 2 * * *") == {"02:00": hours(*range(24))}


def test_a_daily_task_waits_for_one_hour_of_a_task_that_waits_for_itself() -> None:
    """DEP-2: the greatest hour not later, else the first."""
    assert same(HOURLY, "0 12 * * *", up_waits_for_itself=True) == {"12:00": ["12:00"]}
    assert same(HOURLY, "59 12 * * *", up_waits_for_itself=True) == {"12:59": ["12:00"]}
    assert same("0 8-10 * * *", "0 7 * * *", up_waits_for_itself=True) == {"07:00": ["08:00"]}


def test_all_hours_wait_for_the_one_slot_of_a_daily_task() -> None:
    """DEP-3: the 00:00 instance too, which thereby starts at 07:00."""
    assert same(DAILY, "0 0,8,16 * * *") == {time: ["07:00"] for time in hours(0, 8, 16)}


def test_as_many_slots_pair_up_whatever_the_times() -> None:
    """DEP-4."""
    assert same("0 1,2,3 * * *", "30 0,8,23 * * *") == {
        "00:30": ["01:00"],
        "08:30": ["02:00"],
        "23:30": ["03:00"],
    }
    assert same("*/30 0-11 * * *", HOURLY)["23:00"] == ["11:30"], "before the window of DEP-5"


def test_an_hour_waits_for_the_minutes_since_the_hour_before() -> None:
    """DEP-5: half-open windows; the first takes everything up to it."""
    waits = same(HALF_HOURLY, HOURLY)
    assert waits["00:00"] == ["00:00"]
    assert waits["01:00"] == ["00:30", "01:00"]
    assert len(waits) == 24
    assert same("*/30 3,4 * * *", "0 4,5,9 * * *") == {
        "04:00": ["03:00", "03:30", "04:00"],
        "05:00": ["04:30"],
    }


def test_a_window_without_minutes_is_no_wait() -> None:
    """DEP-5: and minutes after the last hour are waited for by nobody."""
    assert same("0,30 8,20 * * *", "0 7,9,10 * * *") == {"09:00": ["08:00", "08:30"]}


def test_an_hour_waits_for_the_nearest_minute_of_a_task_that_waits_for_itself() -> None:
    """DEP-5."""
    assert same("0,30 8,20 * * *", "0 7,9,10 * * *", up_waits_for_itself=True) == {
        "07:00": ["08:00"],
        "09:00": ["08:30"],
        "10:00": ["08:30"],
    }


def test_other_unequal_counts_take_the_nearest_and_may_share_it() -> None:
    """DEP-5: also minutes upon hours, and hours upon hours."""
    assert same("0 0,8 * * *", "0 4,8,12 * * *") == {
        "04:00": ["00:00"],
        "08:00": ["08:00"],
        "12:00": ["08:00"],
    }
    assert same("30 6,12 * * *", "0 0,6,12 * * *") == {t: ["06:30"] for t in hours(0, 6, 12)}
    assert same(HOURLY, HALF_HOURLY)["09:30"] == ["09:00"]


def test_a_task_waits_for_its_own_slot_before() -> None:
    """DEP-6: the first slot of a date for the last of the date before."""
    assert before("0 0,8,16 * * *", "0 0,8,16 * * *") == {
        "00:00": ["-1 16:00"],
        "08:00": ["00:00"],
        "16:00": ["08:00"],
    }
    assert before(DAILY, DAILY) == {"07:00": ["-1 07:00"]}


def test_the_previous_cycle_of_another_task() -> None:
    """DEP-7, all its cases."""
    assert before("0 9 * * *", DAILY) == {"07:00": ["-1 09:00"]}
    assert before("0 1,2 * * *", DAILY) == {"07:00": ["-1 01:00", "-1 02:00"]}
    assert before("0 1,2 * * *", DAILY, up_waits_for_itself=True) == {"07:00": ["-1 02:00"]}
    assert before(DAILY, "0 1,8 * * *") == {"01:00": ["-1 07:00"], "08:00": ["-1 07:00"]}
    assert before(HOURLY, HOURLY)["02:00"] == ["01:00"]
    assert before(HOURLY, "30 * * * *")["00:30"] == ["-1 23:00"]


def test_the_previous_cycle_with_unequal_counts_is_strictly_earlier() -> None:
    """DEP-7: on the date before if need be."""
    assert before("0 6,12 * * *", "0 5,6,12,13 * * *") == {
        "05:00": ["-1 12:00"],
        "06:00": ["-1 12:00"],
        "12:00": ["06:00"],
        "13:00": ["12:00"],
    }


MORE_CRONS = [*CRONS, HALF_HOURLY, HOURLY, "0 4 L 2,7 *", "*/10 * * * SUN"]


@pytest.mark.parametrize("up_waits_for_itself", [False, True])
def test_every_pair_of_cycles_follows_the_rules(up_waits_for_itself: bool) -> None:
    """DEP-1..7: all pairs of minute, hour, day, week, month and year tasks against the rules written slowly."""
    cycles = set()
    for up, down in product(MORE_CRONS, MORE_CRONS):
        a = make_task("w.a", up, *([SELF] if up_waits_for_itself else []))
        b = make_task("w.b", down)
        cycles.add((a.schedule.cycle, b.schedule.cycle))
        same_waits = same_cycle(a.schedule, up_waits_for_itself, b.schedule)
        previous_waits = previous_cycle(a.schedule, up_waits_for_itself, b.schedule)
        for place, minute in enumerate(b.schedule.slots):
            found = [a.schedule.slots[i] for i in same_waits.up[same_waits.down == place]]
            assert found == reference_planner.same_cycle_slots(a, b, minute)
            mine = previous_waits.down == place
            steps = zip(previous_waits.before[mine], previous_waits.up[mine], strict=True)
            earlier = [(int(back), a.schedule.slots[i]) for back, i in steps]
            assert earlier == reference_planner.previous_cycle_slots(a, b, minute)
    assert len(cycles) == 36
