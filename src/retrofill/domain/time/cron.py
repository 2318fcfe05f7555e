"""Cron text to the slots of a date, the dates it matches, and the cycle (TIME-1, TIME-2, TIME-6).

A slot is minutes after midnight, wall clock. Two words are kept apart, as in Vixie's cron: the
cycle asks whether a field *leaves out* a value, as `*/2` does; a date asks how it is written, and
there a field that begins with `*` restricts nothing, `*/2` neither, and `1-31` does.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache

from retrofill.domain.errors import UsageError, did_you_mean, shown
from retrofill.domain.time.foreign_crons import advice_on


class Cycle(StrEnum):
    """How often a task has a slot that really runs (TIME-1)."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class CronError(UsageError):
    """Write five fields: minute hour day-of-month month day-of-week, for example "30 2 * * MON-FRI"."""

    code = "bad_cron"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule; `text` is as the user wrote it, without spaces around it.

    `slots` are minutes after midnight, ascending, distinct, the same on every date.
    `weekdays` counts like `date.weekday()`, Monday is 0. `has_last_day` is `L`.
    """

    text: str
    cycle: Cycle
    slots: tuple[int, ...]
    months: frozenset[int] = field(repr=False)
    days: frozenset[int] = field(repr=False)
    has_last_day: bool = field(repr=False)
    weekdays: frozenset[int] = field(repr=False)
    is_either: bool = field(repr=False)  # neither day field begins with `*`: one of the two is enough

    def matches(self, day: date) -> bool:
        """Whether the instances of this date of T really run; else they are off-day dry runs (TIME-2)."""
        if day.month not in self.months:
            return False
        is_weekday = day.weekday() in self.weekdays
        if is_weekday is self.is_either:  # the day of the week has decided alone
            return is_weekday
        number = day.day
        return number in self.days or (
            self.has_last_day and number >= 28 and number == calendar.monthrange(day.year, day.month)[1]
        )

    def words(self) -> str:
        """For people: "every day at 02:00", "every hour at :05", "Mondays at 03:30"."""
        return _in_words(self)

    def days_in_words(self) -> str:
        """The dates that match, for people; empty for every day."""
        return _days_in_words(self)


@lru_cache(maxsize=8192)
def parse(text: str) -> Schedule:
    """Read five fields, or one of `@hourly @daily @weekly @monthly @yearly` (TIME-1).

    Raises:
        CronError: naming the field, the part that is wrong and what to write instead (TIME-6).
    """
    text = text.strip()
    words = _expanded(text).split()
    if len(words) != len(_FIELDS) or text[0] in "\"'`cC":
        raise _wrong_number_of_fields(text, len(words))
    minutes, hours, days, months, weekdays = (_values(i, words[i].upper()) for i in range(len(_FIELDS)))
    has_last_day = _LAST in days
    days -= {_LAST}
    weekdays = frozenset((number + 6) % 7 for number in weekdays)  # cron's Sunday is 0 or 7, Python's is 6
    is_either = not (words[_DAY].startswith("*") or words[_WEEKDAY].startswith("*"))
    if not is_either and not has_last_day:
        _refuse_impossible_dates(days, months, words)
    slots = tuple(hour * 60 + minute for hour in sorted(hours) for minute in sorted(minutes))
    if len(minutes) > 1:
        cycle = Cycle.MINUTE
    elif len(hours) > 1:
        cycle = Cycle.HOUR
    elif len(months) < 12:
        cycle = Cycle.YEAR
    elif len(days) < 31:
        cycle = Cycle.MONTH
    else:
        cycle = Cycle.WEEK if len(weekdays) < 7 else Cycle.DAY
    return Schedule(text, cycle, slots, months, days, has_last_day, weekdays, is_either)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()  # of the values from `first` on


_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTH_NAMES),
    _Field("day-of-week", 0, 7, _WEEKDAY_NAMES),
)
_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY = range(5)
_LAST = 32  # `L` among the days of a month, while parsing
_LONGEST_MONTH = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ALL_WEEKDAYS = frozenset(range(7))
_SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_OTHER_SHORTHANDS = {
    "@midnight": "@daily",
    "@annually": "@yearly",
    "@quarterly": "0 0 1 */3 *",
    "@minutely": "* * * * *",
    "@every_minute": "* * * * *",
}
_PART = re.compile(
    r"(?:(?P<all>\*)|(?P<first>[0-9]+|[A-Z]+)(?:-(?P<last>[0-9]+|[A-Z]+))?)(?:/(?P<step>[0-9]+))?"
)


_LONG_NAME = re.compile("[A-Z]{4,}")


def _expanded(text: str) -> str:
    if not text.startswith("@"):
        return text
    word = text.lower()
    if word in _SHORTHANDS:
        return _SHORTHANDS[word]
    known = ", ".join(_SHORTHANDS)
    other = _OTHER_SHORTHANDS.get(word)
    offer = f'; write "{other}"' if other else advice_on(text, _is_valid) or did_you_mean(word, _SHORTHANDS)
    raise CronError(f'the schedule "{_cut(text)}" is none of {known}{offer}')


def _wrong_number_of_fields(text: str, number: int) -> CronError:
    names = ", ".join(f.name for f in _FIELDS)
    has = (
        "must have"
        if number == len(_FIELDS)
        else f"has {number} field{'' if number == 1 else 's'} and must have"
    )
    advice = shown(advice_on(text, _is_valid))
    return CronError(f'the schedule "{_cut(text)}" {has} 5: {names}{advice}')


def _is_valid(text: str) -> bool:
    try:
        parse(text)
    except CronError:
        return False
    return True


@lru_cache(maxsize=8192)
def _values(index: int, text: str) -> frozenset[int]:
    """The values of one field, in upper case; `L` is `_LAST`, Sunday 0 or 7."""
    values: set[int] = set()
    for part in text.split(","):
        if part == "L" and index == _DAY:
            values.add(_LAST)
        else:
            values.update(_part(index, part))
    return frozenset(values)


def _part(index: int, part: str) -> range:
    """The values of one part of a list."""
    own = _FIELDS[index]
    match = _PART.fullmatch(part)
    if match is None:
        raise _malformed(index, part)
    step = 1
    if match["step"] is not None:
        step = int(match["step"][:9])
        if step == 0:
            raise _refusal(index, part, "has a step of 0; a step is 1 or more")
    if match["all"]:
        last = 6 if index == _WEEKDAY else own.last
        return range(own.first, last + 1, step)
    first = _number(index, part, match["first"])
    if match["last"] is None:
        if match["step"] is not None:
            written = f"{match['first']}-{_end(index, match['first'])}/{match['step']}"
            raise _refusal(index, part, f'has a step without a range; write "{written}"')
        return range(first, first + 1)
    last = _number(index, part, match["last"])
    if match["last"] == "SUN" and first > 0:
        last = 7  # a week may end on Sunday: FRI-SUN is 5-7
    if last < first:
        raise _refusal(
            index, part, f"runs backwards; write {_forwards(index, match['first'], match['last'])}"
        )
    return range(first, last + 1, step)


def _number(index: int, part: str, word: str) -> int:
    """One value, by number or three-letter name."""
    own = _FIELDS[index]
    if word[0].isdigit():
        number = int(word[:9])
        if not own.first <= number <= own.last:
            midnight = "; midnight is 0" if index == _HOUR and number == 24 else ""
            raise _refusal(index, part, f"lies outside {own.first}-{own.last}{midnight}")
        return number
    if word in own.names:
        return own.names.index(word) + own.first
    raise _malformed(index, part)


def _end(index: int, first: str) -> str:
    """The last value of a field, by name where the range begins with a name."""
    own = _FIELDS[index]
    if first in own.names:
        return own.names[-1]
    return "6" if index == _WEEKDAY and first != "7" else str(own.last)


def _forwards(index: int, first: str, last: str) -> str:
    """How to write a range that runs backwards: round the end of the field, as a list of two."""
    own = _FIELDS[index]
    end = _end(index, first)
    start = own.names[0] if last in own.names else str(own.first)
    before = first if first == end else f"{first}-{end}"
    after = last if last == start else f"{start}-{last}"
    return f'"{before},{after}"'


def _malformed(index: int, part: str) -> CronError:
    """The refusal of a part that is no value, range or step; names what other crons know (TIME-6)."""
    own = _FIELDS[index]
    dates = 'write the dates as numbers, or "L" for the last day of the month'
    if not part:
        return _refusal(index, part, "is empty; write a value between the commas")
    if part == "?":
        return _refusal(index, part, 'is not known here; write "*"')
    if "#" in part:
        return _refusal(index, part, f"(the n-th weekday of a month) is not known here; {dates}")
    if re.fullmatch("L-[0-9]+", part):
        return _refusal(index, part, f"(days before the last) is not known here; {dates}")
    if re.fullmatch("([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L", part) and index == _WEEKDAY:
        return _refusal(index, part, f"(the last such weekday of a month) is not known here; {dates}")
    if re.fullmatch(r"H(\([0-9]+-[0-9]+\))?(/[0-9]+)?", part):
        step = part.partition("/")[2]
        instead = f'"*/{step}"' if step else f'a number, such as "{own.first + 7}"'
        return _refusal(index, part, f"(a value that is chosen for you) is not known here; write {instead}")
    if re.fullmatch("[0-9]*W|LW|WL", part):
        return _refusal(index, part, f"(the nearest working day) is not known here; {dates}")
    if "L" in part and not re.search("[A-KM-Z]", part):
        if index == _DAY:
            return _refusal(index, part, 'is not known here; write "L" alone or in a list')
        return _refusal(
            index, part, 'is not known here; "L" is the last day of the month, in the third field'
        )
    if re.search("[A-Z]", part):
        words = re.findall("[A-Z]+", part)
        unknown = next((word for word in words if word not in own.names), words[0])
        near = did_you_mean(unknown, own.names) if len(unknown) == 3 or unknown[:3] not in own.names else ""
        if own.names and unknown[:3] in own.names and unknown not in own.names:
            near = f'; write "{_LONG_NAME.sub(lambda name: name[0][:3], part)}"'
        known = f"names are {own.names[0]} to {own.names[-1]}" if own.names else "this field has no names"
        return _refusal(index, part, f"is not a value: {known}{near}")
    example = "0-59/15" if index == _MINUTE else f"{own.first}-{min(own.last, own.first + 4)}"
    return _refusal(index, part, f'is neither a value, a range such as "{example}" nor a step such as "*/2"')


def _refusal(index: int, part: str, why: str) -> CronError:
    return CronError(f'in the {_FIELDS[index].name} field of the schedule, "{_cut(part)}" {why}')


def _refuse_impossible_dates(days: frozenset[int], months: frozenset[int], words: Sequence[str]) -> None:
    longest = max(_LONGEST_MONTH[month] for month in months)
    if min(days) > longest:
        raise CronError(
            f'the schedule never runs: no month of "{_cut(words[_MONTH])}" has a day "{_cut(words[_DAY])}"; '
            f'write a day up to {longest}, or "L" for the last day of the month'
        )


def _cut(text: str) -> str:
    safe = shown(text)
    return safe if len(safe) <= 40 else f"{safe[:39]}…"


@lru_cache(maxsize=8192)
def _in_words(schedule: Schedule) -> str:
    times, days = _times_in_words(schedule.slots), _days_in_words(schedule)
    if times.startswith("at "):
        return f"{days or 'every day'} {times}"
    has_on = schedule.weekdays != _ALL_WEEKDAYS and not schedule.is_either
    return f"{times} {'on ' if has_on else ''}{days}".rstrip()


def _times_in_words(slots: Sequence[int]) -> str:
    """The times of a day; starts with "at" where they are listed."""
    minutes = sorted({slot % 60 for slot in slots})
    hours = sorted({slot // 60 for slot in slots})
    if len(slots) <= 2 or (len(slots) <= 6 and _even_step(hours, 24) is None):
        return f"at {_joined([_clock(slot) for slot in slots])}"
    from_to = "" if len(hours) == 24 else f" from {_clock(slots[0])} to {_clock(slots[-1])}"
    are_neighbours = hours == list(range(hours[0], hours[-1] + 1))
    every = _even_step(minutes, 60)
    if every == 1 and are_neighbours:
        return f"every minute{from_to}"
    if every is not None and minutes[0] == 0 and len(minutes) > 1 and are_neighbours:
        return f"every {every} minutes{from_to}"
    if are_neighbours and len(minutes) <= 6:
        return f"every hour at {_joined([f':{minute:02}' for minute in minutes])}{from_to}"
    step = hours[1] - hours[0] if len(hours) > 2 else 0
    if len(minutes) == 1 and hours == list(range(hours[0], hours[-1] + 1, step or 1)):
        goes_round = hours[0] == 0 and _even_step(hours, 24) is not None
        return f"every {step} hours at :{minutes[0]:02}{'' if goes_round else from_to}"
    return f"{len(slots)} times a day from {_clock(slots[0])} to {_clock(slots[-1])}"


def _even_step(values: Sequence[int], whole: int) -> int | None:
    """The step between values that go round the clock evenly; None where they do not."""
    if whole % len(values):
        return None
    step = whole // len(values)
    return step if list(values) == list(range(values[0], whole, step)) else None


def _days_in_words(schedule: Schedule) -> str:
    """The days it matches; empty for every day."""
    months = ""
    if len(schedule.months) < 12:
        months = _joined([calendar.month_name[month] for month in sorted(schedule.months)])
    every_day = f"every day in {months}" if months else ""
    has_days, has_weekdays = len(schedule.days) < 31, schedule.weekdays != _ALL_WEEKDAYS
    if schedule.is_either and not (has_days and has_weekdays):
        return every_day
    of_month = f"{_numbers_in_words(schedule)} of {months or 'every month'}" if has_days else ""
    if not has_weekdays:
        return f"on {of_month}" if of_month else every_day
    weekdays = _weekdays_in_words(sorted(schedule.weekdays))
    if schedule.is_either:
        return f"on {of_month} and on {weekdays}{f' in {months}' if months else ''}"
    return f"{weekdays} among {of_month}" if of_month else weekdays + (f" in {months}" if months else "")


def _numbers_in_words(schedule: Schedule) -> str:
    days = sorted(schedule.days)
    numbers = [_ordinal(day) for day in days]
    if len(days) > 3 and days[-1] - days[0] == len(days) - 1:
        numbers = [f"{numbers[0]} to {numbers[-1]}"]
    elif len(days) > 4 and len(set(map(int.__sub__, days[1:], days))) == 1:
        return f"the {', '.join(numbers[:3])} and so on to the {numbers[-1]}{' and last day' if schedule.has_last_day else ''}"
    return f"the {_joined(numbers + (['last day'] if schedule.has_last_day else []))}"


def _weekdays_in_words(weekdays: Sequence[int]) -> str:
    names = [calendar.day_name[weekday] for weekday in weekdays]
    if len(names) > 2 and weekdays[-1] - weekdays[0] == len(names) - 1:
        return f"{names[0]} to {names[-1]}"
    return _joined([f"{name}s" for name in names])


def _ordinal(number: int) -> str:
    ending = "th" if 11 <= number <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _clock(slot: int) -> str:
    return f"{slot // 60:02}:{slot % 60:02}"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
