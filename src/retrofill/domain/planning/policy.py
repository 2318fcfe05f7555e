"""How a backfill runs: its bizdates, groups, order, window, and what stands in for a task's own settings.

Ranges of bizdates are inclusive, the time range is closed at both ends, a window is closed
at its start and open at its end.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from retrofill.domain.errors import InvalidValueError, LimitError, did_you_mean, shown
from retrofill.domain.time.windows import ClockRangeError, Window, clock, parse_clock_range, parse_window
from retrofill.domain.words import many

EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)
WHOLE_DAY = (0, 24 * 60 - 1)
MOST_GROUPS = 10
PRIORITIES = (1, 3, 5, 7, 8)

T = TypeVar("T")


class Order(StrEnum):
    """In which order bizdates run (POL-5)."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class Barrier(StrEnum):
    """What a group's next bizdate waits for (POL-6)."""

    DATE = "date"
    TASK = "task"


class OnFailure(StrEnum):
    """What becomes of a group's next bizdates when an instance has failed for good (POL-7, POL-14)."""

    STOP = "stop"
    CONTINUE = "continue"


class AcrossGroups(StrEnum):
    """What becomes of a previous-cycle edge between two groups (DEP-13)."""

    WAIT = "wait"
    IGNORE = "ignore"


class AlertTrigger(StrEnum):
    """POL-9."""

    SUCCESS = "success"
    FAILURE = "failure"
    EITHER = "either"


class AlertMethod(StrEnum):
    """POL-9."""

    EMAIL = "email"
    TEXT_MESSAGE = "sms"
    BOTH = "both"


class BizdateError(InvalidValueError):
    """Write a bizdate as YYYY-MM-DD, or several as YYYY-MM-DD..YYYY-MM-DD, the earlier one first."""

    code = "bad_bizdate"


class GroupCountError(InvalidValueError):
    """Choose 1 group to run bizdates one after the other, or 2 to 10 that run beside each other."""

    code = "bad_groups"


class FailurePolicyError(InvalidValueError):
    """{option.on_failure} is stop or continue (with {option.barrier=date}), {option.max_failures} a whole number from 1."""

    code = "bad_failure_policy"


class PriorityError(InvalidValueError):
    """Choose one of the priorities that baselines have: 1, 3, 5, 7 or 8."""

    code = "bad_priority"


class OverrideError(InvalidValueError):
    """Write an override as TASK.PARAMETER=VALUE, for a task and a parameter that the backfill has."""

    code = "bad_override"


class TooManyBizdatesError(LimitError):
    """Choose shorter ranges of bizdates, or raise the setting `max_bizdates`."""

    code = "too_many_bizdates"


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


@dataclass(frozen=True, slots=True)
class Alert:
    """When and how the one who started a backfill is told of it (POL-9)."""

    trigger: AlertTrigger
    method: AlertMethod = AlertMethod.BOTH


