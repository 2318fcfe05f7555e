"""Which instances of a backfill failed first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import FAILED_BY_THEMSELVES

if TYPE_CHECKING:
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord

_MOST_DATES = 50  # with failures; the counters tell which these are


def first_failed(
    reader: Reader,
    record: BackfillRecord,
    dates: Sequence[DateRecord],
    most: int,
    sees: Callable[[InstanceRecord], bool],
) -> list[InstanceRecord]:
    """Instances that are Failed for a reason of their own, the first ones in time; only dates with any are read.

    Args:
        sees: whether the actor may see an instance.
    """
    found: list[InstanceRecord] = []
    for date in [date for date in dates if date.failed][:_MOST_DATES]:
        first = record.first_instance_id + date.position * record.stride
        last = first + record.stride - 1
        found += filter(sees, reader.instance_range(first, last, FAILED_BY_THEMSELVES))
    found.sort(key=lambda row: (row.ended_ms or 0, row.id))
    return found[:most]
