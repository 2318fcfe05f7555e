"""Finding backfills and instances by what people ask for (BF-1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

from retrofill.domain.catalog import Catalog, TaskType
from retrofill.domain.errors import InvalidValueError, UnknownNameError, did_you_mean, shown
from retrofill.domain.policy import BizdateError, DateRange, parse_bizdate, parse_range
from retrofill.domain.readiness import Status
from retrofill.domain.states import State
from retrofill.services.access import Access
from retrofill.services.catalogs import find_past_task
from retrofill.services.people import user_names
from retrofill.services.records import BackfillRecord
from retrofill.services.times import ms_of
from retrofill.services.views import Row, Views

if TYPE_CHECKING:
    from retrofill.services.ports import Reader

_PAGE = 200
_WITH_TASKS = "id IN (SELECT backfill_id FROM backfill_task t JOIN task ON task.id = t.task_id WHERE task.name IN ({marks}))"


def search_backfills(
    reader: Reader,
    views: Views,
    access: Access,
    catalog: Catalog,
    filters: Mapping[str, str | None],
    limit: int,
) -> list[Row]:
    """Rows of backfills that fit all filters and that the actor may see, newest first.

    Args:
        filters: name, creator, status, check_status, bizdate, task, task_type, workspace, created.

    Raises:
        InvalidValueError, UnknownNameError: a filter's value is none.
    """
    status = filters.get("status")
    if status is not None:
        _one_of("status", status, [s.value for s in Status])
    conditions, values = _conditions(reader, access, catalog, filters)
    found: list[Row] = []
    before: int | None = None
    while len(found) < limit:
        page = reader.backfills(conditions, values, before, _PAGE)
        for record in page:
            if not access.sees_backfill(record):
                continue
            row = access.shown_row(record, views.backfill(record))
            # A status follows from counters and the clock, so it is compared here, not in SQL.
            if status is None or row["status"] == status:
                found.append(row)
        if len(page) < _PAGE:
            break
        before = page[-1].id
    return found[:limit]


def _conditions(
    reader: Reader, access: Access, catalog: Catalog, filters: Mapping[str, str | None]
) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []

    def add(condition: str, *bound: object) -> None:
        conditions.append(condition)
        values.extend(bound)

    def add_tasks(names: list[str]) -> None:
        add(_WITH_TASKS.format(marks=", ".join("?" * len(names))), *names)

    if (name := filters.get("name")) is not None:
        add("instr(lower(name), lower(?)) > 0", name)
    if (creator := filters.get("creator")) is not None:
        _check_creator(reader, catalog, creator)
        add("created_by = ?", creator)
    if (check_status := filters.get("check_status")) is not None:
        add("check_status = ?", _one_of("check status", check_status, ["checking", "passed", "failed"]))
    if (bizdate := filters.get("bizdate")) is not None:
        day = parse_bizdate(bizdate).isoformat()
        # Without instances a backfill has no dates of its own yet; the analysis counts by bizdate.
        add(
            "(EXISTS (SELECT 1 FROM backfill_date d WHERE d.backfill_id = backfill.id AND d.bizdate = ?)"
            " OR (phase IN ('planned', 'refused', 'checking', 'creating') AND instr(analysis, ?) > 0))",
            day,
            f'"{day}": ',
        )
    if (task := filters.get("task")) is not None:
        add_tasks([find_past_task(catalog, reader.task_ids(), task, access.sees)])
    if (task_type := filters.get("task_type")) is not None:
        _one_of("task type", task_type, [t.value for t in TaskType])
        add_tasks([t.name for t in catalog.tasks.values() if t.type == task_type and access.sees(t.name)])
    if (workspace := filters.get("workspace")) is not None:
        known = [name for name in catalog.workspaces if access.sees(name)]
        if workspace not in known:
            raise UnknownNameError(
                f'there is no workspace "{shown(workspace)}"{did_you_mean(workspace, known)}',
                "`retrofill workspace list` shows all of them.",
            )
        add_tasks([t.name for t in catalog.tasks.values() if t.workspace == workspace])
    if (created := filters.get("created")) is not None:
        days = _days(created)
        first = datetime(days.first.year, days.first.month, days.first.day, tzinfo=UTC)
        after = datetime(days.last.year, days.last.month, days.last.day, tzinfo=UTC) + timedelta(days=1)
        add("created_ms >= ? AND created_ms < ?", ms_of(first), ms_of(after))
    return conditions, values


def _days(text: str) -> DateRange:
    """Days on which something was created.

    Raises:
        InvalidValueError: it is neither a day nor a range of them.
    """
    try:
        return parse_range(text)
    except BizdateError:
        raise InvalidValueError(
            f'--created: "{shown(text)}" is no day; write YYYY-MM-DD or a range YYYY-MM-DD..YYYY-MM-DD'
        ) from None


def _check_creator(reader: Reader, catalog: Catalog, name: str) -> None:
    """Somebody who exists, or who once created something."""
    known = user_names(reader.people, catalog)
    if name not in known and not reader.backfills(["created_by = ?"], [name], limit=1):
        raise UnknownNameError(
            f'there is no user "{shown(name)}"{did_you_mean(name, known)}',
            "`retrofill user list` shows all of them to a system administrator.",
        )


def _one_of(what: str, value: str, known: list[str]) -> str:
    if value not in known:
        raise InvalidValueError(
            f'"{shown(value)}" is no {what}{did_you_mean(value, known)}', f"Write one of {', '.join(known)}."
        )
    return value


def search_instances(
    reader: Reader,
    views: Views,
    access: Access,
    catalog: Catalog,
    backfill: int | None,
    task: str | None,
    bizdate: str | None,
    state: str | None,
    limit: int,
    auto: bool = False,
) -> Iterator[Row]:
    """Rows of instances: backfills newest first, inside by bizdate in running order, time, task.

    Auto triggered ones come last, newest bizdate first.

    Args:
        limit: -1 for all.
        auto: only auto triggered ones.
    """
    conditions: list[str] = []
    values: list[object] = []
    if task is not None:
        ids = reader.task_ids()
        conditions.append("task_id = ?")
        values.append(ids[find_past_task(catalog, ids, task, access.sees)])
    if bizdate is not None:
        conditions.append("bizdate = ?")
        values.append(parse_bizdate(bizdate).isoformat())
    if state is not None:
        _one_of("state", state, [s.value for s in State])
    rows = _auto_triggered(reader, views, access, conditions, values) if backfill is None else iter(())
    if not auto:
        rows = chain(_of_backfills(reader, views, access, backfill, state, conditions, values), rows)
    fitting = (row for row in rows if state is None or row["state"] == state)
    yield from islice(fitting, None if limit < 0 else limit)


def _of_backfills(
    reader: Reader,
    views: Views,
    access: Access,
    backfill: int | None,
    state: str | None,
    conditions: list[str],
    values: list[object],
) -> Iterator[Row]:
    for record in _backfills(reader, access, backfill):
        listed = access.listed_tasks(record)
        # A held backfill shows Waiting as Not run, so its states are compared on the row.
        exact = [] if state is None or views.is_held(record) else ["state = ?"]
        bound = [state] if exact else []
        for row in views.instances(record, [*conditions, *exact], [*values, *bound]):
            if listed is None or row["task"] in listed:
                yield row


def _auto_triggered(
    reader: Reader, views: Views, access: Access, conditions: list[str], values: list[object]
) -> Iterator[Row]:
    for bizdate in reader.generations.bizdates(-1):
        rows = reader.generations.instances(bizdate, conditions, values)
        yield from (row for row in views.auto_triggered(rows) if access.sees(row["task"]))


def _backfills(reader: Reader, access: Access, backfill: int | None) -> Iterator[BackfillRecord]:
    if backfill is not None:
        yield access.get_backfill(backfill)
        return
    before: int | None = None
    while True:
        page = reader.backfills((), (), before, _PAGE)
        yield from filter(access.sees_backfill, page)
        if len(page) < _PAGE:
            return
        before = page[-1].id
