"""Checking that the ledger's counters say what its states say (they are caches)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.planning.template import distinct
from retrofill.domain.running.states import Reason, State
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.graph import InstanceGraph
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.ports.interventions import ISOLATION
from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord

if TYPE_CHECKING:
    from retrofill.domain.arrays import IntArray
    from retrofill.services.ports import Reader


MOST_FOUND = 100
_AT_ONCE = 100_000  # instances whose downstream is looked up together


def drift(reader: Reader, graphs: GraphCache, record: BackfillRecord) -> list[str]:
    """One sentence per counter of an active backfill that differs from what states give, the first hundred.

    Goes from date to date, and holds a few numbers of each instance of the dates at hand. What an
    instance waits for lies on its own date or on one before in running order.
    """
    context = graphs.get(reader, record.id)
    plan, first = context.plan, record.first_instance_id
    removed = _removed(reader, context, first + plan.n * len(plan.dates) - 1)
    done: dict[int, IntArray] = defaultdict(lambda: np.zeros(plan.n, dtype=np.int32))  # by position
    counted = {date.position: date for date in reader.dates(record.id)}
    found: list[str] = []
    for position in range(len(plan.dates)):
        ids = context.ids_of_date(position)
        open_waits = np.full(plan.n, -1, dtype=np.int32)
        isolated = plan.isolated(position)
        isolated_once = np.zeros(plan.n, dtype=np.int32)
        states: Counter[str] = Counter()
        successful: list[int] = []
        for row in reader.instance_range(ids.start, ids.stop - 1):
            states[row.state] += 1
            open_waits[row.id - ids.start] = row.open_waits
            if row.reason == Reason.ISOLATED:
                isolated_once[row.id - ids.start] = not isolated[row.id - ids.start]
            if row.state == State.SUCCESSFUL:
                successful.append(row.id)
        for start in range(0, len(successful), _AT_ONCE):
            below = np.array(context.downstream(successful[start : start + _AT_ONCE]), dtype=np.int64) - first
            on = below // plan.n
            for other in distinct(on).tolist():
                done[other] += np.bincount(below[on == other] % plan.n, minlength=plan.n).astype(np.int32)
        expected = context.open_waits(position) - done.pop(position, 0) + isolated_once
        for place in np.nonzero(open_waits >= 0)[0].tolist() if removed else _differing(open_waits, expected):
            wanted = int(expected[place]) - removed[ids.start + place]
            if open_waits[place] != wanted and len(found) < MOST_FOUND:
                found.append(_waits_differ(ids.start + place, int(open_waits[place]), wanted))
        found += _counts_differ(record, counted.get(position), states)
        if len(found) >= MOST_FOUND:
            break
    return found[:MOST_FOUND]


def _differing(open_waits: IntArray, expected: IntArray) -> list[int]:
    places: list[int] = np.nonzero((open_waits >= 0) & (open_waits != expected))[0].tolist()
    return places


def _waits_differ(instance_id: int, found: int, expected: int) -> str:
    return f"instance {instance_id}: open_waits is {found}, states give {expected}"


def _counts_differ(record: BackfillRecord, date: DateRecord | None, states: Counter[str]) -> list[str]:
    if date is None:
        return []
    return [
        f"backfill {record.id}, {date.bizdate}: {name} is {getattr(date, name)}, states give {states[name]}"
        for name in ("successful", "failed", "running", "frozen")
        if getattr(date, name) != states[name]
    ]


def schedule_drift(reader: Reader, graphs: GraphCache) -> list[str]:
    """One sentence per auto triggered instance whose counter differs from what states give."""
    context = graphs.schedule(reader)
    found = []
    for bizdate in reader.generations.bizdates(-1):
        rows = reader.generations.instances(bizdate)
        gone = {row.id: reader.interventions.removed_of(row.id) for row in rows}
        above = {row.id: set(context.upstream(row.id)) - gone[row.id] for row in rows}
        ups = reader.instances(sorted(set().union(*above.values())))
        is_open = {up.id for up in ups if up.state != State.SUCCESSFUL}
        for row in rows:
            isolated = bool(context.isolated_from(row.id)) and ISOLATION not in gone[row.id]
            expected = isolated + was_isolated(row, context) + len(above[row.id] & is_open)
            if row.open_waits != expected:
                found.append(_waits_differ(row.id, row.open_waits, expected))
        if len(found) >= MOST_FOUND:
            break
    return found[:MOST_FOUND]


def was_isolated(row: InstanceRecord, context: InstanceGraph) -> bool:
    """Whether it is isolated by rules of an earlier version: validity periods isolated once (DEP-11)."""
    return row.reason == Reason.ISOLATED and not context.isolated_from(row.id)


def _removed(reader: Reader, context: BackfillGraph, last_id: int) -> Counter[int]:
    """By instance, how many of its removed waits would be open now (OPS-7)."""
    counts: Counter[int] = Counter()
    for instance_id, up in reader.interventions.removed_between(context.first_id, last_id):
        if up == ISOLATION:
            counts[instance_id] += 1
        elif (row := reader.find_instance(up)) is not None and row.state != State.SUCCESSFUL:
            counts[instance_id] += context.upstream(instance_id).count(up)
    return counts
