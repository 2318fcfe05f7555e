"""Bizdates of backfills, each as a thing of its own: found, sorted, and in which state each is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.filters import BackfillFilter
from retrofill.domain.running.states import State
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.instances.stored import planned_dates_of, running_tasks_of
from retrofill.services.ports.records import DateRecord

if TYPE_CHECKING:
    from retrofill.domain.running.searches import DateSearch, Numbered
    from retrofill.services.ports.records import BackfillRecord
    from retrofill.services.reading.documents import BackfillDate, NumberedPage
    from retrofill.services.reading.view import View

_PAGE = 200
CHECKING = "checking"


class OneDate(NamedTuple):
    """A bizdate with the backfill that it is of."""

    backfill: BackfillRecord
    date: DateRecord

    @property
    def ids(self) -> tuple[int, int]:
        """The first and the last id that its instances may have."""
        first = self.backfill.first_instance_id + self.date.position * self.backfill.stride
        return first, first + self.backfill.stride - 1


def search_dates(view: View, search: DateSearch, page: Numbered) -> NumberedPage[BackfillDate]:
    """Bizdates that fit, of backfills that the actor may see."""
    reader = DateReader(view)
    found = [one for one in _found(view, search) if not search.states or reader.state(one) in search.states]
    found.sort(key=lambda one: reader.key(one, page.by), reverse=page.is_descending)
    last = None if page.limit < 0 else page.offset + page.limit
    return {"items": [reader.row(one) for one in found[page.offset : last]], "total": len(found)}


def get_date(view: View, backfill_id: int, position: int) -> OneDate:
    """A bizdate of a backfill that the actor may see.

    Raises:
        UnknownNameError: there is no such backfill, as far as the actor knows, or it has fewer dates.
    """
    record = view.access.get_backfill(backfill_id)
    dates = dates_of(view, record)
    if not 0 <= position < len(dates):
        raise unknown_date(backfill_id, position)
    return OneDate(record, dates[position])


def unknown_date(backfill_id: int, position: int) -> UnknownNameError:
    """The answer to a date that there is not."""
    return UnknownNameError(
        f"backfill {backfill_id} has no bizdate number {position + 1}",
        Text("{backfill.list} shows all of them."),
    )


def visible_backfills(view: View, asked: BackfillFilter) -> Iterator[BackfillRecord]:
    """All that fit and that the actor may see, newest first."""
    before: int | None = None
    while page := view.reader.backfills(asked, before, _PAGE):
        yield from filter(view.access.sees_backfill, page)
        before = page[-1].id


def _found(view: View, search: DateSearch) -> Iterator[OneDate]:
    if search.dates:
        given: Iterator[OneDate] = (get_date(view, *one) for one in search.dates)
        yield from (one for one in given if _fits(view, search, one))
        return
    day = search.bizdate
    asked = BackfillFilter(
        created_by=search.creator,
        bizdates=None if day is None else (day, day),
        tasks=() if search.workspace is None else [tasks_of(view, search.workspace)],
    )
    for record in visible_backfills(view, asked):
        dates = (OneDate(record, date) for date in dates_of(view, record))
        yield from (one for one in dates if _fits(view, search, one))


def tasks_of(view: View, workspace: str) -> list[str]:
    """Full names of all tasks that a workspace has or had."""
    return [name for name in view.task_ids if name.partition(".")[0] == workspace]


def _fits(view: View, search: DateSearch, one: OneDate) -> bool:
    record, name = one.backfill, view.access.shown_name(one.backfill)
    return (
        (search.bizdate is None or one.date.bizdate == search.bizdate)
        and (search.creator is None or record.created_by == search.creator)
        and (search.name is None or search.name.lower() in name.lower())
        and (
            search.workspace is None
            or any(task.partition(".")[0] == search.workspace for task in running_tasks_of(record))
        )
    )


def dates_of(view: View, record: BackfillRecord) -> Sequence[DateRecord]:
    """Its dates; before it has any of its own, those that are planned."""
    return view.reader.dates(record.id) or [
        DateRecord(record.id, position, bizdate, 0, 0, 0, 0, 0, 0, 0)
        for position, bizdate in enumerate(planned_dates_of(record))
    ]


class DateReader:
    """Documents of bizdates, on one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def row(self, one: OneDate) -> BackfillDate:
        record, date = one.backfill, one.date
        started_ms, ended_ms = self._span(one)
        is_done = date.total > 0 and date.successful + date.failed == date.total
        return {
            "backfill": record.id,
            "position": date.position,
            "name": self._view.access.shown_name(record),
            "bizdate": date.bizdate,
            "state": self.state(one),
            "total": date.total,
            "successful": date.successful,
            "failed": date.failed,
            "running": date.running,
            "frozen": date.frozen,
            "workspace": self._workspace(record),
            "created_by": record.created_by,
            "created_at": shown_instant(record.created_ms),
            "started_at": shown_instant(started_ms),
            "ended_at": shown_instant(ended_ms) if is_done else None,
        }

    def state(self, one: OneDate) -> str:
        """The state that tells most: what runs before what failed, and that before what waits."""
        record, date = one.backfill, one.date
        if record.phase == "refused":
            return State.FAILED
        if record.phase == "checking":
            return CHECKING
        if record.phase == "planned":
            return State.NOT_RUN if self._view.is_held(record) else State.WAITING_TIME
        if date.running:
            return State.RUNNING
        if date.total == date.successful:
            return State.SUCCESSFUL
        return self._waiting(one) or (State.FAILED if date.failed else State.NOT_RUN)

    def _waiting(self, one: OneDate) -> State | None:
        if self._view.is_held(one.backfill):
            return None  # OPS-0: what is ready or early counts as Not run
        for_resources, for_time = self._view.reader.has_waiting(one.backfill.id, one.ids)
        return State.WAITING_RESOURCES if for_resources else State.WAITING_TIME if for_time else None

    def key(self, one: OneDate, by: str) -> tuple[int, int, int]:
        """By what it is sorted; ids decide where that is the same."""
        value = 0
        if by == "created":
            value = one.backfill.created_ms
        elif by in ("started", "ended"):
            value = self._span(one)[by == "ended"] or 0
        return value, one.backfill.id, one.date.position

    def _span(self, one: OneDate) -> tuple[int | None, int | None]:
        return self._view.reader.first_and_last(*one.ids) if one.backfill.phase == "active" else (None, None)

    def _workspace(self, record: BackfillRecord) -> str | None:
        seen = filter(self._view.sees, running_tasks_of(record))
        return next((task.partition(".")[0] for task in seen), None)
