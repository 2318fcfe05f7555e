"""Bizdates as small boxes: a year of one task in weeks, and its last nights in one line. Shape repeats what colour says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

_ONE_DAY = timedelta(days=1)


class Sign(NamedTuple):
    """How a letter of a calendar looks, and what it means.

    Attributes:
        look: the class of its box; empty: none is drawn.
        inset: of the box within its place: left, top, width, height, in a place of 16 x 14.
    """

    look: str
    words: str
    inset: tuple[float, float, float, float]


_WHOLE, _THREAD, _DOT = (0, 0.5, 16, 13), (0, 4.5, 16, 5), (7, 6, 2, 2)
SIGNS: Mapping[str, Sign] = MappingProxyType(
    {
        "s": Sign("ok", "Successful", _THREAD),
        "f": Sign("fail", "Failed", _WHOLE),
        "r": Sign("run", "Running", _WHOLE),
        "w": Sign("wait", "Waiting (for resources)", (0, 2.5, 16, 9)),
        "t": Sign("wait", "Waiting (for scheduled time)", (0, 2.5, 16, 9)),
        "z": Sign("frozen", "Frozen", (0, 2.5, 16, 9)),
        "n": Sign("idle", "Not run", (5, 4.5, 6, 5)),
        "d": Sign("dry", "Dry run, nothing was made", (0, 6, 16, 2)),
        "o": Sign("", "An off day", (0, 0, 0, 0)),
        ".": Sign("dotidle", "Never made", _DOT),
        "?": Sign("soft", "Not known: instances are not kept so long", _WHOLE),
    }
)


class Box(NamedTuple):
    """One bizdate of a year."""

    x: float
    y: float
    width: float
    height: float
    look: str
    bizdate: date
    words: str
    instance: int | None
    backfill: int | None


class Year(NamedTuple):
    """Weeks from left to right, Mondays above.

    Attributes:
        months: name and place of the first week that begins in each.
        marks: below boxes that a backfill has made anew.
    """

    width: int
    boxes: tuple[Box, ...]
    months: tuple[tuple[str, float], ...]
    marks: tuple[tuple[float, float], ...]
    label: str


_LEFT, _TOP, _STEP_X, _STEP_Y = 36, 16, 20.4, 15
_RIGHT = 6


def year_of(
    first: date, cells: str, instances: Sequence[int | None], backfills: Sequence[int | None], label: str
) -> Year:
    """The boxes of a calendar, a letter each."""
    begin = first - timedelta(days=first.weekday())
    boxes, marks = [], []
    for number, letter in enumerate(cells):
        day, sign = first + number * _ONE_DAY, SIGNS[letter]
        week, weekday = divmod((day - begin).days, 7)
        x, y = round(_LEFT + week * _STEP_X, 1), float(_TOP + weekday * _STEP_Y)
        left, top, width, height = sign.inset
        if sign.look:
            boxes.append(
                Box(
                    x + left,
                    y + top,
                    width,
                    height,
                    sign.look,
                    day,
                    sign.words,
                    instances[number],
                    backfills[number],
                )
            )
        if backfills[number] is not None:
            marks.append((x, y + 11.5))
    weeks = (first + (len(cells) - 1) * _ONE_DAY - begin).days // 7 + 1
    return Year(
        round(_LEFT + weeks * _STEP_X + _RIGHT),
        tuple(boxes),
        tuple(_months(begin, weeks)),
        tuple(marks),
        label,
    )


def _months(begin: date, weeks: int) -> Iterator[tuple[str, float]]:
    last = None
    for week in range(weeks):
        monday = begin + timedelta(days=7 * week)
        sunday = monday + timedelta(days=6)
        if (sunday.year, sunday.month) != last and (last is not None or monday.day <= 21):
            yield f"{sunday:%b}", round(_LEFT + week * _STEP_X, 1)
        last = (sunday.year, sunday.month)


class Stretch(NamedTuple):
    """Bizdates one after the other of which the same is so."""

    first: date
    last: date
    letter: str
    instance: int | None  # of a stretch of one day

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def words(self) -> str:
        return SIGNS[self.letter].words


def stretches(first: date, cells: str, instances: Sequence[int | None]) -> list[Stretch]:
    """The same as in the boxes, newest first; what failed stands day by day."""
    found: list[Stretch] = []
    keys = [(letter, number if letter in "fr" else -1) for number, letter in enumerate(cells)]
    place = 0
    for (letter, _), group in groupby(keys):
        length = len(list(group))
        begin, end = first + place * _ONE_DAY, first + (place + length - 1) * _ONE_DAY
        found.append(Stretch(begin, end, letter, instances[place] if length == 1 else None))
        place += length
    return found[::-1]


class Bit(NamedTuple):
    """Part of a line of nights."""

    look: str
    x: float
    y: float
    width: float
    height: float


NIGHTS_WIDTH, NIGHTS_HEIGHT = 180, 12
_HEIGHTS = {"ok": (4.5, 3), "dry": (5.5, 1), "fail": (0.5, 11), "dotidle": (5.5, 1), "idle": (5, 2)}


def nights_line(cells: str) -> list[Bit]:
    """The nights of a task in a line of 180 x 12, equal neighbours as one; the newest at the right."""
    step = NIGHTS_WIDTH / max(len(cells), 1)
    found, place = [], 0
    for letter, group in groupby(cells):
        length = len(list(group))
        look = SIGNS[letter].look
        if look and letter != ".":
            y, height = _HEIGHTS.get(look, (2, 8))
            found.append(Bit(look, round(place * step, 1), y, round(max(length * step - 1, 1), 1), height))
        place += length
    return found


def nights_words(cells: str) -> str:
    """What the line says to who does not see it."""
    made = [letter for letter in cells if letter not in ".o"]
    if not made:
        return "no nights"
    parts = [f"{made.count(letter)} {SIGNS[letter].words.lower()}" for letter in "frwztnd" if letter in made]
    noun = "night" if len(made) == 1 else "nights"
    return f"{len(made)} {noun}: {', '.join(parts) if parts else 'none failed'}"


def ranges_of(days: Sequence[str]) -> list[str]:
    """Bizdates as as few ranges as possible, `2026-01-05..2026-01-07`."""
    found: list[tuple[date, date]] = []
    for day in map(date.fromisoformat, days):
        if found and found[-1][1] + _ONE_DAY == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return [str(a) if a == b else f"{a}..{b}" for a, b in found]
