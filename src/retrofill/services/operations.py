"""What people do to instances (OPS-1..8): judged one by one, applied in one transaction.

Each item of a batch gets its own result; one that does not fit its state changes nothing
and hinders no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from retrofill.domain.errors import RetrofillError, WrongStateError
from retrofill.domain.ordering import running_order
from retrofill.domain.permissions import Action, Actor
from retrofill.domain.states import WAITING, Move, State, check, is_legal
from retrofill.services.access import Access, unknown_instance
from retrofill.services.contexts import Context, Contexts
from retrofill.services.holds import Holds, holds_of
from retrofill.services.records import BackfillRecord, InstanceRecord
from retrofill.services.settling import Settling
from retrofill.services.statuses import note_end
from retrofill.services.times import instant_of, scheduled_at

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Ledger, Store

_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item of a batch; `error` is None where it was done (or held already)."""

    id: int
    state: str | None
    error: RetrofillError | None = None
    unchanged: bool = False

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(slots=True)
class Applying:
    """One transaction over the instances of one backfill."""

    tx: Ledger
    context: Context
    access: Access
    settling: Settling
    now_ms: int
    # Ids that left Failed: their siblings come back when all items of the batch are judged (POL-7).
    mended: list[int]
    is_held: bool  # paused, stopped or outside its window: what waits counts as Not run (OPS-0)

    def state(self, row: InstanceRecord) -> State:
        """The state as people see it."""
        state = State(row.state)
        return State.NOT_RUN if self.is_held and state in WAITING else state


class Applied(NamedTuple):
    """What became of one instance: the state it has now, whether that is new, and what to note besides."""

    state: State
    changed: bool = True
    words: str = ""


Apply = Callable[[Applying, InstanceRecord], Applied]


