"""When nights are, and which were missed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.time.nights import due_nights, next_night, night_of

HALF_PAST_ELEVEN = 23 * 60 + 30
EARLY = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def nights(now: str, last: str | None, *, most: int = 7, since: datetime = EARLY) -> list[str]:
    found = due_nights(
        at(now), HALF_PAST_ELEVEN, ["UTC"], since, None if last is None else date.fromisoformat(last), most
    )
    return [str(bizdate) for bizdate in found.made]


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        (["UTC"], "2026-03-05T23:30"),
        (["UTC", "America/New_York"], "2026-03-05T23:30"),
        (["America/New_York"], "2026-03-06T04:30"),
        (["UTC", "Asia/Shanghai"], "2026-03-05T15:30"),
        (["Pacific/Kiritimati", "UTC"], "2026-03-05T09:30"),
    ],
)
def test_the_zone_that_is_first_there_decides(zones: list[str], expected: str) -> None:
    """AUTO-1: at 23:30 in the zone that reaches it first."""
    assert night_of(date(2026, 3, 5), HALF_PAST_ELEVEN, zones) == at(expected)


def test_a_night_in_a_skipped_hour() -> None:
    """AUTO-1, TIME-5: Cairo skips the hour from 00:00 on 24 April 2026; the setting may name any minute."""
    assert night_of(date(2026, 4, 24), 30, ["Africa/Cairo"]) == at("2026-04-23T22:00")


def test_nights_are_due_once() -> None:
    """AUTO-1."""
    assert nights("2026-03-05T23:29:59", "2026-03-04") == []
    assert nights("2026-03-05T23:30", "2026-03-04") == ["2026-03-05"]
    assert nights("2026-03-05T23:31", "2026-03-05") == []


def test_missed_nights_oldest_first_and_seven_at_most() -> None:
    """AUTO-3."""
    assert nights("2026-03-05T12:00", "2026-03-01") == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert nights("2026-03-20T12:00", "2026-03-01") == [f"2026-03-{day}" for day in range(13, 20)]
    assert nights("2026-03-20T12:00", "2026-03-01", most=0) == []
    assert nights("2026-03-20T12:00", "2026-03-01", most=1) == ["2026-03-19"]


def test_nights_too_far_back_are_missed() -> None:
    """AUTO-3: all that are not made."""
    found = due_nights(at("2026-03-20T12:00"), HALF_PAST_ELEVEN, ["UTC"], EARLY, date(2026, 3, 9), 7)
    assert [str(bizdate) for bizdate in found.missed] == ["2026-03-10", "2026-03-11", "2026-03-12"]
    assert str(found.made[0]) == "2026-03-13"


def test_nobody_missed_the_nights_before_the_first_deploy() -> None:
    """AUTO-3: tasks are scheduled from the night after their deploy on."""
    assert nights("2026-03-05T12:00", None, since=at("2026-03-05T11:00")) == []
    assert nights("2026-03-05T12:00", None, since=at("2026-03-04T23:00")) == ["2026-03-04"]
    assert nights("2026-03-05T12:00", None, since=at("2026-03-04T23:30")) == []


@given(
    now=st.integers(0, 730 * 24 * 60).map(lambda minutes: EARLY + timedelta(minutes=minutes - 365 * 1440)),
    minute=st.integers(0, 1439),
    zones=st.lists(
        st.sampled_from(
            ["UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Kiritimati"]
        ),
        min_size=1,
    ),
    back=st.integers(0, 20),
    most=st.integers(0, 9),
)
def test_due_nights_are_those_that_a_search_finds(
    now: datetime, minute: int, zones: list[str], back: int, most: int
) -> None:
    """AUTO-1, AUTO-3: against looking at every bizdate."""
    instant = now
    last = now.date() - timedelta(days=back)
    found = due_nights(instant, minute, zones, EARLY - timedelta(days=900), last, most)
    candidates = [last + timedelta(days=i) for i in range(1, back + 4)]
    due = [bizdate for bizdate in candidates if night_of(bizdate, minute, zones) <= instant]
    assert [*found.missed, *found.made] == due
    assert len(found.made) == min(most, len(due))
    following = next_night(instant, minute, zones)
    assert (
        night_of(following, minute, zones) > instant >= night_of(following - timedelta(days=1), minute, zones)
    )
