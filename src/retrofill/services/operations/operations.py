"""What people do to instances (OPS-1..6, OPS-8); how batches are applied is in `batches`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.errors import ChangedMeanwhileError, RetrofillError, WrongStateError
from retrofill.domain.people.roles import Actor
from retrofill.domain.running.results import ItemResult
from retrofill.domain.running.states import WAITING, Move, State, is_legal
from retrofill.domain.texts import Step, Text
from retrofill.services.instances.graph import InstanceGraph
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.operations.batches import Batch, Batches, Effect
from retrofill.services.operations.judging import (
    describe,
    is_back,
    judge_freeze,
    judge_rerun,
    judge_set_successful,
    judge_stop,
    judge_unfreeze,
)
from retrofill.services.people.access import Access, unknown_instance
from retrofill.services.ports.records import InstanceRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Ledger, Reader, Store


class Operations:
    """Operations on instances, in the name of one actor: what he may not see is unknown (SEC-2, SEC-4).

    Args:
        together: as in `Batches`.
        as_of_ms: when somebody looked at what is rerun; what has begun to run since is refused. None: whenever.
    """

    def __init__(
        self,
        store: Store,
        graphs: GraphCache,
        clock: Clock,
        actor: Actor,
        together: bool = False,
        as_of_ms: int | None = None,
    ) -> None:
        self._store = store
        self._graphs = graphs
        self._actor = actor
        self._as_of_ms = as_of_ms
        self.batches = Batches(store, graphs, clock, actor, together)

    def stop(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-1: ask for the end of running instances; `Failed` shows once their processes have ended."""
        return self.batches.each("stop", ids, comment, _stop)

    def rerun(
        self, ids: Sequence[int], comment: str = "", ignore_waits: bool = False, latest: bool = False
    ) -> list[ItemResult]:
        """OPS-2; several in order (OPS-3).

        All go back to Not run together, each waits for those of its upstream that were chosen or have
        not succeeded, and dates that are not complete any more come first again.

        Args:
            ignore_waits: all at once, whatever waits and dates say.
            latest: with the code of the current version, from now on.
        """
        keeps_order = not ignore_waits and len(set(ids)) > 1
        how = _Rerun(self._graphs, latest, ignore_waits, keeps_order, self._as_of_ms)
        return self.batches.each("rerun", ids, comment, how.apply, upstream_first=not ignore_waits)

    def set_successful(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-5."""
        return self.batches.each("set-successful", ids, comment, _set_successful)

    def freeze(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-6."""
        return self.batches.each("freeze", ids, comment, _freeze)

    def unfreeze(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """OPS-6: back to the state that it was frozen from."""
        return self.batches.each("unfreeze", ids, comment, _unfreeze)

    # Descendants (OPS-4)

    def rerun_descendants(
        self,
        ids: Sequence[int],
        comment: str = "",
        include_self: bool = False,
        tasks: frozenset[str] | None = None,
        latest: bool = False,
    ) -> list[ItemResult]:
        """The ended descendants, within its backfill or the schedule, in dependency order.

        Refused where one of them runs: it, and what follows it, would be built from old data.

        Args:
            tasks: only instances of these tasks, full names; None for all.
            latest: with the code of the current version, from now on.
        """
        results: list[ItemResult] = []
        chosen: dict[int, frozenset[int]] = {}  # what an instance that is rerun comes with, running or not
        others: dict[int, int | None] = {}  # those of it that have nothing to be run again: when they started
        with self._store.read() as reader:
            access = Access(reader, self._graphs, self._actor)
            running = {row.id: row for row, _ in reader.running()}
            for instance_id in dict.fromkeys(ids):
                row = reader.find_instance(instance_id)
                if row is None or not access.sees_instance(row):
                    results.append(ItemResult(instance_id, None, unknown_instance(instance_id)))
                    continue
                below = self._below(reader, row, include_self, tasks)
                busy = [running[i] for i in sorted(below & running.keys())]
                error = _busy(row, self._graphs.of(reader, row), busy, access) if busy else None
                rows = reader.instances(sorted(below))
                found = [r.id for r in rows if _may_come_along(r, instance_id)]
                if error is None and not found:
                    error = WrongStateError(f"instance {instance_id} has no ended descendants")
                if error is not None:
                    results.append(ItemResult(instance_id, row.state, error))
                    continue
                context = self._graphs.of(reader, row)
                seen = [i for i in found if access.sees(context.task(i).name)]
                chosen |= {i: chosen.get(i, frozenset()) | below for i in seen}
                others |= {r.id: r.started_ms for r in rows if access.sees(context.task(r.id).name)}
        apply = _WithDescendants(_Rerun(self._graphs, latest), chosen).apply
        ids = sorted(chosen)
        while ids:
            results += self.batches.each("rerun-descendants", ids, comment, apply, upstream_first=True)
            ids = self._ran_meanwhile(others, chosen)
            chosen |= {i: frozenset({i}) for i in ids}
        return results

    def _ran_meanwhile(self, others: Mapping[int, int | None], chosen: Collection[int]) -> list[int]:
        """What has begun and ended since it was looked at, on data that was about to be made anew."""
        with self._store.read() as reader:
            rows = reader.instances(sorted(others.keys() - set(chosen)))
        return [r.id for r in rows if is_legal(Move.RERUN, State(r.state)) and r.started_ms != others[r.id]]

    def running_below(
        self, ids: Sequence[int], include_self: bool = False, tasks: frozenset[str] | None = None
    ) -> list[int]:
        """Of these instances and their descendants, those for which a rerun would be refused (OPS-4).

        A foreign one is not named: the rerun is refused because of it all the same.
        """
        with self._store.read() as reader:
            access = Access(reader, self._graphs, self._actor)
            running = {row.id for row, _ in reader.running() if access.sees_instance(row)}
            found: set[int] = set()
            for row in reader.instances(ids):
                if access.sees_instance(row):
                    found |= self._below(reader, row, include_self, tasks) & running
        return sorted(found)

    def _below(
        self, reader: Reader, row: InstanceRecord, include_self: bool, tasks: frozenset[str] | None
    ) -> frozenset[int]:
        context = self._graphs.of(reader, row)
        found = {i for i in _descendants(context, row.id) if tasks is None or context.task(i).name in tasks}
        return frozenset(found | {row.id} if include_self else found)


def _may_come_along(row: InstanceRecord, asked_for: int) -> bool:
    """What has ended; and the instance itself, that it be said why it cannot be rerun."""
    return row.id == asked_for or is_legal(Move.RERUN, State(row.state))


def _busy(
    row: InstanceRecord, context: InstanceGraph, running: Iterable[InstanceRecord], access: Access
) -> RetrofillError:
    names = [
        describe(one, context) if access.sees_instance(one) else "an instance of another workspace"
        for one in running
    ]
    verb = "is" if len(names) == 1 else "are"
    return WrongStateError(
        f"{describe(row, context)} cannot be rerun with its descendants while {', '.join(names)} {verb} Running",
        Text(
            "Wait for the end, or let {rerun} stop what runs first.",
            rerun=Step("instance.rerun_descendants", id=row.id, stop_running=True),
        ),
    )


def _stop(batch: Batch, row: InstanceRecord) -> Effect:
    judge_stop(batch, row)
    return Effect(State.RUNNING, batch.tx.mark_stopping(row.id))


@dataclass(frozen=True, slots=True)
class _Rerun:
    """How ended instances are rerun."""

    graphs: GraphCache
    latest: bool = False
    ignore_waits: bool = False
    keeps_order: bool = False
    as_of_ms: int | None = None

    def apply(self, batch: Batch, row: InstanceRecord) -> Effect:
        if self.as_of_ms is not None and (row.started_ms or 0) > self.as_of_ms:
            raise ChangedMeanwhileError(
                f"{describe(row, batch.context)} has begun to run again since you looked at it"
            )
        version_id = judge_rerun(batch, row, self.graphs, self.latest)
        words = f"with version {version_id}" if version_id is not None else ""
        self._keep_version(batch, row, version_id)
        if is_back(batch, row):
            return Effect(State.NOT_RUN, words=words)
        has_run = any(run.number == row.run_number for run in batch.tx.runs(row.id))
        batch.tx.rerun([(row.id, row.run_number + 1 if has_run else row.run_number, self.ignore_waits)])
        batch.propagation.moved(row.id, row.state, State.NOT_RUN)
        if row.state == State.FAILED:
            batch.mended.append(row.id)
        batch.rerun.append(row.id)
        batch.is_reopened = True
        batch.keeps_order = self.keeps_order
        return Effect(State.NOT_RUN, words=words)

    def _keep_version(self, batch: Batch, row: InstanceRecord, version_id: int | None) -> None:
        """From now on; later reruns without a word about it keep it."""
        if version_id is not None and version_id != (row.code_version_id or batch.context.version_id(row.id)):
            batch.tx.set_code_version(row.id, version_id)


class _WithDescendants:
    """A rerun that a descendant which has begun to run in the meantime hinders (OPS-4).

    Args:
        chosen: what each instance comes with.
    """

    def __init__(self, rerun: _Rerun, chosen: Mapping[int, frozenset[int]]) -> None:
        self._rerun, self._chosen = rerun, chosen
        self._tx: Ledger | None = None  # the transaction in which was looked what runs
        self._running: dict[int, InstanceRecord] = {}
        self._done: set[int] = set()  # they may run again while others are still to be rerun

    def apply(self, batch: Batch, row: InstanceRecord) -> Effect:
        if self._tx is not batch.tx:
            self._tx, self._running = batch.tx, {one.id: one for one, _ in batch.tx.running()}
        busy = [self._running[i] for i in sorted((self._chosen[row.id] & self._running.keys()) - self._done)]
        if busy:
            raise _busy(row, batch.context, busy, batch.access)
        self._done.add(row.id)
        return self._rerun.apply(batch, row)


def _set_successful(batch: Batch, row: InstanceRecord) -> Effect:
    judge_set_successful(batch, row)
    batch.tx.set_successful(row.id, batch.now_ms)
    batch.propagation.moved(row.id, row.state, State.SUCCESSFUL)
    batch.mended.append(row.id)
    batch.is_reopened = True
    return Effect(State.SUCCESSFUL)


def _freeze(batch: Batch, row: InstanceRecord) -> Effect:
    if not judge_freeze(batch, row):
        return Effect(State.FROZEN, False)
    if row.state in WAITING:
        batch.tx.hold_back(row.id)
    batch.tx.freeze(row.id)
    batch.propagation.moved(row.id, row.state, State.FROZEN)
    return Effect(State.FROZEN)


def _unfreeze(batch: Batch, row: InstanceRecord) -> Effect:
    if not judge_unfreeze(batch, row):
        return Effect(batch.state(row), False)
    target = State(row.frozen_from or State.NOT_RUN)
    batch.tx.unfreeze(row.id, *batch.context.unfrozen_kind(row))
    batch.propagation.moved(row.id, State.FROZEN, target)
    batch.is_reopened = True
    if target is State.FAILED:
        batch.mended.append(row.id)  # what it failed with may have been mended meanwhile
    elif target is State.NOT_RUN:
        batch.thawed.append(row.id)
    return Effect(target)


def _descendants(context: InstanceGraph, instance_id: int) -> list[int]:
    """Ids of all instances below by dependencies, over dates too."""
    seen: set[int] = set()
    front = {instance_id}
    while front:
        front = set(context.dependents(sorted(front))) - seen
        seen |= front
    return sorted(seen)
