"""What somebody does to instances, one by one or many at once (OPS-1..7).

Each is judged by itself: what the actor may not do, and what does not fit its state, is in its result. An
instance that he may not see is answered like one that there is not (SEC-2, SEC-4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.results import ItemResult
from retrofill.services.operation_center.desk import Desk
from retrofill.services.people.access import unknown_instance

if TYPE_CHECKING:
    from retrofill.services.operations.operations import Operations

_Act = Callable[["Operations"], list[ItemResult]]


class InstanceActs(Desk):
    _as_of_ms: int | None = None

    def as_of(self, moment: datetime | None) -> Self:
        """The same desk, which reruns nothing that has begun to run since somebody looked: ChangedMeanwhileError.

        Args:
            moment: when that was; None: whatever has run.
        """
        desk = type(self)(self._parts, self._actor)
        desk._as_of_ms = None if moment is None else round(moment.timestamp() * 1000)
        return desk

    def stop(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """Ask for the end of running instances (OPS-1); they are Failed once their processes have ended."""
        return self._each(ids, lambda operations: operations.stop(ids, comment))

    def rerun(
        self, ids: Sequence[int], comment: str = "", ignore_dependencies: bool = False, latest: bool = False
    ) -> list[ItemResult]:
        """Run ended instances again, in order (OPS-2, OPS-3).

        Args:
            ignore_dependencies: all at once, whatever waits and dates say.
            latest: with the code of the deployed version, from now on.
        """
        return self._each(ids, lambda operations: operations.rerun(ids, comment, ignore_dependencies, latest))

    def rerun_descendants(
        self,
        ids: Sequence[int],
        comment: str = "",
        with_self: bool = False,
        tasks: Sequence[str] = (),
        latest: bool = False,
    ) -> list[ItemResult]:
        """Run the ended descendants again, in dependency order (OPS-4).

        Args:
            tasks: only descendants of these, by name or id; none for all.

        Raises:
            UnknownNameError: there is no such task.
        """
        chosen = self._full_names(tasks)
        return self._each(
            ids, lambda operations: operations.rerun_descendants(ids, comment, with_self, chosen, latest)
        )

    def running_below(
        self, ids: Sequence[int], with_self: bool = False, tasks: Sequence[str] = ()
    ) -> list[int]:
        """Of these instances and their descendants, those for which a rerun would be refused (OPS-4)."""
        chosen = self._full_names(tasks)
        return [] if self._parts.deployed is None else self._operations.running_below(ids, with_self, chosen)

    def set_successful(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """Take failed instances as successful (OPS-5)."""
        return self._each(ids, lambda operations: operations.set_successful(ids, comment))

    def freeze(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """They and what waits for them stand still (OPS-6)."""
        return self._each(ids, lambda operations: operations.freeze(ids, comment))

    def unfreeze(self, ids: Sequence[int], comment: str = "") -> list[ItemResult]:
        """Back to the state that they were frozen from (OPS-6)."""
        return self._each(ids, lambda operations: operations.unfreeze(ids, comment))

    def remove_waits(
        self, ids: Sequence[int], upstream: Sequence[int] | None, comment: str = ""
    ) -> list[ItemResult]:
        """Let instances wait no longer for upstream ones (OPS-7).

        Args:
            upstream: ids that every one of them waits for; None for all, and for its isolation.
        """
        from retrofill.services.operations.emergencies import Emergencies

        groups = self._parts.in_force.resource_groups
        return self._each(ids, lambda found: Emergencies(found, groups).remove_waits(ids, upstream, comment))

    def set_priority(self, ids: Sequence[int], priority: int, comment: str = "") -> list[ItemResult]:
        """Set the priority with which instances queue (OPS-7).

        Raises:
            PriorityError: none of those that there are.
        """
        from retrofill.services.operations.emergencies import Emergencies

        groups = self._parts.in_force.resource_groups
        return self._each(ids, lambda found: Emergencies(found, groups).set_priority(ids, priority, comment))

    def set_resource_group(self, ids: Sequence[int], group: str, comment: str = "") -> list[ItemResult]:
        """Let instances take a slot of another resource group (OPS-7).

        Raises:
            UnknownNameError: there is no such group.
        """
        from retrofill.services.operations.emergencies import Emergencies

        groups = self._parts.in_force.resource_groups
        return self._each(
            ids, lambda found: Emergencies(found, groups).set_resource_group(ids, group, comment)
        )

    # Inside

    def _each(self, ids: Sequence[int], act: _Act) -> list[ItemResult]:
        if self._parts.deployed is None:  # there may be no store, and looking for them shall make none
            return [ItemResult(i, None, unknown_instance(i)) for i in dict.fromkeys(ids)]
        return act(self._operations)

    @property
    def _operations(self) -> Operations:
        from retrofill.services.operations.operations import Operations

        parts = self._parts
        return Operations(parts.store, parts.graphs, parts.clock, self._actor, as_of_ms=self._as_of_ms)

    def _full_names(self, tasks: Sequence[str]) -> frozenset[str] | None:
        """Full names of deployed tasks; None where none are named."""
        from retrofill.services.catalogs.deploy import find_task

        if not tasks:
            return None
        with self.view(UnknownNameError("nothing is deployed yet")) as view:
            assert self._parts.deployed is not None
            catalog = self._parts.deployed.catalog
            return frozenset(find_task(catalog, view.task_ids, text, view.sees) for text in tasks)
