"""The record of operations on one thing and one day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from retrofill.api.dataworks import words
from retrofill.api.dataworks.errors import invalid
from retrofill.domain.time.milliseconds import instant_of

if TYPE_CHECKING:
    from retrofill.api.dataworks.asked import Asked
    from retrofill.services.reading.documents import OperationRow

_SECONDS = 100_000_000_000  # below, a timestamp is in seconds


def logs_of(asked: Asked, operations: Sequence[OperationRow], about: Mapping[str, Any]) -> dict[str, Any]:
    """Lines of one day, oldest first; numbered over all days.

    Args:
        operations: all of them, oldest first.
        about: what each line names.
    """
    zone = ZoneInfo(asked.timezone)
    day = _day(asked.now_ms if asked["Date"] is None else asked["Date"], zone)
    found = [
        {**about, "OperationSeq": number, "User": one["user"], "OperationContent": _content(one),
         "CreateTime": words.ms_text(one["at"])}
        for number, one in enumerate(operations, 1)
        if datetime.fromisoformat(one["at"]).astimezone(zone).date() == day
    ]  # fmt: skip
    return asked.cut("OperationLogs", found)


def _day(timestamp: int, zone: ZoneInfo) -> date:
    try:
        return instant_of(timestamp if timestamp >= _SECONDS else timestamp * 1000).astimezone(zone).date()
    except (OverflowError, ValueError, OSError):
        raise invalid("Date", f"Date is a UNIX timestamp, and {timestamp} is of no day") from None


def _content(row: OperationRow) -> str:
    states = f": {row['from_state']} -> {row['to_state']}" if row["to_state"] else ""
    return f"{row['action']}{states}" + (f" ({row['comment']})" if row["comment"] else "")
