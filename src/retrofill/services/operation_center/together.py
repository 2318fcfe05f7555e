"""What somebody does to several instances, or several backfills, as one: to all of them, or to none (OPS-1..7, BF-3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.results import RefusedTogetherError
from retrofill.services.operation_center.desk import Desk
from retrofill.services.people.access import unknown_backfill, unknown_instance

if TYPE_CHECKING:
    from retrofill.domain.running.places import Place
    from retrofill.domain.running.results import ItemResult
    from retrofill.domain.running.steering import Steer
    from retrofill.services.operations.emergencies import Emergencies
    from retrofill.services.operations.operations import Operations


class TogetherActs(Desk):
    """Each raises RefusedTogetherError, which names the first one to which it cannot be done and why.

    Then nothing is done to any. LimitError: more would change than one transaction may write.
    """

    def stop(self, ids: Sequence[int], comment: str = "") -> None:
        """Ask for the end of running instances (OPS-1)."""
        self._all(ids, lambda operations: operations.stop(ids, comment))

    def rerun(self, ids: Sequence[int], comment: str = "", latest: bool = False) -> None:
        """Run ended instances again, in order (OPS-2, OPS-3).

        Args:
            latest: with the code of the deployed version, from now on.
        """
        self._all(ids, lambda operations: operations.rerun(ids, comment, latest=latest))

    def set_successful(self, ids: Sequence[int], comment: str = "") -> None:
        """Take failed instances as successful (OPS-5)."""
        self._all(ids, lambda operations: operations.set_successful(ids, comment))

    def freeze(self, ids: Sequence[int], comment: str = "") -> None:
        """They and what waits for them stand still (OPS-6)."""
        self._all(ids, lambda operations: operations.freeze(ids, comment))

    def unfreeze(self, ids: Sequence[int], comment: str = "") -> None:
        """Back to the state that they were frozen from (OPS-6)."""
        self._all(ids, lambda operations: operations.unfreeze(ids, comment))

    def remove_waits(self, ids: Sequence[int], upstream: Sequence[int] | None, comment: str = "") -> None:
        """Let instances wait no longer for upstream ones (OPS-7).

        Args:
            upstream: ids that every one of them waits for; None for all.
        """
        self._all(ids, lambda operations: self._emergencies(operations).remove_waits(ids, upstream, comment))

    def place(self, places: Mapping[int, Place], comment: str = "") -> None:
        """Set where instances queue, by id (OPS-7).

        Raises:
            PriorityError, UnknownNameError: there is no such priority, or no such group.
        """
        self._all([*places], lambda operations: self._emergencies(operations).set_places(places, comment))

    def resume_backfills(self, ids: Sequence[int], comment: str = "") -> None:
        """Take back pauses and stops; one that goes on already is no refusal."""
        from retrofill.domain.running.steering import Steer

        self._steer(Steer.RESUME, ids, comment)

    def stop_backfills(self, ids: Sequence[int], comment: str = "") -> None:
        """End what runs of them, and start nothing further; only who may steer all of them may."""
        from retrofill.domain.running.steering import Steer

        self._steer(Steer.STOP, ids, comment)

    # Inside

    def _steer(self, steer: Steer, ids: Sequence[int], comment: str) -> None:
        from retrofill.services.backfills.steering import BackfillSteering

        parts = self._parts
        if parts.deployed is None:
            raise RefusedTogetherError(ids[0], unknown_backfill(ids[0]))
        BackfillSteering(parts.store, parts.graphs, parts.clock, self._actor).together(steer, ids, comment)

    def _all(self, ids: Sequence[int], act: Callable[[Operations], list[ItemResult]]) -> None:
        from retrofill.services.operations.operations import Operations

        parts = self._parts
        if parts.deployed is None:  # there may be no store, and looking for them shall make none
            raise RefusedTogetherError(ids[0], unknown_instance(ids[0]))
        act(Operations(parts.store, parts.graphs, parts.clock, self._actor, together=True))

    def _emergencies(self, operations: Operations) -> Emergencies:
        from retrofill.services.operations.emergencies import Emergencies

        return Emergencies(operations, self._parts.in_force.resource_groups)
