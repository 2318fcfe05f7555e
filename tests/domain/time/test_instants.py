"""Wall-clock time to instants (TIME-5): changes of clocks, days that do not exist, names of zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from retrofill.domain.time.instants import (
    TimezoneError,
    day_start,
    due_at,
    due_seconds,
    is_timezone,
    local_date,
    offset_seconds,
)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("timezone", "local", "expected"),
    [
        ("UTC", "2026-01-01 00:00", "2026-01-01 00:00"),
        ("Asia/Shanghai", "2026-01-01 02:30", "2025-12-31 18:30"),
        ("Asia/Kathmandu", "2026-01-01 00:00", "2025-12-31 18:15"),
        ("America/New_York", "2026-03-08 01:59", "2026-03-08 06:59"),
        ("America/New_York", "2026-03-08 03:00", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01 02:00", "2026-11-01 07:00"),
        ("Asia/Shanghai", "1988-04-10 02:30", "1988-04-09 18:30"),  # before that year's summer time
        ("Asia/Shanghai", "1988-07-01 02:30", "1988-06-30 17:30"),  # in it: nine hours
    ],
)
def test_a_time_that_exists_once_is_that_instant(timezone: str, local: str, expected: str) -> None:
    """TIME-5: the offset is that of the date."""
    assert due_at(wall(local), timezone) == instant(expected)


@pytest.mark.parametrize(
    ("timezone", "local", "expected"),
    [
        ("America/New_York", "2026-03-08 02:00", "2026-03-08 07:00"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00"),
        ("America/New_York", "2026-03-08 02:59", "2026-03-08 07:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),  # half an hour is skipped
        ("Africa/Cairo", "2026-04-24 00:30", "2026-04-23 22:00"),  # midnight is skipped
        ("America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00"),
        ("Asia/Shanghai", "1988-04-17 02:30", "1988-04-16 18:00"),
        ("Pacific/Apia", "2011-12-30 05:00", "2011-12-30 10:00"),  # the whole day is skipped
        ("Pacific/Apia", "2011-12-30 23:59", "2011-12-30 10:00"),
    ],
)
def test_a_skipped_time_is_due_at_the_first_instant_after_the_gap(
    timezone: str, local: str, expected: str
) -> None:
    """TIME-5: a slot in the skipped hour."""
    assert due_at(wall(local), timezone) == instant(expected)


@pytest.mark.parametrize(
    ("timezone", "local", "expected"),
    [
        ("America/New_York", "2026-11-01 01:00", "2026-11-01 05:00"),
        ("America/New_York", "2026-11-01 01:59", "2026-11-01 05:59"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        ("America/Sao_Paulo", "2018-02-17 23:30", "2018-02-18 01:30"),  # the hour before midnight twice
        ("Asia/Shanghai", "1988-09-11 01:30", "1988-09-10 16:30"),
    ],
)
def test_a_repeated_time_is_due_at_its_first_occurrence(timezone: str, local: str, expected: str) -> None:
    """TIME-5: a slot in the repeated hour; the fold of the argument does not matter."""
    assert due_at(wall(local), timezone) == instant(expected)
    assert due_at(wall(local).replace(fold=1), timezone) == instant(expected)


@pytest.mark.parametrize(
    ("timezone", "day", "expected"),
    [
        ("UTC", "2026-03-08", "2026-03-08 00:00"),
        ("America/New_York", "2026-03-08", "2026-03-08 05:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23 22:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30 10:00"),
        ("America/St_Johns", "2006-10-29", "2006-10-29 02:30"),  # 00:01 goes back to 23:01: midnight twice
    ],
)
def test_a_day_starts_at_its_first_instant(timezone: str, day: str, expected: str) -> None:
    """TIME-5, POL-2: midnight may be skipped or come twice, and a day may be missing."""
    assert day_start(date.fromisoformat(day), timezone) == instant(expected)


def test_slots_of_a_day_without_a_change_of_clocks() -> None:
    """TIME-5: seconds since 1970, in the order and shape of the slots."""
    seconds = due_seconds(date(2026, 1, 1), [150, 0, 1439], "Asia/Shanghai")
    assert seconds.dtype == np.int64
    assert [datetime.fromtimestamp(s, UTC) for s in seconds.tolist()] == [
        instant("2025-12-31 18:30"),
        instant("2025-12-31 16:00"),
        instant("2026-01-01 15:59"),
    ]
    assert due_seconds(date(1970, 1, 1), np.array([[0, 1], [2, 3]]), "UTC").tolist() == [[0, 60], [120, 180]]
    assert due_seconds(date(2026, 3, 8), [], "America/New_York").tolist() == []


def test_slots_of_a_day_with_a_skipped_hour() -> None:
    """TIME-5: the slots of the skipped hour are all due at its end, none is lost."""
    day, minutes = date(2026, 3, 8), np.array([[60, 120], [150, 180]], dtype=np.int32)
    seven = int(instant("2026-03-08 07:00").timestamp())
    assert due_seconds(day, minutes, "America/New_York").tolist() == [[seven - 3600, seven], [seven, seven]]


def test_the_offset_of_a_day_is_known_unless_the_clock_changes() -> None:
    """TIME-5: a change at either midnight counts."""
    assert offset_seconds(date(2026, 1, 1), "America/New_York") == -5 * 3600
    assert offset_seconds(date(1971, 1, 1), "Africa/Monrovia") == -(44 * 60 + 30)
    assert offset_seconds(date(2026, 3, 8), "America/New_York") is None
    assert offset_seconds(date(2018, 11, 4), "America/Sao_Paulo") is None
    assert offset_seconds(date(2011, 12, 30), "Pacific/Apia") is None


CHANGES = [
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Asia/Shanghai", date(1988, 4, 17)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Europe/Dublin", date(2090, 3, 26)),
    ("Pacific/Apia", date(2011, 12, 30)),
]


def first_instant_showing(local: datetime, zone: ZoneInfo) -> datetime:
    """The obvious slow version: go through time until the clock shows this or has jumped over it."""
    at = (local - timedelta(hours=27)).replace(tzinfo=UTC)
    while at.astimezone(zone).replace(tzinfo=None) < local:
        at += timedelta(minutes=1)
    return at


@settings(max_examples=examples(60))
@given(st.sampled_from(CHANGES), st.integers(-2, 2), st.integers(0, 1439))
def test_an_instant_is_the_first_at_which_the_clock_has_come_so_far(
    change: tuple[str, date], days: int, minute: int
) -> None:
    """TIME-5: skipped, repeated and ordinary times alike, one by one and as an array."""
    timezone, day = change[0], change[1] + timedelta(days=days)
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    expected = first_instant_showing(local, ZoneInfo(timezone))
    assert due_at(local, timezone) == expected
    assert due_seconds(day, [minute], timezone).tolist() == [int(expected.timestamp())]


def test_the_local_date_of_an_instant() -> None:
    """TIME-7: an instant has one date in each zone; without an offset it is none."""
    at = instant("2026-03-08 04:59:59")
    assert local_date(at, "America/New_York") == date(2026, 3, 7)
    assert local_date(at + timedelta(seconds=1), "America/New_York") == date(2026, 3, 8)
    assert local_date(at, "Asia/Shanghai") == date(2026, 3, 8)
    assert local_date(at.astimezone(ZoneInfo("Pacific/Auckland")), "UTC") == date(2026, 3, 8)
    with pytest.raises(ValueError, match="without its offset"):
        local_date(wall("2026-03-08 00:00"), "UTC")


@pytest.mark.parametrize(
    "name", ["UTC", "Asia/Shanghai", "America/Argentina/Buenos_Aires", "Etc/GMT+8", "EST5EDT"]
)
def test_iana_names_are_time_zones(name: str) -> None:
    """TIME-1: a workspace's time zone."""
    assert is_timezone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "EST5",
        "utc+8",
        "+08:00",
        "Asia",
        "Asia/Shangai",
        "Asia/Shanghai\n",
        "Asia/Shanghai/",
        "/etc/localtime",
        "../../etc/passwd",
        "Asia/../UTC",
        "posix/UTC",
        "right/UTC",
        "posixrules",
        "localtime",
        "zone.tab",
        "leapseconds",
        "UTC\0",
        "A" * 5000,
    ],
)
def test_anything_else_is_none(name: str) -> None:
    """TIME-1: a name is never a path, and an unknown one is refused in a sentence."""
    assert not is_timezone(name)
    with pytest.raises(TimezoneError, match="is not a time zone"):
        due_at(wall("2026-01-01 00:00"), name)


def test_a_near_name_is_offered() -> None:
    """TIME-1: what to write instead."""
    with pytest.raises(TimezoneError, match='did you mean "Asia/Shanghai"'):
        day_start(date(2026, 1, 1), "Asia/Shangai")
