"""Checking that the ledger's counters say what its states say (they are caches)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from retrofill.domain.states import Reason, State
from retrofill.services.contexts import BackfillContext, Context, Contexts
from retrofill.services.ports.emergencies import ISOLATION
from retrofill.services.records import BackfillRecord, InstanceRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Reader


def drift(reader: Reader, contexts: Contexts, record: BackfillRecord) -> list[str]:
    """One sentence per counter of an active backfill that differs from what states give."""
    context = contexts.get(reader, record.id)
    plan = context.plan
    last = record.first_instance_id + plan.n * len(plan.dates) - 1
    rows = {row.id: row for row in reader.instance_range(record.first_instance_id, last)}
    done = Counter(context.downstream([i for i, row in rows.items() if row.state == State.SUCCESSFUL]))
    removed = _removed(reader, context, rows)
    found = []
    for position in range(len(plan.dates)):
        waits = context.open_waits(position).tolist()
        for instance_id, wait in zip(context.ids_of_date(position), waits, strict=True):
            row = rows.get(instance_id)
            expected = wait - done[instance_id] - removed[instance_id]
            expected += row is not None and was_isolated(row, context)
            if row is not None and row.open_waits != expected:
                found.append(
                    f"instance {instance_id}: open_waits is {row.open_waits}, states give {expected}"
                )
    return found + _dates(reader, record, list(rows.values()), context)


def schedule_drift(reader: Reader, contexts: Contexts) -> list[str]:
    """One sentence per auto triggered instance whose counter differs from what states give."""
    context = contexts.schedule(reader)
    found = []
    for bizdate in reader.generations.bizdates(-1):
        rows = reader.generations.instances(bizdate)
        gone = {row.id: reader.emergencies.removed_of(row.id) for row in rows}
        above = {row.id: set(context.upstream(row.id)) - gone[row.id] for row in rows}
        ups = reader.instances(sorted(set().union(*above.values())))
        is_open = {up.id for up in ups if up.state != State.SUCCESSFUL}
        for row in rows:
            isolated = bool(context.isolated_from(row.id)) and ISOLATION not in gone[row.id]
            expected = isolated + was_isolated(row, context) + len(above[row.id] & is_open)
            if row.open_waits != expected:
                found.append(f"instance {row.id}: open_waits is {row.open_waits}, states give {expected}")
    return found


def was_isolated(row: InstanceRecord, context: Context) -> bool:
    """Whether it is isolated by rules of an earlier version: validity periods isolated once (DEP-11)."""
    return row.reason == Reason.ISOLATED and not context.isolated_from(row.id)


def _removed(reader: Reader, context: BackfillContext, rows: Mapping[int, InstanceRecord]) -> Counter[int]:
    """By instance, how many of its removed waits would be open now (OPS-7)."""
    counts: Counter[int] = Counter()
    isolations = [pair for pair in reader.emergencies.removed_from([ISOLATION]) if pair[0] in rows]
    for instance_id, up in [*reader.emergencies.removed_from(list(rows)), *isolations]:
        if up == ISOLATION:
            counts[instance_id] += 1
        elif rows[up].state != State.SUCCESSFUL:
            counts[instance_id] += context.upstream(instance_id).count(up)
    return counts


def _dates(
    reader: Reader, record: BackfillRecord, rows: list[InstanceRecord], context: BackfillContext
) -> list[str]:
    counts: dict[int, Counter[str]] = {}
    for row in rows:
        counts.setdefault(context.position(row.id), Counter())[row.state] += 1
    found = []
    for date in reader.dates(record.id):
        real = counts.get(date.position, Counter())
        for name in ("successful", "failed", "running", "frozen"):
            if getattr(date, name) != real[name]:
                found.append(
                    f"backfill {record.id}, {date.bizdate}: {name} is {getattr(date, name)}, states give {real[name]}"
                )
    return found