class Operations:
    """Operations on instances, in the name of one actor: what he may not see is unknown (SEC-2, SEC-4)."""

    def __init__(self, store: Store, contexts: Contexts, clock: Clock, actor: Actor) -> None:
        self._store = store
        self._contexts = contexts
        self._clock = clock
        self._actor = actor
        self._user = actor.name

    def stop(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-1: ask for the end of running instances; `Failed` shows once their processes have ended."""
        return self.each("stop", ids, comment, _stop)

    def rerun(self, ids: Sequence[int], comment: str = "", ignore_waits: bool = False) -> list[ItemResult]:
        """OPS-2; with `ignore_waits` all at once, whatever waits and dates say (OPS-3)."""
        return self.each("rerun", ids, comment, lambda a, row: _rerun(a, row, ignore_waits))

    def set_successful(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-5."""
        return self.each("set-successful", ids, comment, _set_successful)

    def freeze(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-6."""
        return self.each("freeze", ids, comment, _freeze)

    def unfreeze(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-6: back to the state that it was frozen from."""
        return self.each("unfreeze", ids, comment, _unfreeze)

    def rerun_descendants(
        self,
        ids: Sequence[int],
        comment: str = "",
        include_self: bool = False,
        tasks: frozenset[str] | None = None,
    ) -> list[ItemResult]:
        """OPS-4: the ended descendants, within its backfill or the schedule, in dependency order.

        Args:
            tasks: only instances of these tasks, full names; None for all.
        """
        results, below = [], []
        with self._store.read() as reader:
            access = Access(reader, self._contexts, self._actor)
            for instance_id in ids:
                row = reader.find_instance(instance_id)
                if row is None or not access.sees_instance(row):
                    results.append(_unknown(instance_id))
                    continue
                context = self._contexts.of(reader, row)
                found = [
                    i
                    for i in _descendants(context, instance_id)
                    if (tasks is None or context.task(i).name in tasks) and access.sees(context.task(i).name)
                ]
                rows = reader.instances(found)
                below += [r.id for r in rows if is_legal(Move.RERUN, State(r.state))]
                if include_self:
                    below.append(instance_id)
                elif not any(is_legal(Move.RERUN, State(r.state)) for r in rows):
                    error = WrongStateError(f"instance {instance_id} has no ended descendants")
                    results.append(ItemResult(instance_id, row.state, error))
        return results + self.each(
            "rerun-descendants", sorted(set(below)), comment, lambda a, r: _rerun(a, r, False)
        )

    def each(
        self,
        action: str,
        ids: Sequence[int],
        comment: str,
        apply: Apply,
        permission: Action = Action.OPERATE,
    ) -> list[ItemResult]:
        """Judge and apply one operation on each instance, whatever becomes of the others (OPS-8).

        Args:
            permission: what the actor must be permitted on the instance's task.
        """
        apply = _permitted(permission, apply)
        results: dict[int, ItemResult] = {}
        unique = list(dict.fromkeys(ids))
        if len(unique) > _BATCH:
            unique = self._upstream_first(unique)
        for start in range(0, len(unique), _BATCH):
            with self._store.transaction() as tx:
                self._batch(tx, action, unique[start : start + _BATCH], comment, apply, results)
        self._store.wake()
        return [results[i] for i in unique]

    def _upstream_first(self, ids: list[int]) -> list[int]:
        """In dependency order, so that no later batch holds what an earlier one waits for (OPS-4)."""
        with self._store.read() as reader:
            rows = [row for i in ids if (row := reader.find_instance(i)) is not None]
            ranks: dict[int, tuple[int, int, int]] = {}
            places: dict[int, dict[int, int]] = {}  # by template
            for row in rows:
                context = self._contexts.of(reader, row)
                template = context.plan_of(row.id).template
                if id(template) not in places:
                    order = running_order(template, np.ones(template.n, dtype=bool))
                    places[id(template)] = {place: rank for rank, place in enumerate(order)}
                rank = places[id(template)][context.place(row.id)]
                ranks[row.id] = (row.backfill_id or 0, context.date_order(row.id), rank)
        return sorted(ids, key=lambda i: ranks.get(i, (0, 0, 0)))

    def _batch(
        self,
        tx: Ledger,
        action: str,
        ids: Sequence[int],
        comment: str,
        apply: Apply,
        results: dict[int, ItemResult],
    ) -> None:
        now_ms = self._clock.now_ms()
        self._contexts.forget_counts()  # the scheduler has gone on since the last call
        applying: dict[int | None, Applying] = {}
        holds: Holds | None = None
        access = Access(tx, self._contexts, self._actor)
        for instance_id in ids:
            row = tx.find_instance(instance_id)
            if row is None or not access.sees_instance(row):
                results[instance_id] = _unknown(instance_id)
                continue
            if row.backfill_id not in applying:
                if holds is None:
                    holds = holds_of(tx.open_backfills(), instant_of(now_ms))
                if (record := tx.find_backfill(row.backfill_id or 0)) is not None:
                    self._contexts.follow([record])
                context = self._contexts.of(tx, row)
                is_paused = row.backfill_id is None and tx.generations.is_held()
                settling = Settling(tx, context, now_ms, is_paused or row.backfill_id in holds.passing)
                is_held = is_paused or row.backfill_id in holds.starting
                applying[row.backfill_id] = Applying(tx, context, access, settling, now_ms, [], is_held)
            results[instance_id] = self._one(applying[row.backfill_id], row, action, comment, apply)
        for backfill_id, one in applying.items():
            for first in {one.context.siblings(i).start: i for i in one.mended}.values():
                one.settling.left_failed(first)
            one.settling.settle()
            if backfill_id is not None:
                self._note_end(tx, backfill_id, now_ms, holds)

    def _one(
        self, applying: Applying, row: InstanceRecord, action: str, comment: str, apply: Apply
    ) -> ItemResult:
        try:
            applied = apply(applying, row)
        except RetrofillError as error:
            return ItemResult(row.id, applying.state(row), error)
        if applied.changed:
            before = applying.state(row)
            noted = ". ".join(text for text in (applied.words, comment) if text)
            applying.tx.record(
                applying.now_ms, self._user, action, row.backfill_id, row.id, before, applied.state, noted
            )
        return ItemResult(row.id, applied.state, unchanged=not applied.changed)

    def _note_end(self, tx: Ledger, backfill_id: int, now_ms: int, holds: Holds | None) -> None:
        record: BackfillRecord | None = tx.find_backfill(backfill_id)
        if record is not None and holds is not None:
            note_end(tx, record, now_ms, holds)


def describe(row: InstanceRecord, context: Context) -> str:
    """An instance as sentences name it."""
    return f"instance {row.id} ({context.task(row.id).name} {scheduled_at(row):%Y-%m-%d %H:%M})"


def _unknown(instance_id: int) -> ItemResult:
    return ItemResult(instance_id, None, unknown_instance(instance_id))


def _permitted(permission: Action, apply: Apply) -> Apply:
    """The operation, refused where the actor's role does not reach to the instance's task (SEC-4)."""

    def checked(applying: Applying, row: InstanceRecord) -> Applied:
        context = applying.context
        if not applying.access.is_unlimited:
            applying.access.check(permission, row, context, describe(row, context))
        return apply(applying, row)

    return checked


def _check(applying: Applying, move: Move, row: InstanceRecord) -> None:
    check(move, applying.state(row), describe(row, applying.context))


def _stop(a: Applying, row: InstanceRecord) -> Applied:
    _check(a, Move.STOP, row)
    return Applied(State.RUNNING, a.tx.mark_stopping(row.id))


def _rerun(a: Applying, row: InstanceRecord, ignore_waits: bool) -> Applied:
    _check(a, Move.RERUN, row)
    mode = a.context.task(row.id).rerun.mode
    if mode == "never" or (mode == "on_failure" and row.state != State.FAILED):
        raise WrongStateError(
            f"{describe(row, a.context)} cannot be rerun: its task says rerun mode {mode}",
            "Change `rerun.mode` of the task and create a new backfill.",
        )
    has_run = any(run.number == row.run_number for run in a.tx.runs(row.id))
    a.tx.rerun([(row.id, row.run_number + 1 if has_run else row.run_number, ignore_waits)])
    a.settling.moved(row.id, row.state, State.NOT_RUN)
    if row.state == State.FAILED:
        a.mended.append(row.id)
    return Applied(State.NOT_RUN)


def _set_successful(a: Applying, row: InstanceRecord) -> Applied:
    _check(a, Move.SET_SUCCESSFUL, row)
    a.tx.set_successful(row.id, a.now_ms)
    a.settling.moved(row.id, row.state, State.SUCCESSFUL)
    a.mended.append(row.id)
    return Applied(State.SUCCESSFUL)


def _freeze(a: Applying, row: InstanceRecord) -> Applied:
    if row.state == State.FROZEN:
        return Applied(State.FROZEN, False)
    _check(a, Move.FREEZE, row)
    if row.state in WAITING:
        a.tx.hold_back(row.id)
    a.tx.freeze(row.id)
    a.settling.moved(row.id, row.state, State.FROZEN)
    return Applied(State.FROZEN)


def _unfreeze(a: Applying, row: InstanceRecord) -> Applied:
    if row.state != State.FROZEN:
        return Applied(a.state(row), False)
    target = State(row.frozen_from or State.NOT_RUN)
    a.tx.unfreeze(row.id, *a.context.unfrozen_kind(row))
    a.settling.moved(row.id, State.FROZEN, target)
    if target is State.FAILED:
        a.mended.append(row.id)  # what it failed with may have been mended meanwhile
    elif target is State.NOT_RUN:
        a.settling.unfrozen(row.id)
    return Applied(target)


def _descendants(context: Context, instance_id: int) -> list[int]:
    """Ids of all instances below by dependencies, over dates too."""
    seen: set[int] = set()
    front = {instance_id}
    while front:
        front = set(context.dependents(sorted(front))) - seen
        seen |= front
    return sorted(seen)
