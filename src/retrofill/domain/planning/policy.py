"""How a backfill runs: its bizdates, groups, order, window, and what stands in for a task's own settings.

Ranges of bizdates are inclusive, the time range is closed at both ends, a window is closed
at its start and open at its end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from retrofill.domain.errors import InvalidValueError, LimitError
from retrofill.domain.time.bizdates import BizdateError, DateRange, merge_ranges
from retrofill.domain.time.windows import Window
from retrofill.domain.words import many

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
    `notify` is a web address that is told what becomes of it; `webhooks` names the settings of those that are told of
    every backfill (POL-9).
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
    notify: str | None = None
    webhooks: tuple[str, ...] = ()

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
