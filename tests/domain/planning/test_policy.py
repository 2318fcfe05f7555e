"""Dates, groups, windows and priorities of a backfill."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalogs import days
from examples import examples
from retrofill.domain.planning import options
from retrofill.domain.planning.option_forms import parse_override, parse_word
from retrofill.domain.planning.options import GROUPS, PRIORITY
from retrofill.domain.planning.policy import (
    AcrossGroups,
    Alert,
    AlertMethod,
    AlertTrigger,
    Barrier,
    GroupCountError,
    Order,
    OverrideError,
    Policy,
    PriorityError,
    Regrouped,
    TooManyBizdatesError,
    deal,
    priority_by_age,
    slots_within,
)
from retrofill.domain.time.bizdates import BizdateError, DateRange, merge_ranges, parse_bizdate, parse_range
from retrofill.domain.time.windows import ClockRangeError, Window, parse_time_range, parse_window

DATES = st.dates(date(1970, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-02-30", "2026-02-30 is not a calendar date (February 2026 has 28 days)"),
        ("2024-02-30", "2024-02-30 is not a calendar date (February 2024 has 29 days)"),
        ("2026-13-01", "2026-13-01 is not a calendar date (months are 01 to 12)"),
        ("2026-01-00", "2026-01-00 is not a calendar date (January 2026 has 31 days)"),
        ("1969-12-31", "1969-12-31 is not a bizdate: they lie between 1970-01-01 and 2199-12-31"),
        ("2200-01-01", "2200-01-01 is not a bizdate: they lie between 1970-01-01 and 2199-12-31"),
        ("0000-01-01", "0000-01-01 is not a bizdate: they lie between 1970-01-01 and 2199-12-31"),
        ("20260101", '"20260101" is not a bizdate'),
        ("2026-1-1", '"2026-1-1" is not a bizdate'),
        (" 2026-01-01", '" 2026-01-01" is not a bizdate'),
        ("2026-01-01\n", '"2026-01-01\\n" is not a bizdate'),
        ("２０２６-01-01", '"２０２６-01-01" is not a bizdate'),
        ("", '"" is not a bizdate'),
        ("2026-01-01...2026-01-02", '".2026-01-02" is not a bizdate'),
        ("2026-01-01..", '"" is not a bizdate'),
        ("2026-01-05..2026-01-01", "the range 2026-01-05..2026-01-01 runs backwards"),
    ],
)
def test_a_wrong_bizdate_is_told_apart(text: str, why: str) -> None:
    """POL-1, POL-13: one form, real dates, within bounds, the earlier one first."""
    with pytest.raises(BizdateError) as caught:
        parse_range(text)
    assert caught.value.message.startswith(why)
    assert caught.value.hint


@given(DATES, DATES)
def test_ranges_are_inclusive(first: date, last: date) -> None:
    """POL-1."""
    first, last = sorted((first, last))
    parsed = parse_range(f"{first}..{last}")
    assert (parsed.first, parsed.last, len(parsed)) == (first, last, (last - first).days + 1)
    assert parse_bizdate(first.isoformat()) == first


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), min_size=1, max_size=8))
def test_ranges_merge_into_the_same_dates(spans: list[tuple[int, int]]) -> None:
    """POL-1: overlaps count once, gaps stay."""
    start = date(2024, 2, 20)
    ranges = [DateRange(start + timedelta(a), start + timedelta(a + length)) for a, length in spans]
    expected = sorted({start + timedelta(a + i) for a, length in spans for i in range(length + 1)})
    policy = Policy(tuple(ranges))
    assert list(policy.bizdates) == expected
    assert policy.date_count == len(expected)
    gaps = sum(1 for a, b in pairwise(expected) if b - a > timedelta(1))
    assert len(merge_ranges(ranges)) == gaps + 1


def test_too_many_bizdates_are_counted() -> None:
    """POL-1: the whole calendar is refused without listing it."""
    policy = Policy((parse_range("1970-01-01..2199-12-31"),))
    with pytest.raises(TooManyBizdatesError, match=r"84,006 bizdates are more than the 3,660"):
        policy.check_size(3_660)
    Policy((parse_range("2020-01-01..2021-01-01"),)).check_size(367)


def test_time_range() -> None:
    """POL-3: closed at both ends, minute resolution, within one day."""
    assert parse_time_range("00:00-23:59") == (0, 1439)
    assert parse_time_range("06:30-06:30") == (390, 390)
    hourly = [h * 60 for h in range(24)]
    first, last = slots_within(hourly, parse_time_range("00:00-01:00"))
    assert hourly[first:last] == [0, 60]
    first, last = slots_within(hourly, parse_time_range("00:01-00:59"))
    assert hourly[first:last] == []


@pytest.mark.parametrize(
    "text",
    [
        "24:00-23:00",
        "00:00-24:00",
        "12:60-13:00",
        "6:00-7:00",
        "06:00",
        "06:00-07:00 ",
        "",
        "06-07",
        "٠٦:00-07:00",
    ],
)
def test_times_of_day_have_one_form(text: str) -> None:
    """POL-3, POL-11."""
    with pytest.raises(ClockRangeError):
        parse_time_range(text)
    with pytest.raises(ClockRangeError):
        parse_window(text, "UTC")


def test_a_backward_time_range_is_refused_by_name() -> None:
    """POL-3."""
    with pytest.raises(ClockRangeError, match=r"20:00-06:00 runs backwards: 06:00 comes before 20:00"):
        parse_time_range("20:00-06:00")


def test_three_dates_in_two_groups() -> None:
    """POL-4: earlier groups are larger, and blocks are contiguous."""
    assert deal(days("11..13"), 2, Order.ASCENDING) == (days("11..12"), days("13"))


def test_fewer_dates_than_groups() -> None:
    """POL-4: one date a group."""
    assert deal(days("11..13"), 4, Order.ASCENDING) == (days("11"), days("12"), days("13"))


def test_descending_order_applies_before_dealing() -> None:
    """POL-5."""
    assert deal(days("11..13"), 2, Order.DESCENDING) == (days("13,12"), days("11"))


@given(st.lists(DATES, unique=True, max_size=60).map(sorted), st.integers(1, 10), st.sampled_from(Order))
def test_dealing_is_even_and_complete(dates: list[date], groups: int, order: Order) -> None:
    """POL-4, POL-5."""
    dealt = deal(dates, groups, order)
    assert [d for group in dealt for d in group] == sorted(dates, reverse=order is Order.DESCENDING)
    sizes = [len(group) for group in dealt]
    assert sizes == sorted(sizes, reverse=True)
    assert len(dealt) == min(groups, len(dates))
    assert not sizes or max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("groups", [0, 11, -1])
def test_one_to_ten_groups(groups: int) -> None:
    """POL-4."""
    for attempt in (
        lambda: deal(days("1..3"), groups, Order.ASCENDING),
        lambda: Policy((parse_range("2026-01-01"),), groups=groups),
        lambda: GROUPS.parse(str(groups)),
    ):
        with pytest.raises(GroupCountError):
            attempt()
    assert GROUPS.parse("10") == 10


@pytest.mark.parametrize(("priority", "older"), [(8, 3), (7, 3), (5, 2), (3, 2), (1, 1)])
def test_older_data_have_lower_priority(priority: int, older: int) -> None:
    """POL-12: yesterday's and later keep theirs."""
    today = date(2024, 3, 12)
    assert priority_by_age(priority, date(2024, 3, 10), today) == older
    assert priority_by_age(priority, date(1999, 1, 1), today) == older
    for bizdate in (date(2024, 3, 11), today, date(2024, 3, 17)):
        assert priority_by_age(priority, bizdate, today) == priority


