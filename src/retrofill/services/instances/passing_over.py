"""Dates that a group passes over although something of them failed (POL-14, `on_failure: continue`).

A date is passed over when nothing of it can go on before a person mends what failed: every
instance is Successful, Failed, or Not run below a failure. Something that runs, waits for time
or resources, is frozen or isolated keeps its group at the date, as it does otherwise (POL-7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from retrofill.domain.planning.policy import OnFailure
from retrofill.domain.running.filters import FAILED
from retrofill.domain.running.states import Reason, State
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.ports.records import DateRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger

Downstream = Callable[[list[int]], Iterable[int]]


def passes_over(context: BackfillGraph) -> bool:
    """Whether groups of this backfill go on where something failed."""
    return context.plan.policy.on_failure is OnFailure.CONTINUE


def is_stuck(tx: Ledger, context: BackfillGraph, downstream: Downstream, date: DateRecord) -> bool:
    """Whether nothing of a date can go on before somebody mends what failed.

    Costs no more than what lies below the failures; asked only where nothing of the date runs or waits.

    Args:
        downstream: ids of what waits for these, without removed waits.
        date: not complete, with its counters as they are now.
    """
    if date.running or date.frozen:
        return False
    ids = context.ids_of_date(date.position)
    if tx.is_waiting_between(context.backfill_id, ids.start, ids.stop - 1):
        return False
    below = _below_failures(tx, context, downstream, date.position)
    return len(below) == date.total - date.successful - date.failed


def _below_failures(
    tx: Ledger, context: BackfillGraph, downstream: Downstream, position: int
) -> frozenset[int]:
    """Ids of the date's instances that are Not run and wait for one that failed, directly or not."""
    below: frozenset[int] = frozenset()
    for at in reversed(_path(context, position)):
        known = context.below_failures.get(at)
        if known is None:
            before = context.plan.date_before(at)
            sources = _failed(tx, context, at)
            if before is not None and len(context.plan.template.before):
                sources += [*_failed(tx, context, before), *below]
            known = context.below_failures[at] = _closure(tx, context, downstream, at, sources)
        below = known
    return below


def _path(context: BackfillGraph, position: int) -> list[int]:
    """The date, and those before it as far as previous-cycle dependencies lead and it is not known."""
    path, at = [position], context.plan.date_before(position)
    if not len(context.plan.template.before):
        return path
    while at is not None:
        path.append(at)
        if at in context.below_failures:
            break
        at = context.plan.date_before(at)
    return path


def _failed(tx: Ledger, context: BackfillGraph, position: int) -> list[int]:
    ids = context.ids_of_date(position)
    return [row.id for row in tx.instance_range(ids.start, ids.stop - 1, FAILED)]


def _closure(
    tx: Ledger, context: BackfillGraph, downstream: Downstream, position: int, sources: list[int]
) -> frozenset[int]:
    ids, found = context.ids_of_date(position), set[int]()
    front = sources
    while front:
        following = {i for i in downstream(front) if i in ids} - found
        front = [
            row.id
            for row in tx.instances(sorted(following))
            if row.state == State.NOT_RUN and row.reason != Reason.ISOLATED and not row.ignores_waits
        ]
        found.update(front)
    return frozenset(found)
