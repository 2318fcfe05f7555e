"""What has changed: since a revision of the store, of what somebody looks at.

What changes by time alone is no change of the store and is not told: a window that opens or closes (what waits
outside it is shown as Not run), and a start that comes due. Who shows it looks again at that time.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class BackfillChanges(TypedDict):
    """What has changed of one backfill."""

    revision: str  #: up to which this is told; the next question is asked since then
    missed: bool  #: what has changed cannot be told any more: everything is to be looked at anew
    changed: bool  #: whether anything has: its row, counts, dates, record, or instances
    instances: (
        list[int] | None
    )  #: ids of instances that have changed; null where any of them may have. A window that opens or closes by itself is not told


class ListChanges(TypedDict):
    """Which backfills have changed, have come or have gone, and whether the schedule has changed."""

    revision: str  #: up to which this is told; the next question is asked since then
    missed: bool  #: what has changed cannot be told any more: the list is to be looked at anew
    backfills: list[int]  #: their ids
    schedule: bool  #: whether auto triggered instances have changed, or the schedule


class LogEvent(TypedDict):
    """A piece of a log that is followed."""

    run_number: int
    offset: int  #: in bytes
    missing: int  #: bytes before it that were cut out
    text: str  #: what is no UTF-8 is replaced
    base64: NotRequired[str]  #: the bytes, where the text is not all of them
