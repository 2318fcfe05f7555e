"""What somebody may do with backfills as wholes: pause, resume, stop, change, rerun, freeze."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.errors import NotPermittedError, RetrofillError
from retrofill.domain.people.roles import Actor
from retrofill.domain.planning.changes import Changes
from retrofill.domain.running.results import ChangeReport, ItemResult, RefusedTogetherError
from retrofill.domain.running.states import State
from retrofill.domain.running.steering import FLAGS, Steer, Verdict
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.backfills.changes import BackfillChanges
from retrofill.services.backfills.tags import Check, expecting
from retrofill.services.backfills.whole import WholeAct, check_may, judged, nothing_of, taken_by
from retrofill.services.instances.backfill_status import note_end
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.holds import holds_of
from retrofill.services.operations.operations import Operations
from retrofill.services.people.access import Access
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Ledger, Reader, Store


@dataclass(frozen=True, slots=True)
class Steered:
    """A backfill as it is after a pause, resume or stop; `stopping` are the runs that a stop ends."""

    record: BackfillRecord
    is_changed: bool
    stopping: tuple[ItemResult, ...] = ()


_ANYHOW = expecting(None)


class BackfillSteering:
    """Steers the backfills of one store, in the name of one actor.

    Args:
        check: refuses to pause, resume, stop or change a backfill that is not as it is expected to be.
    """

    def __init__(
        self, store: Store, graphs: GraphCache, clock: Clock, actor: Actor, check: Check = _ANYHOW
    ) -> None:
        self._check = check
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self._actor = actor
        self._user = actor.name

    def may_stop(self, backfill_id: int) -> bool:
        """Whether the actor may stop it as a whole (SEC-4)."""
        with self._store.read() as reader:
            access = self._access(reader)
            return access.may_hold(access.get_backfill(backfill_id))

    def pause(self, backfill_id: int, comment: str = "") -> Steered:
        """Nothing new starts; running instances end (BF-3)."""
        return self._steer(Steer.PAUSE, backfill_id, comment)

    def resume(self, backfill_id: int, comment: str = "") -> Steered:
        """Take back a pause or a stop."""
        return self._steer(Steer.RESUME, backfill_id, comment)

    def together(self, steer: Steer, backfill_ids: Sequence[int], comment: str = "") -> None:
        """Pause, resume or stop several as one.

        Raises:
            RefusedTogetherError: one of them cannot be; then nothing is done to any.
        """
        with self._store.transaction() as tx:
            for backfill_id in backfill_ids:
                try:
                    self._steer_in(tx, steer, backfill_id, comment)
                except RetrofillError as error:
                    raise RefusedTogetherError(backfill_id, error) from None
        self._store.wake()

    def stop(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        """OPS-1: all running instances, and nothing further starts until resumed or rerun.

        Somebody who may not stop the backfill as a whole ends the instances that he may operate, and the
        others go on (SEC-4); what is left alone is in the results, as far as he may see it.
        """
        if self.may_stop(backfill_id):
            return list(self._steer(Steer.STOP, backfill_id, comment).stopping)
        with self._store.read() as reader:
            access = self._access(reader)
            self._check(access.get_backfill(backfill_id))
            running = [row.id for row, _ in reader.running() if row.backfill_id == backfill_id]
            seen = [row.id for row in reader.instances(running) if access.sees_instance(row)]
        results = self._operations().stop(seen, comment)
        if not any(item.ok for item in results):
            raise NotPermittedError(f"no instance of backfill {backfill_id} that you may operate is running")
        return results

    def change(self, backfill_id: int, changes: Changes, comment: str = "") -> ChangeReport:
        """Groups, window, priority, resource group, while it runs (BF-3); errors as `BackfillChanges.change`."""
        return self._changing().change(backfill_id, changes, comment)

    def rerun(
        self,
        backfill_id: int,
        only_failed: bool = False,
        comment: str = "",
        ignore_waits: bool = False,
        latest: bool = False,
    ) -> list[ItemResult]:
        """OPS-3: all its ended instances, or those that failed, in order.

        Args:
            ignore_waits: all at once, ignoring dependencies and the order of bizdates.
            latest: with the code of the current version, from now on.
        """
        return self._whole(
            backfill_id,
            WholeAct.RERUN,
            lambda ids: self._operations().rerun(ids, comment, ignore_waits, latest),
            only_failed,
        )

    def freeze(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        """BF-4: what has not started and does not wait for time or resources."""
        return self._whole(backfill_id, WholeAct.FREEZE, lambda ids: self._operations().freeze(ids, comment))

    def unfreeze(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        return self._whole(
            backfill_id, WholeAct.UNFREEZE, lambda ids: self._operations().unfreeze(ids, comment)
        )

    # Inside

    def _operations(self) -> Operations:
        return Operations(self._store, self._graphs, self._clock, self._actor)

    def _changing(self) -> BackfillChanges:
        return BackfillChanges(self._store, self._graphs, self._clock, self._actor, self._check)

    def _access(self, reader: Reader) -> Access:
        return Access(reader, self._graphs, self._actor)

    def _steer(self, steer: Steer, backfill_id: int, comment: str) -> Steered:
        with self._store.transaction() as tx:
            steered = self._steer_in(tx, steer, backfill_id, comment)
        if steered.is_changed:
            self._store.wake()
        return steered

    def _steer_in(self, tx: Ledger, steer: Steer, backfill_id: int, comment: str) -> Steered:
        now_ms, access = self._clock.now_ms(), self._access(tx)
        record = access.get_backfill(backfill_id)
        check_may(access, steer, record)
        self._check(record)
        if judged(tx, steer, record, now_ms) is Verdict.UNCHANGED:
            return Steered(record, is_changed=False)
        running = [row.id for row, _ in tx.running() if row.backfill_id == backfill_id]
        stopping = running if steer is Steer.STOP else []
        if steer is Steer.RESUME and record.paused_by:
            tx.outbox.new_round(backfill_id)  # so that another pause by itself is told again
        tx.set_backfill(backfill_id, **FLAGS[steer])
        tx.record(now_ms, self._user, steer.value, backfill_id, comment=comment)
        for instance_id in stopping:
            tx.mark_stopping(instance_id)
            state = State.RUNNING.value
            tx.record(now_ms, self._user, "stop", backfill_id, instance_id, state, state, comment)
        self._note_end(tx, backfill_id, now_ms, is_reopened=steer is Steer.RESUME)
        record = access.get_backfill(backfill_id)
        return Steered(record, True, tuple(ItemResult(i, State.RUNNING) for i in stopping))

    def _whole(
        self,
        backfill_id: int,
        act: WholeAct,
        apply: Callable[[list[int]], list[ItemResult]],
        only_failed: bool = False,
    ) -> list[ItemResult]:
        with self._store.read() as reader:
            access = self._access(reader)
            record = access.get_backfill(backfill_id)
            taken = taken_by(reader, record, act, self._clock.now_ms(), only_failed)
            ids = [row.id for row in reader.instance_range(*taken) if access.sees_instance(row)]
        if not ids:
            raise nothing_of(record, taken, act, access.sees_all_of(record))
        return apply(ids)

    def _note_end(self, tx: Ledger, backfill_id: int, now_ms: int, is_reopened: bool) -> None:
        record = tx.find_backfill(backfill_id)
        assert record is not None
        note_end(tx, record, now_ms, holds_of(tx.open_backfills(), instant_of(now_ms)), is_reopened)
