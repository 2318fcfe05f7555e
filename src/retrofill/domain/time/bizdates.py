"""Bizdates and ranges of them, both ends included, and how people write them (POL-1, POL-13)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from retrofill.domain.errors import InvalidValueError, shown

ONE_DAY = timedelta(days=1)
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)


class BizdateError(InvalidValueError):
    """Write a bizdate as YYYY-MM-DD, or several as YYYY-MM-DD..YYYY-MM-DD, the earlier one first."""

    code = "bad_bizdate"


@dataclass(frozen=True, slots=True, order=True)
class DateRange:
    """Bizdates from first to last, both included (POL-1)."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BizdateError(
                f"the range {self.first}..{self.last} runs backwards: {self.last} lies before {self.first}",
                f"Write {self.last}..{self.first}.",
            )
        if self.first < EARLIEST or self.last > LATEST:
            outside = self.first if self.first < EARLIEST else self.last
            raise BizdateError(f"{outside} is not a bizdate: they lie between {EARLIEST} and {LATEST}")

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"


def merge_ranges(ranges: Iterable[DateRange]) -> tuple[DateRange, ...]:
    """The same dates in as few ranges as possible, ascending (POL-1)."""
    merged: list[DateRange] = []
    for r in sorted(ranges):
        if merged and r.first <= merged[-1].last + ONE_DAY:
            merged[-1] = DateRange(merged[-1].first, max(merged[-1].last, r.last))
        else:
            merged.append(r)
    return tuple(merged)


_WITH_RELATIVE = (
    "Write YYYY-MM-DD, today, yesterday or -7d (seven days ago), or several as -7d..yesterday, the earlier "
    "one first."
)


def parse_bizdate(text: str, today: date | None = None) -> date:
    """A bizdate from YYYY-MM-DD, or with a `today` also `today`, `yesterday`, `-7d` (POL-1, POL-13).

    Raises:
        BizdateError: another form, no calendar date, or outside 1970-01-01..2199-12-31.
    """
    if today is not None and (relative := _relative(text, today)) is not None:
        return relative
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    if match is None:
        raise BizdateError(f'"{shown(text)}" is not a bizdate', None if today is None else _WITH_RELATIVE)
    year, month, day = (int(part) for part in match.groups())
    if not 1 <= month <= 12:
        raise BizdateError(f"{text} is not a calendar date (months are 01 to 12)")
    length = calendar.monthrange(max(year, 1), month)[1]
    if not 1 <= day <= length:
        name = f"{calendar.month_name[month]} {year}"
        raise BizdateError(f"{text} is not a calendar date ({name} has {length} days)")
    if not EARLIEST.year <= year <= LATEST.year:
        raise BizdateError(f"{text} is not a bizdate: they lie between {EARLIEST} and {LATEST}")
    return date(year, month, day)


def _relative(text: str, today: date) -> date | None:
    """A date that is named by how far it is from today."""
    days = {"today": 0, "yesterday": 1}.get(text)
    if days is None:
        match = re.fullmatch(r"-([0-9]{1,5})d", text)
        if match is None:
            return None
        days = int(match[1])
    found = today - timedelta(days=min(days, (today - EARLIEST).days + 1))
    if found < EARLIEST:
        raise BizdateError(f"{text} is not a bizdate: they lie between {EARLIEST} and {LATEST}")
    return found


def parse_range(text: str, today: date | None = None) -> DateRange:
    """Bizdates from `D` or `D..D` (POL-1).

    Args:
        today: the date from which relative ones count; None where none are accepted.

    Raises:
        BizdateError: a date is wrong, or the range runs backwards.
    """
    first, dots, last = text.partition("..")
    start = parse_bizdate(first, today)
    return DateRange(start, parse_bizdate(last, today) if dots else start)