def test_words_and_overrides_from_text() -> None:
    """PAR-5, POL-5."""
    assert parse_word(Order, "desc") is Order.DESCENDING
    with pytest.raises(Exception, match=r'"dsc" is none of asc, desc; did you mean "desc"\?'):
        parse_word(Order, "dsc")
    assert parse_override("ops.daily.day=${yyyymmdd}=x") == ("ops.daily", "day", "${yyyymmdd}=x")
    for text in ("day=1", "ops.daily.day", "=1", ".day=1", "ops.daily.=1"):
        with pytest.raises(OverrideError):
            parse_override(text)


def test_a_policy_survives_storage() -> None:
    """SEL-9: what is stored is what was asked for; `window` is null where there is none."""
    full = Policy(
        (parse_range("2026-01-05..2026-01-09"), parse_range("2026-01-01")),
        (60, 120),
        3,
        Order.DESCENDING,
        Barrier.TASK,
        AcrossGroups.IGNORE,
        True,
        parse_window("22:00-06:30", "America/New_York", weekends=True),
        "night",
        Alert(AlertTrigger.FAILURE, AlertMethod.TEXT_MESSAGE),
        True,
        {"ops.daily": {"day": "$bizdate"}},
        8,
        Regrouped(2, (((0, 2),), ((3, 5), (7, 7)))),
    )
    for policy in (full, Policy((parse_range("2026-01-01"),))):
        assert options.from_json(json.loads(json.dumps(options.to_json(policy)))) == policy
    assert '"window": null' in json.dumps(options.to_json(Policy((parse_range("2026-01-01"),))))


