"""Unfinished backfills and nights that hold what a plan would write (RUN-7, VER-1).

Looked for once a plan is there, and only as far as its tasks and bizdates go; no instance of a
backfill is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from retrofill.domain.planning.plan import Plan
from retrofill.domain.planning.policy import slots_within
from retrofill.domain.verification.findings import by_level
from retrofill.domain.verification.partitions import Holder, same_partition
from retrofill.services.backfills.requests import PlannedBackfill
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.stored import choice_of, policy_of

if TYPE_CHECKING:
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import BackfillRecord


def with_same_partition(
    planned: PlannedBackfill, reader: Reader, graphs: GraphCache, besides: int | None = None
) -> PlannedBackfill:
    """The plan with a finding for whoever else has yet to write what it writes.

    Args:
        besides: the backfill that the plan is of.
    """
    holders = [*_backfills(planned.plan, reader, graphs, besides), *_nights(planned.plan, reader)]
    found = tuple(same_partition(planned.plan, holders))
    return replace(planned, findings=by_level([*planned.findings, *found])) if found else planned


def _backfills(plan: Plan, reader: Reader, graphs: GraphCache, besides: int | None) -> Iterator[Holder]:
    wanted = set(plan.dates)
    for opened in reader.open_backfills():
        if opened.id == besides:
            continue
        record = reader.find_backfill(opened.id)
        if record is None or record.ended_ms is not None:
            continue  # stopped: it has ended, and yet is held
        bizdates = wanted & _unfinished(reader, record)
        if bizdates:
            yield Holder(record.id, bizdates, _slots(reader, graphs, record))


def _unfinished(reader: Reader, record: BackfillRecord) -> set[date]:
    if record.phase != "active":  # its instances are still to be made
        return set(policy_of(record).bizdates)
    dates = reader.dates(record.id)
    return {date.fromisoformat(d.bizdate) for d in dates if not d.reached or d.successful < d.total}


def _slots(reader: Reader, graphs: GraphCache, record: BackfillRecord) -> dict[str, frozenset[int]]:
    choice = choice_of(record)
    time_range = policy_of(record).time_range
    catalog = graphs.catalog(reader, record.version_id)
    found = {}
    for name in choice.tasks:
        if name not in choice.dry_runs:
            slots = catalog.tasks[name].schedule.slots
            first, end = slots_within(slots, time_range)
            found[name] = frozenset(slots[first:end])
    return found


def _nights(plan: Plan, reader: Reader) -> Iterator[Holder]:
    """Nights with auto triggered instances of the plan's tasks that have not ended."""
    ids: Mapping[str, int] = reader.task_ids()
    names = {ids[task.name]: task.name for task in plan.tasks if task.name in ids}
    first, last = (day.isoformat() for day in (min(plan.dates), max(plan.dates)))
    made = {date.fromisoformat(record.bizdate) for record in reader.generations.between(first, last)}
    for bizdate in sorted(made & set(plan.dates)):
        slots: dict[str, set[int]] = {}
        for task_id, slot in reader.generations.unfinished_slots(bizdate.isoformat(), sorted(names)):
            slots.setdefault(names[task_id], set()).add(slot)
        if slots:
            yield Holder(None, {bizdate}, slots)
