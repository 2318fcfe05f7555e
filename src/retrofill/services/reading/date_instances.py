"""Instances of one bizdate in pages by number, each with what is declared of its task."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import DependencyKind
from retrofill.domain.errors import UnknownNameError, shown
from retrofill.domain.running.filters import BackfillFilter, InstanceFilter
from retrofill.domain.running.searches import ANY_TIME
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.instances.as_run import as_run
from retrofill.services.instances.outlines import position_of
from retrofill.services.reading.dates import get_date, tasks_of, visible_backfills
from retrofill.services.reading.declared import upstream_of
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from retrofill.domain.running.searches import DateInstanceSearch, Numbered
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import InstanceDetail, Neighbour, NumberedPage
    from retrofill.services.reading.view import View


def _key(view: View, row: InstanceRecord, by: str) -> tuple[int, int]:
    """By what it is sorted; ids decide where that is the same."""
    if by == "created":
        return _created(view, row)[0], row.id
    value = {"due": row.due_ms, "started": row.started_ms, "ended": row.ended_ms}.get(by)
    return value or 0, row.id


def search_date_instances(
    view: View, search: DateInstanceSearch, page: Numbered
) -> NumberedPage[InstanceDetail]:
    """Instances that fit and that the actor sees.

    Raises:
        UnknownNameError: there is no such workspace, or no such date, as far as the actor knows.
    """
    found = list(find_date_instances(view, search))
    found.sort(key=lambda row: _key(view, row, page.by), reverse=page.is_descending)
    last = None if page.limit < 0 else page.offset + page.limit
    return {"items": [detail(view, row) for row in found[page.offset : last]], "total": len(found)}


def find_date_instances(view: View, search: DateInstanceSearch) -> Iterator[InstanceRecord]:
    """The same, as the ledger has them."""
    if search.workspace is not None:
        _check_known(view, search.workspace)
    task_ids = _task_ids(view, search)
    if not task_ids:
        return
    wanted = InstanceFilter(task_ids=task_ids)
    rows = chain(
        () if search.auto is True else _of_backfills(view, search, wanted),
        ()
        if search.auto is False or search.dates
        else view.reader.generations.instances(search.bizdate, wanted),
    )
    reader, ids = InstanceReader(view), frozenset(search.ids)
    for row in rows:
        if (
            (not ids or row.id in ids)
            and view.access.sees_instance(row)
            and (not search.kinds or row.kind in search.kinds)
            and (not search.states or reader.state(row) in search.states)
            and search.started.has(row.started_ms)
            and search.ended.has(row.ended_ms)
            and (search.created == ANY_TIME or search.created.has(_created(view, row)[0]))
            and search.resource_group in (None, row.resource_group or reader.row(row)["resource_group"])
        ):
            yield row


def _check_known(view: View, workspace: str) -> None:
    if not view.sees(workspace) or workspace not in view.reader.workspace_ids():
        raise UnknownNameError(
            f'there is no workspace "{shown(workspace)}"', Text("{workspace.list} shows all of them.")
        )


def _task_ids(view: View, search: DateInstanceSearch) -> frozenset[int]:
    """Of the workspace, or of all that are seen, those of which all holds that is asked of a task."""
    catalog = view.graphs.current(view.reader)
    found = set()
    for name in _names(view, search.workspace):
        task = None if catalog is None else catalog.tasks.get(name)
        part = (search.task_name or "").lower()
        if (
            part in name.partition(".")[2].lower()
            and search.task_type in (None, task and task.type.value)
            and search.owner in (None, task and task.owner)
        ):
            found.add(view.task_ids[name])
    return frozenset(found & set(search.task_ids) if search.task_ids else found)


def _names(view: View, workspace: str | None) -> list[str]:
    if workspace is None:
        return list(filter(view.sees, view.task_ids))
    return tasks_of(view, workspace)


def _of_backfills(view: View, search: DateInstanceSearch, wanted: InstanceFilter) -> Iterator[InstanceRecord]:
    for first, last in _ranges(view, search):
        yield from list(view.reader.instance_range(first, last, wanted))


def _ranges(view: View, search: DateInstanceSearch) -> Iterator[tuple[int, int]]:
    """First and last ids of the bizdate's instances, by backfill."""
    if search.dates:
        chosen = (get_date(view, *one) for one in search.dates)
        yield from (one.ids for one in chosen if one.date.bizdate == search.bizdate and one.backfill.stride)
        return
    day = search.bizdate
    asked = BackfillFilter(bizdates=(day, day), tasks=[_names(view, search.workspace)], phase="active")
    for record in visible_backfills(view, asked):
        for date in view.reader.dates(record.id):
            if date.bizdate == day:
                first = record.first_instance_id + date.position * record.stride
                yield first, first + record.stride - 1


def _created(view: View, row: InstanceRecord) -> tuple[int, str | None]:
    """When and by whom."""
    if row.backfill_id is not None:
        record = view.outlines.record(row.backfill_id)
        return record.created_ms, record.created_by
    generation = view.reader.generations.holding(row.id)
    assert generation is not None, "an auto triggered instance is of a generation"
    return generation.made_ms, None


def detail(view: View, row: InstanceRecord) -> InstanceDetail:
    """An instance with what is declared of its task."""
    run = as_run(row, view.outlines.of(row))
    task, (created_ms, created_by) = run.task, _created(view, row)
    position = None
    if row.backfill_id is not None:
        position = position_of(view.outlines.record(row.backfill_id), row.id)
    return {
        **InstanceReader(view).row(row),
        "task_id": row.task_id,
        "type": task.type.value,
        "owner": task.owner or None,
        "description": task.description or None,
        "connection": task.connection or None,
        "baseline": task.baseline or None,
        "rerun_mode": task.rerun.mode,
        "timeout_seconds": task.timeout_seconds,
        "declared": dict(run.parameters),
        "tags": list(task.tags),
        "cycle_number": bisect_left(task.schedule.slots, row.slot) + 1,
        "due_at": shown_instant(row.due_ms),
        "created_at": shown_instant(created_ms),
        "created_by": created_by,
        "position": position,
        "code": task.code,
    }


def neighbours(view: View, row: InstanceRecord, below: bool) -> list[Neighbour]:
    """What it waits for, or what waits for it; nothing is said of foreign ones (SEC-2)."""
    from retrofill.services.reading.dag import dag_around

    dag = dag_around(view.reader, view.graphs, row, 0 if below else 1, 1 if below else 0, view.sees)
    found: list[Neighbour] = []
    for number in sorted(dag.rows.keys() - {row.id}):
        other = dag.rows[number]
        upper, lower = (row, other) if below else (other, row)
        found.append({"dependency": _dependency(view, upper, lower), "instance": detail(view, other)})
    return found


def _dependency(view: View, upper: InstanceRecord, lower: InstanceRecord) -> str:
    run = as_run(lower, view.outlines.of(lower))
    name = view.task_names[upper.task_id]
    kinds = {d.kind for d in run.task.depends_on if name in upstream_of(run.catalog, run.task, d)}
    is_earlier = DependencyKind.SAME_CYCLE not in kinds or (len(kinds) > 1 and upper.bizdate != lower.bizdate)
    return "earlier_cycle" if is_earlier else "same_cycle"
