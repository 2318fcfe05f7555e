"""The same task and time on other bizdates: of the backfill, or of the schedule."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from retrofill.domain.running.searches import InstanceSearch
from retrofill.services.instances.outlines import position_of
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import DateState, OverDates
    from retrofill.services.reading.view import View

MOST_DATES = 180
_NIGHTS = timedelta(days=45)  # before and after one's own


def over_dates(view: View, row: InstanceRecord) -> OverDates:
    """The document; at most 180 bizdates around the instance's own."""
    items = _of_backfill(view, row) if row.backfill_id is not None else _of_schedule(view, row)
    items.sort(key=lambda one: one["bizdate"])
    own = next(at for at, one in enumerate(items) if one["id"] == row.id)
    first = max(0, min(own - MOST_DATES // 2, len(items) - MOST_DATES))
    return {"id": row.id, "items": items[first : first + MOST_DATES]}


def _of_backfill(view: View, row: InstanceRecord) -> list[DateState]:
    assert row.backfill_id is not None
    record, reader = view.outlines.record(row.backfill_id), InstanceReader(view)
    first = row.id - position_of(record, row.id) * record.stride
    ids = [first + date.position * record.stride for date in view.reader.dates(record.id)]
    return [
        {"id": one.id, "bizdate": one.bizdate, "state": reader.state(one), "reason": one.reason}
        for one in view.reader.instances(ids)
    ]


def _of_schedule(view: View, row: InstanceRecord) -> list[DateState]:
    from retrofill.services.reading.searching import search_instances

    day = date.fromisoformat(row.bizdate)
    days = f"{max(day - _NIGHTS, date.min + _NIGHTS)}..{day + _NIGHTS}"
    search = InstanceSearch((), (view.task_names[row.task_id],), (days,), (), True)
    slot = row.scheduled_at.isoformat()[10:]
    return [
        {"id": one["id"], "bizdate": one["bizdate"], "state": one["state"], "reason": one["reason"]}
        for one in search_instances(view, search, -1)
        if one["scheduled_at"][10:] == slot
    ]
