"""What there is now of a task, bizdate by bizdate, with the chosen ranges around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError
from retrofill.domain.time.bizdates import DateRange, merge_ranges, parse_range
from retrofill.domain.words import many
from retrofill.web.drawing.calendars import SIGNS, Sign

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import TaskCalendar

_WIDTH = 720
_LEAST_DAYS, _MOST_DAYS = 92, 1_100
_AROUND = 14  # days shown on both sides of what is chosen
_MONTH = 64.0  # pixels for a name

_TALLEST, _MIDDLE = 18.0, 14.0  # pixels: the height of what stands out, and where the line of days runs


class Cell(NamedTuple):
    """A bizdate."""

    x: float
    y: float
    width: float
    height: float
    look: str


class Month(NamedTuple):
    """Where a month begins."""

    x: float
    name: str


class Box(NamedTuple):
    """A range that is chosen."""

    x: float
    width: float


@dataclass(frozen=True)
class Strip:
    """Of one task.

    Attributes:
        words: what it shows, counted, for who does not see it.
        missing: how many chosen bizdates failed or are not there; 0 where it is all of them.
    """

    task: str
    width: float
    cells: Sequence[Cell]
    months: Sequence[Month]
    boxes: Sequence[Box]
    words: str
    missing: int


def strip_of(
    center: OperationCenter, task: str, rows: Sequence[tuple[str, str]], today: date
) -> Strip | None:
    """None where there is no such task, as far as one knows."""
    ranges = ranges_of(rows, today)
    first, last = _shown(ranges, today)
    try:
        calendar = center.tasks.calendar(task, last, (last - first).days + 1) if task else None
    except RetrofillError:
        calendar = None
    return None if calendar is None else drawn(calendar, ranges)


def ranges_of(rows: Sequence[tuple[str, str]], today: date) -> tuple[DateRange, ...]:
    """Those that can be read."""
    return merge_ranges(_readable(rows, today))


def _readable(rows: Sequence[tuple[str, str]], today: date) -> Iterator[DateRange]:
    for first, last in rows:
        try:
            yield parse_range(f"{first}..{last}" if first and last else first or last, today)
        except RetrofillError:
            continue


def _shown(ranges: Sequence[DateRange], today: date) -> tuple[date, date]:
    """What is chosen with some days around it, or the time until now."""
    if not ranges:
        return today - timedelta(days=_LEAST_DAYS - 1), today
    around = timedelta(days=_AROUND)
    first = min(ranges[0].first - around, ranges[-1].last + around - timedelta(days=_LEAST_DAYS - 1))
    last = max(ranges[-1].last + around, first + timedelta(days=_LEAST_DAYS - 1))
    return max(first, last - timedelta(days=_MOST_DAYS)), last


def drawn(calendar: TaskCalendar, ranges: Sequence[DateRange]) -> Strip:
    """A calendar as a strip; an off day is left empty, as nothing was made on it."""
    first, cells = date.fromisoformat(calendar["first"]), calendar["cells"]
    step = _WIDTH / max(len(cells), 1)
    inside = [one for one in ranges if one.last >= first]
    boxes = [
        Box(round(max((one.first - first).days, 0) * step, 2), round(len(one) * step, 2)) for one in inside
    ]
    days = [first + timedelta(days=number) for number in range(len(cells))]
    lacking = set(_lacking(calendar, ranges))
    chosen = sum(len(one) for one in ranges)
    return Strip(
        calendar["task"],
        _WIDTH,
        [_cell(sign, number, step) for number, sign in enumerate(map(_sign, cells)) if sign.look],
        [Month(round(number * step, 1), f"{day:%B}") for number, day in _months(days, step)],
        boxes,
        f"{_counted(cells)}; {many(chosen, 'bizdate')} chosen",
        len(lacking) if len(lacking) < chosen else 0,
    )


def _sign(letter: str) -> Sign:
    return SIGNS.get(letter, SIGNS["?"])


def _cell(sign: Sign, number: int, step: float) -> Cell:
    _, _, _, of_fourteen = sign.inset
    height = round(_TALLEST * of_fourteen / 14, 1)
    x, width = round(number * step + step * 0.08, 2), round(step * 0.84, 2)
    return Cell(x, _MIDDLE - height / 2, width, height, sign.look)


def _months(days: Sequence[date], step: float) -> Iterator[tuple[int, date]]:
    """Where a name fits: at the beginning, and on the first of months that leave room."""
    firsts = [number for number, day in enumerate(days) if day.day == 1]
    if days and (not firsts or firsts[0] * step > _MONTH):
        firsts.insert(0, 0)
    named = -_MONTH
    for number in firsts:
        if number * step - named >= _MONTH:
            yield number, days[number]
            named = number * step


def _counted(cells: str) -> str:
    words: dict[str, int] = {}
    for letter in cells:
        word = _sign(letter).words.lower()
        words[word] = words.get(word, 0) + 1
    return ", ".join(f"{count:,} {word}" for word, count in words.items())


def _lacking(calendar: TaskCalendar, ranges: Sequence[DateRange]) -> Iterator[date]:
    """Chosen bizdates on which the task has failed, or has nothing."""
    first = date.fromisoformat(calendar["first"])
    for number, letter in enumerate(calendar["cells"]):
        day = first + timedelta(days=number)
        if letter in "f.?n" and any(one.first <= day <= one.last for one in ranges):
            yield day


def only_missing(
    center: OperationCenter, task: str, rows: Sequence[tuple[str, str]], today: date
) -> tuple[list[tuple[str, str]], str]:
    """The chosen ranges without what has succeeded of a task; and what became of them, in a sentence.

    Raises:
        UnknownNameError: there is no such task, as far as the actor knows.
    """
    ranges = ranges_of(rows, today)
    if not ranges:
        return [*rows], "No bizdates are chosen yet."
    first, last = ranges[0].first, ranges[-1].last
    calendar = center.tasks.calendar(task, last, (last - first).days + 1)
    days = [*_lacking(calendar, ranges)]
    if not days:
        return [*rows], f"{task} has succeeded on all of them; nothing was changed."
    kept = merge_ranges(DateRange(day, day) for day in days)
    said = f"{many(len(days), 'bizdate')} of {sum(map(len, ranges)):,} failed or are missing."
    return [(one.first.isoformat(), one.last.isoformat()) for one in kept], said
