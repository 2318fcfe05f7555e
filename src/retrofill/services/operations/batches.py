"""Batches of operations on instances: judged one by one, applied in transactions that others get between.

Each item gets its own result; one that does not fit its state changes nothing and hinders no
other. A transaction takes as many items as change at most about 5,000 rows, so that a batch of
a million instances costs a million times one, and nobody waits for it longer than for one part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from retrofill.domain.errors import LimitError, RetrofillError
from retrofill.domain.people.roles import Action, Actor
from retrofill.domain.planning.running_order import running_order
from retrofill.domain.running.results import ItemResult, RefusedTogetherError
from retrofill.domain.running.states import WAITING, State
from retrofill.domain.running.steering import FLAGS, Steer
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.backfill_status import note_end
from retrofill.services.instances.graph import InstanceGraph
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.holds import HeldBackfills, holds_of
from retrofill.services.instances.propagation import Propagation
from retrofill.services.operations.judging import describe
from retrofill.services.people.access import Access, unknown_instance
from retrofill.services.ports.records import InstanceRecord
from retrofill.services.ports.store import MOST_ROWS

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Ledger, Reader, Store

MOST_ITEMS = 1_600  # items of one transaction
_OWN_ROWS = 3  # the instance, its date's counters, the record


@dataclass(slots=True)
class Batch:
    """One transaction over the instances of one backfill, or of the schedule.

    What follows from several items at once is gathered here, and done when all are judged.
    """

    tx: Ledger
    context: InstanceGraph
    access: Access
    propagation: Propagation
    now_ms: int
    is_held: bool  # paused, stopped or outside its window: what waits counts as Not run (OPS-0)
    restored: set[int]  # of this batch, those that an earlier part has brought back with a sibling (POL-7)
    mended: list[int] = field(default_factory=list)  # left Failed: their siblings come back (POL-7)
    thawed: list[int] = field(default_factory=list)  # back to Not run from Frozen
    rerun: list[int] = field(default_factory=list)
    keeps_order: bool = False  # what was rerun waits for the turn of its date (OPS-3)
    is_reopened: bool = False  # a rerun, unfreeze or set-successful: the end so far is none any more (BF-5)

    def state(self, row: InstanceRecord) -> State:
        """The state as people see it."""
        state = State(row.state)
        return State.NOT_RUN if self.is_held and state in WAITING else state


class Effect(NamedTuple):
    """What became of one instance: the state it has now, whether that is new, and what to note besides."""

    state: State
    changed: bool = True
    words: str = ""


Apply = Callable[[Batch, InstanceRecord], Effect]


class Batches:
    """Batches on one store, in the name of one actor: what he may not see is unknown (SEC-2, SEC-4).

    Args:
        together: all of a batch or nothing of it, in one transaction: the first item that is refused is raised.
    """

    def __init__(
        self, store: Store, graphs: GraphCache, clock: Clock, actor: Actor, together: bool = False
    ) -> None:
        self._store, self._graphs, self._clock, self._actor = store, graphs, clock, actor
        self._together = together

    def each(
        self,
        action: str,
        ids: Sequence[int],
        comment: str,
        apply: Apply,
        permission: Action = Action.OPERATE,
        upstream_first: bool = False,
    ) -> list[ItemResult]:
        """Judge and apply one operation on each instance, whatever becomes of the others (OPS-8).

        Args:
            permission: what the actor must be permitted on the instance's task.
            upstream_first: in dependency order, so that no later part holds what an earlier one waits for.

        Raises:
            RefusedTogetherError: one is refused, and all of it was asked for, or nothing.
            LimitError: it is asked for as one, and is more than one transaction may write.
        """
        unique = list(dict.fromkeys(ids))
        order = unique
        if len(unique) > MOST_ITEMS:
            # Ascending, so that what fails together lies together.
            order = self._upstream_first(unique) if upstream_first else sorted(unique)
        part = _Part(self._graphs, self._actor, self._clock, action, comment, _permitted(permission, apply))
        done = 0
        while done < len(order):
            if done:
                self._store.give_way()
            with self._store.transaction() as tx:
                done += part.apply(tx, order[done : done + MOST_ITEMS])
                if self._together:
                    _check_all(part.results, order)
        self._store.wake()
        return [part.results[i] for i in unique]

    def _upstream_first(self, ids: list[int]) -> list[int]:
        ranks: dict[int, tuple[int, int, int]] = {}
        places: dict[int, dict[int, int]] = {}  # by identity of the edges of a date
        with self._store.read() as reader:
            for start in range(0, len(ids), MOST_ROWS):
                for row in reader.instances(ids[start : start + MOST_ROWS]):
                    context = self._graphs.of(reader, row)
                    plan = context.plan_of(row.id)
                    within = plan.edges_within(context.date_index(row.id))
                    if id(within) not in places:
                        order = running_order(plan.template, within, np.ones(plan.n, dtype=bool))
                        places[id(within)] = {place: rank for rank, place in enumerate(order)}
                    rank = places[id(within)][context.place(row.id)]
                    ranks[row.id] = (row.backfill_id or 0, context.date_order(row.id), rank)
        return sorted(ids, key=lambda i: ranks.get(i, (0, 0, 0)))


class _Part:
    """The transactions of one batch, one after the other; `results` grow with them."""

    def __init__(
        self, graphs: GraphCache, actor: Actor, clock: Clock, action: str, comment: str, apply: Apply
    ) -> None:
        self._graphs, self._actor, self._clock = graphs, actor, clock
        self._action, self._comment, self._apply = action, comment, apply
        self.results: dict[int, ItemResult] = {}
        self._restored: set[int] = set()

    def apply(self, tx: Ledger, ids: Sequence[int]) -> int:
        """Take items from the beginning for as long as there is room; how many were taken."""
        self._now_ms = self._clock.now_ms()
        self._graphs.forget_counts()  # the scheduler has gone on since the last call
        self._access = Access(tx, self._graphs, self._actor)
        self._holds: HeldBackfills | None = None
        self._applying: dict[int | None, Batch] = {}
        self._siblings_seen: set[int] = set()
        self._records: list[tuple[object, ...]] = []
        rows = visible_rows(tx, ids)
        taken, left = 0, MOST_ROWS
        for instance_id in ids:
            row = rows.get(instance_id)
            if row is None or not self._access.sees_instance(row):
                self.results[instance_id] = ItemResult(instance_id, None, unknown_instance(instance_id))
            else:
                batch = self._applying_of(tx, row)
                left -= self._cost(batch, row)
                if left < 0 and taken:
                    break
                self.results[instance_id] = self._one(batch, row)
            taken += 1
        for backfill_id, batch in self._applying.items():
            self._finish(tx, backfill_id, batch)
        tx.record_many(self._records)
        return taken

    def _applying_of(self, tx: Ledger, row: InstanceRecord) -> Batch:
        found = self._applying.get(row.backfill_id)
        if found is not None:
            return found
        if self._holds is None:
            self._holds = holds_of(tx.open_backfills(), instant_of(self._now_ms))
        holds = self._holds
        if (record := tx.find_backfill(row.backfill_id or 0)) is not None:
            self._graphs.follow([record])
        context = self._graphs.of(tx, row)
        is_paused = row.backfill_id is None and tx.generations.is_held()
        propagation = Propagation(
            tx, context, self._now_ms, is_paused or row.backfill_id in holds.may_not_pass
        )
        is_held = is_paused or row.backfill_id in holds.may_not_start
        found = Batch(tx, context, self._access, propagation, self._now_ms, is_held, self._restored)
        self._applying[row.backfill_id] = found
        return found

    def _cost(self, batch: Batch, row: InstanceRecord) -> int:
        """How many rows may change with it: below what enters or leaves Successful, beside what failed."""
        context, rows = batch.context, _OWN_ROWS
        states = (row.state, row.frozen_from)
        if State.SUCCESSFUL in states or self._action == "set-successful":
            rows += len(context.downstream([row.id]))
        siblings = context.siblings(row.id) if State.FAILED in states else range(0)
        if len(siblings) > 1 and siblings.start not in self._siblings_seen:
            self._siblings_seen.add(siblings.start)
            rows += len(siblings)
        return rows

    def _one(self, batch: Batch, row: InstanceRecord) -> ItemResult:
        try:
            applied = self._apply(batch, row)
        except RetrofillError as error:
            return ItemResult(row.id, batch.state(row), error)
        if applied.changed:
            before = batch.state(row)
            noted = ". ".join(text for text in (applied.words, self._comment) if text)
            self._record(row.backfill_id, row.id, self._action, before, applied.state, noted)
        return ItemResult(row.id, applied.state, unchanged=not applied.changed)

    def _record(
        self,
        backfill_id: int | None,
        instance_id: int | None,
        action: str,
        before: str | None,
        after: str | None,
        noted: str,
    ) -> None:
        self._records.append(
            (self._now_ms, self._actor.name, action, backfill_id, instance_id, before, after, noted, None)
        )

    def _finish(self, tx: Ledger, backfill_id: int | None, batch: Batch) -> None:
        """What follows from all items of one backfill together."""
        propagation, context = batch.propagation, batch.context
        for first in {context.siblings(i).start: i for i in batch.mended}.values():
            self._restored.update(propagation.left_failed(first))
        propagation.unfrozen(batch.thawed)
        if batch.keeps_order:
            propagation.keep_order(batch.rerun)
        propagation.propagate()
        if backfill_id is None:
            return
        if batch.rerun:
            self._take_back_stop(tx, backfill_id, batch)
        record = tx.find_backfill(backfill_id)
        if record is not None and self._holds is not None:
            note_end(tx, record, self._now_ms, self._holds, batch.is_reopened)

    def _take_back_stop(self, tx: Ledger, backfill_id: int, batch: Batch) -> None:
        """OPS-2: a rerun in a stopped backfill takes the stop back, or says what it waits for."""
        record = tx.find_backfill(backfill_id)
        if record is None or not (record.stopped or record.paused):
            return
        if record.stopped and self._access.may_steer(record):
            tx.set_backfill(backfill_id, **FLAGS[Steer.RERUN])
            self._record(backfill_id, None, "resume", None, None, "by the rerun")
            note = Text("Backfill {id} was stopped; the rerun takes that back.", id=backfill_id)
        else:
            held = "stopped" if record.stopped else "paused"
            note = Text(
                "Backfill {id} is {held}: what is rerun waits until {resume} lets it go on.",
                id=backfill_id,
                held=held,
                resume=Step("backfill.resume", id=backfill_id),
            )
        for instance_id in batch.rerun:
            self.results[instance_id] = self.results[instance_id]._replace(note=note)


def _check_all(results: dict[int, ItemResult], ids: Sequence[int]) -> None:
    for item in results.values():
        if item.error is not None:
            raise RefusedTogetherError(item.id, item.error)
    if len(results) < len(ids):
        raise LimitError(
            f"{len(ids):,} instances change more than {MOST_ROWS:,} rows, too many to be done as one",
            f"Take {len(results):,} or fewer of them at once.",
        )


def visible_rows(tx: Reader, ids: Sequence[int]) -> dict[int, InstanceRecord]:
    """The instances that are there for everybody, as `find_instance` finds them one by one."""
    found = {}
    is_active: dict[int, bool] = {}
    for row in tx.instances(ids):
        if row.backfill_id is None:
            seen = tx.find_instance(row.id) is not None
        else:
            if row.backfill_id not in is_active:
                record = tx.find_backfill(row.backfill_id)
                is_active[row.backfill_id] = record is not None and record.phase == "active"
            seen = is_active[row.backfill_id]
        if seen:
            found[row.id] = row
    return found


def _permitted(permission: Action, apply: Apply) -> Apply:
    """The operation, refused where the actor's role does not reach to the instance's task (SEC-4)."""

    def checked(batch: Batch, row: InstanceRecord) -> Effect:
        context = batch.context
        if not batch.access.is_unlimited:
            batch.access.check(permission, row, context, describe(row, context))
        return apply(batch, row)

    return checked
