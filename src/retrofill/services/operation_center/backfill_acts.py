"""What somebody does with backfills as wholes (BF-3, BF-4, OPS-1..3, SEC-4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self

from retrofill.domain.running.results import StopResult
from retrofill.services.operation_center.desk import Desk
from retrofill.services.people.access import unknown_backfill

if TYPE_CHECKING:
    from retrofill.domain.planning.changes import Changes
    from retrofill.domain.running.results import ChangeReport, ItemResult
    from retrofill.services.backfills.steering import BackfillSteering


class BackfillActs(Desk):
    """Each raises UnknownNameError where there is no such backfill, as far as the actor knows."""

    _tags: Collection[str] | None = None  # that a backfill must have

    def as_of(self, tags: Collection[str] | None) -> Self:
        """The same desk, which pauses, resumes, stops and changes only what is as somebody has seen it.

        A backfill that is not raises ChangedMeanwhileError, and nothing is done.

        Args:
            tags: one of them must be the backfill's; None: however it is.
        """
        desk = type(self)(self._parts, self._actor)
        desk._tags = tags
        return desk

    def pause(self, backfill_id: int, comment: str = "") -> bool:
        """Start nothing new, running instances end; whether that is new.

        Raises:
            NotPermittedError: neither its creator, nor who may operate all of it.
            WrongStateError: it has ended.
        """
        return self._steering(backfill_id).pause(backfill_id, comment).is_changed

    def resume(self, backfill_id: int, comment: str = "") -> bool:
        """Take back a pause or a stop; whether there was one.

        Raises:
            NotPermittedError: the actor may not operate all of it.
            WrongStateError: it has ended.
        """
        return self._steering(backfill_id).resume(backfill_id, comment).is_changed

    def stop(self, backfill_id: int, comment: str = "") -> StopResult:
        """End what runs of it, and start nothing further; of one that the actor may not steer, what he may operate.

        Raises:
            NotPermittedError: nothing runs of it that the actor may operate.
            WrongStateError: it has ended.
        """
        steering = self._steering(backfill_id)
        is_whole = steering.may_stop(backfill_id)
        return StopResult(tuple(steering.stop(backfill_id, comment)), is_whole)

    def change(self, backfill_id: int, changes: Changes, comment: str = "") -> ChangeReport:
        """Change how it runs, also while it runs.

        Raises:
            NotPermittedError: the actor may not operate all of it.
            WrongStateError: it has ended for good, has no instances, or its groups cannot change.
            UnknownNameError: there is no such resource group.
        """
        return self._steering(backfill_id).change(backfill_id, changes, comment)

    def rerun(
        self,
        backfill_id: int,
        only_failed: bool = False,
        comment: str = "",
        ignore_dependencies: bool = False,
        latest: bool = False,
    ) -> list[ItemResult]:
        """Run all its ended instances again, or those that failed, in order (OPS-3).

        Args:
            ignore_dependencies: all at once, whatever waits and dates say.
            latest: with the code of the deployed version, from now on.
        """
        steering = self._steering(backfill_id)
        return steering.rerun(backfill_id, only_failed, comment, ignore_dependencies, latest)

    def freeze(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        """Freeze what has not started and does not wait for time or resources (BF-4)."""
        return self._steering(backfill_id).freeze(backfill_id, comment)

    def unfreeze(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        """Let every frozen instance of it go on."""
        return self._steering(backfill_id).unfreeze(backfill_id, comment)

    def _steering(self, backfill_id: int) -> BackfillSteering:
        from retrofill.services.backfills.steering import BackfillSteering
        from retrofill.services.backfills.tags import expecting

        parts = self._parts
        if parts.deployed is None:  # there may be no store, and looking for it shall make none
            raise unknown_backfill(backfill_id)
        check = expecting(self._tags)
        return BackfillSteering(parts.store, parts.graphs, parts.clock, self._actor, check)
