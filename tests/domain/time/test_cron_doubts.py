"""Schedules whose two day fields do together what one would not expect (TIME-2)."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from retrofill.domain.time.cron import parse
from retrofill.domain.time.cron_doubts import doubt_of

YEAR = [date(2026, 1, 1) + timedelta(days=i) for i in range(365)]


def number(text: str) -> int:
    schedule = parse(text)
    return sum(schedule.matches(day) for day in YEAR)


@pytest.mark.parametrize(
    ("text", "said", "instead"),
    [
        ("0 0 */2 * MON", "both day fields must match", "0 0 1-31/2 * MON"),
        ("0 0 15 * */2", "both day fields must match", "0 0 15 * 0-6/2"),
        ("0 0 */5,3 * MON-FRI", "both day fields must match", "0 0 1-31/5,3 * MON-FRI"),
    ],
)
def test_both_must_match(text: str, said: str, instead: str) -> None:
    """TIME-2: the hint's text runs more often."""
    doubt = doubt_of(parse(text))
    assert doubt is not None
    assert said in doubt.message
    assert f'write "{instead}"' in doubt.hint
    assert number(instead) > number(text)


@pytest.mark.parametrize(
    ("text", "said", "old", "new"),
    [
        ("0 9 1-31 * MON", "runs on every date", "1-31", "*"),
        ("0 9 5 * 0-6", "runs on every date", "0-6", "*"),
        ("0 9 1-7 * MON", "the 1st to 7th of every month and on Mondays", "1-7", "*/100,1-7"),
        ("0 9 25-31 * SUN", "the 25th to 31st of every month and on Sundays", "SUN", "*/100,SUN"),
    ],
)
def test_one_is_enough(text: str, said: str, old: str, new: str) -> None:
    """TIME-2: the hint's text runs on fewer dates."""
    doubt = doubt_of(parse(text))
    assert doubt is not None
    assert said in doubt.message
    assert re.search(f'write "{re.escape(new)}" instead of "{old}"$', doubt.hint)
    assert number(text.replace(old, new)) < number(text)


@pytest.mark.parametrize(
    "text",
    [
        "0 2 * * *",
        "0 2 * * MON",
        "0 2 1 * *",
        "0 2 1 * MON",
        "0 2 */100,1-7 * MON",
        "0 2 1-31 * *",
        "@weekly",
        "0 2 */2 * *",
    ],
)
def test_what_is_plain(text: str) -> None:
    """TIME-2: one field, or the way to ask for both."""
    assert doubt_of(parse(text)) is None


def test_the_second_monday_cannot_be_written() -> None:
    """TIME-2: then the hint says what to do instead."""
    doubt = doubt_of(parse("0 9 8-14 * MON"))
    assert doubt is not None
    assert "let the code look at the date" in doubt.hint
