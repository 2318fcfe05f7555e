"""Schedules that are right and may mean something else than their writer thought (TIME-2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from retrofill.domain.errors import shown
from retrofill.domain.time.cron import Schedule

_STARRED = re.compile(r"\*(/\d+)?")
_EVERY_VALUE = 31  # a step from which `*/N` stands for the first value alone


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the schedule means, and what to write if something else is meant."""

    message: str
    hint: str


def doubt_of(schedule: Schedule) -> Doubt | None:
    """The day-of-month and the day-of-week field read together, where that is not what one would expect.

    `*/100,1-7 * MON` is how one writes that both must match, so it is not doubted.
    """
    words = schedule.text.split()
    if len(words) != 5:
        return None
    days, weekdays = words[2], words[4]
    leaves_out = len(schedule.days) < 31, len(schedule.weekdays) < 7
    if schedule.is_either:
        return _either(schedule, days, weekdays, *leaves_out)
    if not all(leaves_out) or _is_on_purpose(days) or _is_on_purpose(weekdays):
        return None
    starred = days if days.startswith("*") else weekdays
    written = [_ranges(days, "1-31"), _ranges(weekdays, "0-6")]
    return Doubt(
        f'the schedule "{shown(schedule.text)}" runs on {_days(schedule)}: both day fields must match, '
        f'because "{starred}" begins with "*"',
        f'if one of the two is enough, write "{words[0]} {words[1]} {written[0]} {words[3]} {written[1]}"',
    )


def _either(
    schedule: Schedule, days: str, weekdays: str, leaves_out_days: bool, leaves_out_weekdays: bool
) -> Doubt | None:
    """Both fields are restricted, and one of the two is enough."""
    said = f'the schedule "{shown(schedule.text)}" runs on'
    if not (leaves_out_days and leaves_out_weekdays):
        whole, other = (days, "day of the week") if not leaves_out_days else (weekdays, "day of the month")
        if not leaves_out_days and not leaves_out_weekdays:
            return None
        return Doubt(
            f'{said} every date: one of the two day fields is enough, and "{whole}" always matches',
            f'if the {other} should decide, write "*" instead of "{whole}"',
        )
    if not _is_a_week(schedule):
        return None
    if min(schedule.days) == 1:
        hint = f'if both should match, write "*/100,{days}" instead of "{days}"'
    elif 6 in schedule.weekdays:
        hint = f'if both should match, write "*/100,{weekdays}" instead of "{weekdays}"'
    else:
        hint = "if both should match, run on the day of the week and let the code look at the date"
    return Doubt(f"{said} {_days(schedule)}: one of the two day fields is enough", hint)


def _is_a_week(schedule: Schedule) -> bool:
    """Seven days in a row with one day of the week: the first Monday of the month is meant, perhaps."""
    days = sorted(schedule.days)
    return len(days) == 7 and days[-1] - days[0] == 6 and len(schedule.weekdays) == 1


def _days(schedule: Schedule) -> str:
    return schedule.days_in_words().removeprefix("on ")


def _is_on_purpose(text: str) -> bool:
    """Whether a field begins with `*` for nothing else than to be unrestricted."""
    step = re.match(r"\*/(\d+)", text)
    return step is not None and int(step[1][:6]) >= _EVERY_VALUE


def _ranges(text: str, whole: str) -> str:
    """The field without a `*` at its beginning."""
    return ",".join(f"{whole}{part[1:]}" if _STARRED.fullmatch(part) else part for part in text.split(","))
