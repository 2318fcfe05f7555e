"""Finding backfills and instances by what people ask for (BF-1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

from retrofill.domain.errors import InvalidValueError, UnknownNameError, did_you_mean, shown
from retrofill.domain.running.filters import About, BackfillFilter, InstanceFilter
from retrofill.domain.running.states import WAITING, State
from retrofill.domain.running.status import ENDED, Status
from retrofill.domain.texts import Text
from retrofill.domain.time.bizdates import BizdateError, DateRange, parse_range
from retrofill.domain.time.milliseconds import ms_of
from retrofill.services.catalogs.deploy import find_past_task
from retrofill.services.people.access import Access
from retrofill.services.ports.records import BackfillRecord, DateRecord
from retrofill.services.reading.backfills import BackfillReader

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.running.searches import BackfillSearch, InstanceSearch
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader
    from retrofill.services.reading.documents import BackfillRow, InstanceRow
    from retrofill.services.reading.view import View

_PAGE = 200
_MOST_DIGITS = 19  # of an id


def search_backfills(
    view: View, search: BackfillSearch, limit: int, before: int | None = None
) -> list[BackfillRow]:
    """Rows of backfills that fit and that the actor may see, newest first.

    Args:
        before: only those that are older than this one.

    Raises:
        InvalidValueError, UnknownNameError: what is searched for cannot be.
    """
    if search.status is not None:
        _one_of("status", search.status, [s.value for s in Status])
    asked = _asked(view, search)
    access, reader = view.access, BackfillReader(view)
    # Where all that the store finds is shown, no more is read than that.
    is_exact = access.is_unlimited and search.status is None
    size = min(limit, _PAGE) if is_exact else _PAGE
    found: list[BackfillRow] = []
    while len(found) < limit:
        page = view.reader.backfills(asked, before, size)
        seen = [
            record for record in page if access.sees_backfill(record) and _is_called(access, search, record)
        ]
        if search.status is None:
            seen = seen[: limit - len(found)]
        # A status follows from counters and the clock, so it is compared here, not by the store.
        found += [row for row in reader.rows(seen) if search.status in (None, row["status"])]
        if len(page) < size:
            break
        before = page[-1].id
    return found[:limit]


def _is_called(access: Access, search: BackfillSearch, record: BackfillRecord) -> bool:
    """Whether its name, as the actor may know it, fits, and what may be known of its tasks."""
    if access.is_unlimited or (search.name is None and search.text is None):
        return True
    name = access.shown_name(record).lower()
    if search.name is not None and search.name.lower() not in name:
        return False
    text = (search.text or "").lower()
    return (
        text in name
        or text == str(record.id)
        or any(text in t.lower() for t in access.listed_tasks(record) or ())
    )


def _asked(view: View, search: BackfillSearch) -> BackfillFilter:
    if search.creator is not None:
        _check_creator(view.access, search.creator)
    if search.check_status is not None:
        _one_of("check status", search.check_status, ["checking", "passed", "failed"])
    days = None if search.bizdate is None else parse_range(search.bizdate, view.today)
    began, after = (None, None) if search.created is None else _created(search.created, view.today)
    return BackfillFilter(
        # To others than system administrators, not every name is shown.
        name_part=search.name if view.access.is_unlimited else None,
        created_by=search.creator,
        check_status=search.check_status,
        bizdates=None if days is None else (days.first.isoformat(), days.last.isoformat()),
        tasks=list(_groups_of_tasks(view, search)),
        created_from_ms=began,
        created_before_ms=after,
        about=None if search.text is None else _about(view, search.text),
        is_open=_is_open(search),
        ids=_needing(view) if search.needs else None,
    )


def _needing(view: View) -> list[int]:
    from retrofill.services.reading.needs import find

    found = find(view, ())
    return [record.id for record in (*found.backfills, *found.refused)]


def _about(view: View, text: str) -> About:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS else None
    part = text.lower()
    return About(
        text, number, [i for name, i in view.task_ids.items() if part in name.lower() and view.sees(name)]
    )


def _is_open(search: BackfillSearch) -> bool | None:
    """Whether only those that have ended, or only others, can fit: the ledger knows that without counting."""
    if search.is_open is not None or search.status is None:
        return search.is_open
    return Status(search.status) not in ENDED


def _groups_of_tasks(view: View, search: BackfillSearch) -> Iterator[list[str]]:
    """What is asked of tasks: of each group, one must take part."""
    reader, graphs, sees = view.reader, view.graphs, view.sees
    if search.task is not None:
        yield [find_past_task(_current(reader, graphs), view.task_ids, search.task, sees)]
    if search.task_type is not None:
        from retrofill.domain.catalog.task_types import TASK_TYPES

        _one_of("task type", search.task_type, [*TASK_TYPES])
        tasks = _current(reader, graphs).tasks.values()
        yield [t.name for t in tasks if t.type == search.task_type and sees(t.name)]
    if search.workspace is not None:
        catalog = _current(reader, graphs)
        known = [name for name in catalog.workspaces if sees(name)]
        if search.workspace not in known:
            raise UnknownNameError(
                f'there is no workspace "{shown(search.workspace)}"{did_you_mean(search.workspace, known)}',
                Text("{workspace.list} shows all of them."),
            )
        yield [t.name for t in catalog.tasks.values() if t.workspace == search.workspace]


def _created(text: str, today: date) -> tuple[int, int]:
    """The first millisecond of these days, and the first one after them."""
    days = _days(text, today)
    began = datetime(days.first.year, days.first.month, days.first.day, tzinfo=UTC)
    after = datetime(days.last.year, days.last.month, days.last.day, tzinfo=UTC) + timedelta(days=1)
    return ms_of(began), ms_of(after)


def _days(text: str, today: date) -> DateRange:
    """Days on which something was created.

    Raises:
        InvalidValueError: it is neither a day nor a range of them.
    """
    try:
        return parse_range(text, today)
    except BizdateError:
        raise InvalidValueError(
            Text(
                '{option.created}: "{text}" is no day; write YYYY-MM-DD or a range YYYY-MM-DD..YYYY-MM-DD',
                text=shown(text),
            )
        ) from None


def _check_creator(access: Access, name: str) -> None:
    """Somebody whom the actor may know, or who once created something that the actor sees."""
    known = access.known_users()
    if name not in known and not access.has_created(name):
        raise UnknownNameError(
            f'there is no user "{shown(name)}"{did_you_mean(name, known)}',
            Text("{user.list} shows all of them to a system administrator."),
        )


def _one_of(what: str, value: str, known: list[str]) -> str:
    if value not in known:
        raise InvalidValueError(
            f'"{shown(value)}" is no {what}{did_you_mean(value, known)}', f"Write one of {', '.join(known)}."
        )
    return value


def _current(reader: Reader, graphs: GraphCache) -> Catalog:
    found = graphs.current(reader)
    assert found is not None, "who searches has deployed something"
    return found


def search_instances(view: View, search: InstanceSearch, limit: int = -1) -> Iterator[InstanceRow]:
    """Rows of instances: backfills newest first, inside by bizdate in running order, time, task.

    Auto triggered ones come last, newest bizdate first.

    Args:
        limit: -1 for all.

    Raises:
        InvalidValueError, UnknownNameError: what is searched for cannot be.
    """
    asked = _Asked(view, search)
    last = asked.last
    rows: Iterator[InstanceRow] = iter(())
    if not search.backfills:
        rows = _auto_triggered(view, asked)
    if not search.auto and (last is None or last.backfill_id is not None):
        rows = chain(_of_backfills(view, asked), rows)
    return islice(filter(asked.has_state, rows), None if limit < 0 else limit)


class _Asked:
    """A search of instances with its texts judged.

    Attributes:
        last: the instance after which to go on.
    """

    def __init__(self, view: View, search: InstanceSearch) -> None:
        self.backfills = search.backfills
        self.days = [parse_range(text, view.today) for text in search.bizdates]
        self.states = frozenset(
            State(_one_of("state", text, [state.value for state in State])) for text in search.states
        )
        self.task_ids: frozenset[int] | None = None
        if search.tasks:
            catalog, ids = _current(view.reader, view.graphs), view.task_ids
            names = (find_past_task(catalog, ids, text, view.sees) for text in search.tasks)
            self.task_ids = frozenset(ids[name] for name in names)
        if search.task_part is not None:
            part = search.task_part.lower()
            fit = frozenset(number for name, number in view.task_ids.items() if part in name.lower())
            self.task_ids = fit if self.task_ids is None else self.task_ids & fit
        self.groups, self.with_held_up = search.groups, search.held_up
        self.held_up: set[int] = set()  # ids of backfills that were looked at
        self.last = None if search.after is None else view.access.get_instance(search.after)

    def has_state(self, row: InstanceRow) -> bool:
        """By the state that rows show."""
        if row["id"] in self.held_up:
            return True
        return row["state"] in self.states if self.states or self.with_held_up else True

    def has_date(self, date: DateRecord) -> bool:
        return self.has_bizdate(date.bizdate) and (not self.groups or date.group_number in self.groups)

    def has_bizdate(self, bizdate: str) -> bool:
        return not self.days or any(
            days.first.isoformat() <= bizdate <= days.last.isoformat() for days in self.days
        )


def _of_backfills(view: View, asked: _Asked) -> Iterator[InstanceRow]:
    from retrofill.services.reading.instances import InstanceReader

    access, reader, last = view.access, InstanceReader(view), asked.last
    for record in _backfills(view, asked.backfills):
        if last is not None and record.id > (last.backfill_id or 0):
            continue
        listed = access.listed_tasks(record)
        states = None if not asked.states and not asked.with_held_up else asked.states
        if asked.with_held_up:
            from retrofill.services.reading.trouble import held_up_ids  # with arrays

            held_up = held_up_ids(view, record)
            asked.held_up |= held_up
            states = asked.states | ({State.NOT_RUN} if held_up else set())
        if states is not None and view.is_held(record):  # it shows Waiting as Not run
            states = states - WAITING | (WAITING if State.NOT_RUN in states else frozenset())
        wanted = InstanceFilter(task_ids=asked.task_ids, states=states)
        after = last if last is not None and record.id == last.backfill_id else None
        for row in reader.of_backfill(record, wanted, asked.has_date, after):
            if access.sees(row["task"]):
                yield row
            elif listed is None or row["task"] in listed:
                yield {**row, "priority": None, "resource_group": None}  # of a foreign dry run, only its name


def _auto_triggered(view: View, asked: _Asked) -> Iterator[InstanceRow]:
    from retrofill.services.reading.instances import InstanceReader

    reader, generations, last = InstanceReader(view), view.reader.generations, asked.last
    if last is not None and last.backfill_id is not None:
        last = None
    for bizdate in filter(asked.has_bizdate, generations.bizdates(-1)):
        if last is not None and bizdate > last.bizdate:
            continue
        rows = generations.instances(bizdate, InstanceFilter(task_ids=asked.task_ids))
        if last is not None and bizdate == last.bizdate:
            rows = reader.rows_after(rows, last)
        yield from (row for row in reader.auto_triggered(rows) if view.access.sees(row["task"]))


def _backfills(view: View, ids: Sequence[int]) -> Iterator[BackfillRecord]:
    if ids:
        for backfill_id in sorted(set(ids), reverse=True):
            yield view.access.get_backfill(backfill_id)
        return
    before: int | None = None
    while True:
        page = view.reader.backfills(before=before, limit=_PAGE)
        yield from filter(view.access.sees_backfill, page)
        if len(page) < _PAGE:
            return
        before = page[-1].id