@dataclass(frozen=True, slots=True)
class Regrouped:
    """Groups after a change: how many were asked for, and each one's positions as (first, last) in a row."""

    groups: int
    runs: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything about a backfill but its tasks (chapter 6 of the rules).

    `ranges` are ascending and apart from each other: `merge_ranges` makes them so.
    `time_range` is the first and the last minute of the day, both included (POL-3).
    `overrides` maps task names to parameter names to expressions (PAR-5).
    `priority` stands for every task's own, and does not age (POL-12).
    `regrouped` holds the groups as they are since somebody changed them (BF-3); `groups` is what was asked first.
    `max_failures`: when so many instances have failed for good, the backfill pauses by itself (POL-14).
    """

    ranges: tuple[DateRange, ...]
    time_range: tuple[int, int] = WHOLE_DAY
    groups: int = 1
    order: Order = Order.ASCENDING
    barrier: Barrier = Barrier.DATE
    across_groups: AcrossGroups = AcrossGroups.WAIT
    run_future: bool = False
    window: Window | None = None
    resource_group: str | None = None
    alert: Alert | None = None
    allow_risks: bool = False
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    priority: int | None = None
    regrouped: Regrouped | None = None
    on_failure: OnFailure = OnFailure.STOP
    max_failures: int | None = None

    def __post_init__(self) -> None:
        if not self.ranges:
            raise BizdateError("no bizdate is chosen")
        if not 1 <= self.groups <= MOST_GROUPS:
            raise GroupCountError(f"{self.groups} groups: a backfill has 1 to {MOST_GROUPS}")
        if self.priority is not None and self.priority not in PRIORITIES:
            raise PriorityError(f"{self.priority} is no priority: there are 1, 3, 5, 7 and 8")
        if self.max_failures is not None and self.max_failures < 1:
            raise FailurePolicyError(f"{self.max_failures} is no number of failures to pause at")
        if self.on_failure is OnFailure.CONTINUE and self.barrier is Barrier.TASK:
            raise FailurePolicyError(
                "on_failure: continue does not go with barrier: task, whose waits were made for success"
            )
        object.__setattr__(self, "ranges", merge_ranges(self.ranges))

    @property
    def wanted_groups(self) -> int:
        """The number of groups that was asked for last."""
        return self.groups if self.regrouped is None else self.regrouped.groups

    @property
    def date_count(self) -> int:
        """Number of bizdates, without listing them."""
        return sum(len(r) for r in self.ranges)

    @property
    def bizdates(self) -> tuple[date, ...]:
        """All bizdates, ascending."""
        return tuple(r.first + timedelta(days=i) for r in self.ranges for i in range(len(r)))

    def check_size(self, max_bizdates: int) -> None:
        """POL-1: refuse more bizdates than the setting allows.

        Raises:
            TooManyBizdatesError: with the count.
        """
        if self.date_count > max_bizdates:
            raise TooManyBizdatesError(
                f"{many(self.date_count, 'bizdate')} are more than the {max_bizdates:,} that a backfill may have"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values for storage; `from_json` gives an equal policy."""
        window, alert = self.window, self.alert
        return {
            "bizdates": [[r.first.isoformat(), r.last.isoformat()] for r in self.ranges],
            "time_range": list(self.time_range),
            "groups": self.groups,
            "order": self.order.value,
            "barrier": self.barrier.value,
            "across_groups": self.across_groups.value,
            "run_future": self.run_future,
            "window": None
            if window is None
            else {"period": window.text, "timezone": window.timezone, "weekends": window.weekends},
            "resource_group": self.resource_group,
            "priority": self.priority,
            "regrouped": None
            if self.regrouped is None
            else {"groups": self.regrouped.groups, "chains": self.regrouped.runs},
            "alert": None
            if alert is None
            else {"trigger": alert.trigger.value, "method": alert.method.value},
            "allow_risks": self.allow_risks,
            "on_failure": self.on_failure.value,
            "max_failures": self.max_failures,
            "overrides": {task: dict(values) for task, values in self.overrides.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Policy:
        """The policy that `to_json` wrote."""
        window, alert, regrouped = data["window"], data["alert"], data.get("regrouped")
        first, last = data["time_range"]
        return cls(
            ranges=tuple(
                DateRange(date.fromisoformat(first), date.fromisoformat(last))
                for first, last in data["bizdates"]
            ),
            time_range=(int(first), int(last)),
            groups=int(data["groups"]),
            order=Order(data["order"]),
            barrier=Barrier(data["barrier"]),
            across_groups=AcrossGroups(data["across_groups"]),
            run_future=bool(data["run_future"]),
            window=None
            if window is None
            else parse_window(window["period"], window["timezone"], bool(window["weekends"])),
            resource_group=data["resource_group"],
            priority=data.get("priority"),
            regrouped=None
            if regrouped is None
            else Regrouped(
                int(regrouped["groups"]),
                tuple(tuple((int(a), int(b)) for a, b in chain) for chain in regrouped["chains"]),
            ),
            alert=None
            if alert is None
            else Alert(AlertTrigger(alert["trigger"]), AlertMethod(alert["method"])),
            allow_risks=bool(data["allow_risks"]),
            on_failure=OnFailure(data.get("on_failure", OnFailure.STOP)),
            max_failures=data.get("max_failures"),
            overrides={task: dict(values) for task, values in data["overrides"].items()},
        )


def merge_ranges(ranges: Iterable[DateRange]) -> tuple[DateRange, ...]:
    """The same dates in as few ranges as possible, ascending (POL-1)."""
    merged: list[DateRange] = []
    for r in sorted(ranges):
        if merged and r.first <= merged[-1].last + timedelta(days=1):
            merged[-1] = DateRange(merged[-1].first, max(merged[-1].last, r.last))
        else:
            merged.append(r)
    return tuple(merged)


def deal(bizdates: Sequence[date], groups: int, order: Order) -> tuple[tuple[date, ...], ...]:
    """Deal bizdates into contiguous blocks, as even as possible, larger blocks first (POL-4, POL-5).

    Args:
        bizdates: ascending, without repeats.
        groups: 1 for one after the other, else 2 to 10.

    Returns:
        One tuple per group, none empty, dates in running order; fewer groups than asked
        for when there are fewer dates.

    Raises:
        GroupCountError: `groups` is not 1 to 10.
    """
    if not 1 <= groups <= MOST_GROUPS:
        raise GroupCountError(f"{groups} groups: a backfill has 1 to {MOST_GROUPS}")
    return blocks(bizdates if order is Order.ASCENDING else bizdates[::-1], groups)


def blocks(items: Sequence[T], count: int) -> tuple[tuple[T, ...], ...]:
    """Contiguous blocks, as even as possible, larger ones first, none empty; at most `count`."""
    if not items:
        return ()
    count = min(count, len(items))
    size, larger = divmod(len(items), count)
    ends = [size * (i + 1) + min(i + 1, larger) for i in range(count)]
    return tuple(tuple(items[start:end]) for start, end in zip([0, *ends], ends, strict=False))


_AGED = {8: 3, 7: 3, 5: 2, 3: 2}


def priority_by_age(priority: int, bizdate: date, today: date) -> int:
    """The priority of a backfill instance: lower when its data are older than yesterday's (POL-12).

    Args:
        today: in the time zone of the task's workspace.
    """
    if bizdate >= today - timedelta(days=1):
        return priority
    return _AGED.get(priority, priority)


def slots_within(slots: Sequence[int], time_range: tuple[int, int]) -> tuple[int, int]:
    """Which of the ascending slots lie in the time range: first index and the one after the last (POL-3)."""
    first, last = time_range
    return bisect_left(slots, first), bisect_right(slots, last)


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


def parse_time_range(text: str) -> tuple[int, int]:
    """First and last minute of the day from HH:MM-HH:MM, both included (POL-3).

    Raises:
        ClockRangeError: another form, or the end lies before the start.
    """
    first, last = parse_clock_range(text)
    if last < first:
        raise ClockRangeError(
            f"the time range {text} runs backwards: {clock(last)} comes before {clock(first)}",
            "A time range lies within one day, for example 06:00-23:59.",
        )
    return first, last


def parse_groups(text: str) -> int:
    """A number of groups (POL-4).

    Raises:
        GroupCountError: not a whole number from 1 to 10.
    """
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_GROUPS:
        raise GroupCountError(f'"{shown(text)}" is not a number of groups from 1 to {MOST_GROUPS}')
    return int(text)


def parse_max_failures(text: str) -> int:
    """A number of failures at which a backfill pauses by itself (POL-14).

    Raises:
        FailurePolicyError: not a whole number from 1.
    """
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise FailurePolicyError(f'"{shown(text)}" is no number of failures to pause at')
    return int(text)


def parse_priority(text: str) -> int:
    """A priority (POL-12).

    Raises:
        PriorityError: none of those that there are.
    """
    if text not in map(str, PRIORITIES):
        raise PriorityError(f'"{shown(text)}" is no priority: there are 1, 3, 5, 7 and 8')
    return int(text)


def parse_override(text: str) -> tuple[str, str, str]:
    """Task, parameter and expression from TASK.PARAMETER=VALUE (PAR-5); the task is as the user wrote it.

    Raises:
        OverrideError: another form.
    """
    target, equals, value = text.partition("=")
    task, _, parameter = target.rpartition(".")
    if not equals or not task or not parameter:
        raise OverrideError(f'"{shown(text)}" sets no parameter of a task')
    return task, parameter, value


def parse_word(kind: type[StrEnum], text: str) -> Any:
    """One of the words of an enumeration of this module.

    Raises:
        InvalidValueError: naming the words that there are.
    """
    words = [member.value for member in kind]
    if text not in words:
        raise InvalidValueError(
            f'"{shown(text)}" is none of {", ".join(words)}{did_you_mean(text, words)}',
            "Write one of these words.",
        )
    return kind(text)