def test_priorities_are_those_of_baselines() -> None:
    """BF-3, POL-12."""
    assert [PRIORITY.parse(text) for text in ("1", "3", "5", "7", "8")] == [1, 3, 5, 7, 8]
    for text in ("0", "2", "9", "07", "", "x"):
        with pytest.raises(PriorityError, match="1, 3, 5, 7 and 8"):
            PRIORITY.parse(text)
    with pytest.raises(PriorityError):
        Policy((parse_range("2026-01-01"),), priority=4)


# -- windows


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_a_window_is_closed_at_its_start_and_open_at_its_end() -> None:
    """POL-11."""
    window = parse_window("08:00-09:00", "UTC")
    assert [
        window.is_open(at(f"2026-01-05T{t}")) for t in ("07:59:59", "08:00:00", "08:59:59", "09:00:00")
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert window.next_open(at("2026-01-05T09:00")) == at("2026-01-06T08:00")
    assert window.next_close(at("2026-01-05T08:30")) == at("2026-01-05T09:00")
    assert window.next_close(at("2026-01-05T09:30")) == at("2026-01-06T09:00")


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    """POL-11: the weekend's last hours reach into Monday; Friday night's do not count."""
    window = parse_window("22:00-06:00", "UTC", weekends=True)
    assert not window.is_open(at("2026-01-09T23:00"))  # a Friday
    assert not window.is_open(at("2026-01-10T05:00"))  # the Friday's window
    assert window.is_open(at("2026-01-10T23:00"))
    assert window.is_open(at("2026-01-12T05:59"))  # Monday, the Sunday's window
    assert not window.is_open(at("2026-01-12T22:00"))
    assert window.next_open(at("2026-01-12T06:00")) == at("2026-01-17T22:00")


def test_a_window_with_equal_ends_is_refused() -> None:
    """POL-11."""
    with pytest.raises(ClockRangeError, match="08:00-08:00 is empty"):
        parse_window("08:00-08:00", "UTC")


def test_a_window_follows_the_wall_clock_of_the_deployment() -> None:
    """POL-11, TIME-5: opens at 02:30 local time, on the spring night at the end of the gap."""
    window = parse_window("02:30-04:00", "America/New_York")
    assert window.next_open(at("2026-03-07T12:00")) == at("2026-03-08T07:00")  # 03:00, right after the gap
    assert window.next_open(at("2026-01-05T12:00")) == at("2026-01-06T07:30")
    swallowed = parse_window("02:00-02:30", "America/New_York")
    assert swallowed.next_open(at("2026-03-08T00:00", "America/New_York")) == at("2026-03-09T06:00")


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.booleans(),
    st.sampled_from(["UTC", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"]),
    st.sampled_from(["2026-01-05", "2026-03-07", "2026-10-31", "2026-04-03"]),
    st.integers(0, 3 * 1440),
)
@settings(max_examples=examples(60))
def test_windows_against_the_minutes_of_a_week(
    start: int, end: int, weekends: bool, zone: str, day: str, later: int
) -> None:
    """POL-11: the next opening is the first open minute, the next closing the first shut one after it."""
    if start == end:
        return
    window = Window(start, end, zone, weekends)
    now = at(day).astimezone(UTC) + timedelta(minutes=later)
    opens = window.next_open(now)
    assert window.is_open(opens)
    assert opens == now or not window.is_open(opens - timedelta(seconds=1))
    step = timedelta(minutes=29)
    moments = [now + step * i for i in range(int((opens - now) / step) + 1) if now + step * i < opens]
    assert not any(window.is_open(moment) for moment in moments)
    closes = window.next_close(now)
    assert closes > opens
    assert not window.is_open(closes)
    assert window.is_open(closes - timedelta(seconds=1))


@given(st.integers(0, 1439), st.integers(0, 1439), st.booleans(), st.integers(0, 7 * 1440))
@settings(max_examples=examples(200))
def test_windows_without_leaps_of_the_clock(start: int, end: int, weekends: bool, minute: int) -> None:
    """POL-11: against plain arithmetic in UTC."""
    if start == end:
        return
    now = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=minute)
    of_day = now.hour * 60 + now.minute
    owner = now.date()
    if start < end:
        expected = start <= of_day < end
    else:
        expected = of_day >= start or of_day < end
        if of_day < end:
            owner -= timedelta(days=1)
    if weekends and owner.weekday() < 5:
        expected = False
    assert Window(start, end, "UTC", weekends).is_open(now) is expected
