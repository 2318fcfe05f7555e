"""How lists and the first page write moments, dates, agendas and nights: pure functions of documents."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from retrofill.services.reading.documents import Coming, NightRow
from retrofill.web.looks import backfill_words
from retrofill.web.pages.nights import look_of, night_strip, words_of
from retrofill.web.pages.upcoming import shown_coming
from retrofill.web.words import number_word, short_moment, since, slot

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 13, 32, tzinfo=UTC)
NO_COUNTS = {
    "not_run": 0, "waiting_time": 0, "waiting_resources": 0, "running": 0, "successful": 0, "failed": 0, "frozen": 0,
}  # fmt: skip


def night(bizdate: str, ended_at: str | None, **counts: int) -> NightRow:
    return {
        "bizdate": bizdate,
        "instance_count": sum(counts.values()),
        "counts": {**NO_COUNTS, **counts},  # type: ignore[typeddict-item]
        "ended_at": ended_at,
    }


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2026-11-24T12:18:00Z", "1h 14m ago"),
        ("2026-11-24T13:31:50Z", "10s ago"),
        ("2026-11-24T14:10:00Z", "in 38m 00s"),
        ("2026-11-24T13:32:00.3Z", "just now"),
    ],
)
def test_how_long_ago(iso: str, words: str) -> None:
    assert since(iso, NOW) == words


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2026-11-24T08:12:00Z", "09:12"),
        ("2026-11-23T23:30:00Z", "00:30"),
        ("2026-11-23T21:00:00Z", "23 Nov 22:00"),
        ("2025-11-23T21:00:00Z", "23 Nov 2025 22:00"),
    ],
)
def test_moments_of_columns_are_of_the_zone_that_their_head_names(iso: str, words: str) -> None:
    assert short_moment(iso, BERLIN, NOW) == words


@pytest.mark.parametrize(
    ("status", "held", "words"),
    [
        ("running", None, "Running"),
        ("running", "paused", "Running, paused"),
        ("running", "stopped", "Running, stopped"),
        ("paused", "paused", "Paused"),
    ],
)
def test_what_is_held_says_so_before_it_stands(status: str, held: str | None, words: str) -> None:
    """BF-5: as the command line does; until what runs has ended, it is still running."""
    assert backfill_words(status, held) == words


def test_small_words() -> None:
    assert [number_word(number) for number in (1, 3, 12, 1_300)] == ["One", "Three", "Twelve", "1,300"]
    assert slot("2026-09-13T02:40:00") == "13 Sep 02:40"


def test_nights_stand_at_the_time_of_their_last_end() -> None:
    """AUTO-1: in the zone that is shown, oldest first, also over midnight; what has none stands at the bottom."""
    strip = night_strip(
        [
            night("2026-11-23", None, not_run=3),
            night("2026-11-22", "2026-11-23T04:41:00Z", successful=360, failed=2),
            night("2026-11-21", "2026-11-22T05:30:00Z", successful=362),
        ],
        BERLIN,
    )
    assert strip is not None
    assert [mark.bizdate for mark in strip.marks] == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert [mark.look for mark in strip.marks] == ["ok", "fail", "idle"]
    first, second, third = strip.marks
    assert first.y < second.y < third.y, "later is higher"
    assert "complete at 06:30" in first.words
    assert "2 failed" in second.words
    assert [mark.is_weekend for mark in strip.marks] == [True, True, False]
    assert next(line.label for line in strip.lines) == "05:00"
    assert night_strip([], BERLIN) is None


@pytest.mark.parametrize(
    ("counts", "look"),
    [
        ({"successful": 5}, "ok"),
        ({"successful": 4, "failed": 1, "running": 1}, "fail"),
        ({"successful": 4, "running": 1}, "run"),
        ({"successful": 4, "waiting_time": 1}, "wait"),
        ({"successful": 4, "frozen": 1, "not_run": 1}, "frozen"),
        ({"not_run": 4}, "idle"),
    ],
)
def test_how_a_night_looks(counts: dict[str, int], look: str) -> None:
    assert look_of(night("2026-11-23", None, **counts)) == look


def test_what_is_said_of_a_night_adds_up() -> None:
    one = night("2026-11-23", "2026-11-24T04:41:00Z", successful=4, failed=1, frozen=2, waiting_time=3)
    assert words_of(one, BERLIN) == "10 instances, 1 failed, 2 frozen, 3 not run"


def coming(kind: str, **more: object) -> Coming:
    found = {
        "at": "2026-11-24T21:00:00Z", "until": None, "kind": kind, "backfill": 40, "name": "attribution",
        "bizdate": None, "left": 922, "held_up": False,
    }  # fmt: skip
    return {**found, **more}  # type: ignore[typeddict-item, return-value]


def test_lines_of_the_agenda() -> None:
    """POL-11, BF-2."""
    window = shown_coming(coming("window", until="2026-11-25T05:00:00Z"), BERLIN, NOW)
    assert (window.clock, window.before, window.after) == ("22:00", "Window of", "opens")
    assert window.beside == "922 instances left, until 06:00"
    assert window.until == "in 7h 28m"
    end = shown_coming(coming("end", held_up=True), BERLIN, NOW)
    assert (end.after, end.beside) == ("done but for what waits for you", "attribution")
    after_midnight = shown_coming(
        coming("night", at="2026-11-24T23:30:00Z", bizdate="2026-11-24"), BERLIN, NOW
    )
    assert after_midnight.is_other_day
    assert after_midnight.after == "24 Nov 2026"
