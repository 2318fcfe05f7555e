"""How many instances a backfill has, by arithmetic alone, before anything is built (POL-13)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.errors import LimitError
from retrofill.domain.planning.policy import Policy, slots_within
from retrofill.domain.time.bizdates import ONE_DAY


class TooManyInstancesError(LimitError):
    """Choose fewer tasks or bizdates, or raise the setting `max_instances`."""

    code = "too_many_instances"


def count_instances(tasks: Collection[Task], policy: Policy) -> list[int]:
    """Instances per task over all bizdates, by arithmetic alone (POL-13)."""
    total = policy.date_count
    counts = []
    for task in tasks:
        first, last = slots_within(task.schedule.slots, policy.time_range)
        dates = total
        if task.valid_from is not None or task.valid_until is not None:
            dates = sum(
                _days_within(r.first + ONE_DAY, r.last + ONE_DAY, task.valid_from, task.valid_until)
                for r in policy.ranges
            )
        counts.append((last - first) * dates)
    return counts


def _days_within(first: date, last: date, valid_from: date | None, valid_until: date | None) -> int:
    start = first if valid_from is None else max(first, valid_from)
    end = last if valid_until is None else min(last, valid_until)
    return max((end - start).days + 1, 0)
