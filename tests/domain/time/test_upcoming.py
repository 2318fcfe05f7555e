"""TIME-1, TIME-2, TIME-4: the next slots of a schedule are those of the dates that match."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from retrofill.domain.time.cron import parse
from retrofill.domain.time.instants import due_at
from retrofill.domain.time.upcoming import upcoming

MIN, MAX = (datetime.fromisoformat(text) for text in ("2011-12-27", "2027-01-01"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "after", "slots"),
    [
        ("30 3 * * *", "2026-11-24T03:29", ["2026-11-24T03:30", "2026-11-25T03:30"]),
        ("30 3 * * *", "2026-11-24T03:30", ["2026-11-25T03:30", "2026-11-26T03:30"]),
        ("0 1 * * MON", "2026-11-24T03:30", ["2026-11-30T01:00", "2026-12-07T01:00"]),
        ("0 1 L * *", "2026-02-01T00:00", ["2026-02-28T01:00", "2026-03-31T01:00"]),
        ("0 0 29 2 *", "2096-03-01T00:00", ["2104-02-29T00:00"]),
        ("0 22-23 * * *", "2026-11-24T22:30", ["2026-11-24T23:00", "2026-11-25T22:00"]),
    ],
)
def test_the_next_slots(cron: str, after: str, slots: list[str]) -> None:
    found = upcoming(parse(cron), "UTC", at(after), 2)
    assert [one.local.isoformat(timespec="minutes") for one in found] == slots
    assert [one.bizdate for one in found] == [date.fromisoformat(s[:10]) - timedelta(days=1) for s in slots]


def test_none_outside_the_validity() -> None:
    """TIME-4: and a task whose period is over has none at all."""
    until = date(2026, 11, 25)
    daily = parse("30 3 * * *")
    assert len(upcoming(daily, "UTC", at("2026-11-24T00:00"), 5, lambda day: day <= until)) == 2
    assert upcoming(daily, "UTC", at("2027-01-01T00:00"), 5, lambda day: day <= until) == []


def test_the_instant_is_of_the_zone() -> None:
    """TIME-5: a slot in the skipped hour is due at the first instant after the gap."""
    (found,) = upcoming(parse("30 2 * * *"), "Europe/Berlin", at("2026-03-28T12:00"), 1)
    assert (found.local.isoformat(), found.at) == ("2026-03-29T02:30:00", at("2026-03-29T01:00"))


@settings(max_examples=examples(50))
@given(
    st.sampled_from(["30 3 * * *", "*/40 * * * *", "15 1,13 * * 1-5", "0 0 31 * *", "5 23 L * *"]),
    st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Pacific/Apia"]),
    st.datetimes(MIN, MAX),
)
def test_as_every_slot_of_every_date(cron: str, zone: str, moment: datetime) -> None:
    """None is left out, and none is of a date that does not match."""
    schedule, after = parse(cron), moment.replace(tzinfo=UTC)
    days = [moment.date() + timedelta(days=n) for n in range(-2, 220)]
    locals_ = [
        datetime.combine(day, time()) + timedelta(minutes=slot)
        for day in days
        if schedule.matches(day)
        for slot in schedule.slots
    ]
    ahead = [(local, due_at(local, zone)) for local in locals_]
    assert upcoming(schedule, zone, after, 3) == [one for one in ahead if one[1] > after][:3]
