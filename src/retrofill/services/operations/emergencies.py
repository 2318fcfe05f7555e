"""What administrators may change about one instance when time is short (OPS-7).

A removed wait stays removed: an upstream instance that leaves Successful later is not waited for
again. A priority or a resource group that was set stays, whatever age and backfill say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.people.roles import Action
from retrofill.domain.planning.policy import PRIORITIES, PriorityError
from retrofill.domain.running.places import Place
from retrofill.domain.running.results import ItemResult
from retrofill.domain.running.states import State
from retrofill.services.operations.batches import Apply, Batch, Effect
from retrofill.services.operations.judging import (
    check_known,
    judge_change,
    judge_group,
    judge_priority,
    judge_waits,
)
from retrofill.services.operations.operations import Operations
from retrofill.services.ports.interventions import ISOLATION
from retrofill.services.ports.records import InstanceRecord


class Emergencies:
    """Changes of single instances, in the name of who operates.

    Args:
        groups: resource groups by name, as deployed when they were named.
    """

    def __init__(self, operations: Operations, groups: Mapping[str, ResourceGroup]) -> None:
        self._operations = operations
        self._groups = groups

    def remove_waits(
        self, ids: Sequence[int], upstream: Sequence[int] | None, comment: str = ""
    ) -> list[ItemResult]:
        """Let instances wait no longer for upstream ones; the turn of their date still has to come (POL-6).

        Args:
            upstream: ids that every one of the instances waits for; None for all, and for its
                isolation, which takes the place of an upstream that was never made.
        """
        wanted = None if upstream is None else frozenset(upstream)
        return self._each("remove-wait", ids, comment, lambda batch, row: _remove_waits(batch, row, wanted))

    def set_priority(self, ids: Sequence[int], priority: int, comment: str = "") -> list[ItemResult]:
        """Set the priority with which instances queue.

        Raises:
            PriorityError: none of those that there are.
        """
        check_priority(priority)
        return self._each(
            "set-priority", ids, comment, lambda batch, row: _set_priority(batch, row, priority)
        )

    def set_resource_group(self, ids: Sequence[int], name: str, comment: str = "") -> list[ItemResult]:
        """Set the resource group whose slots instances take; it must be bound to their workspaces.

        Raises:
            UnknownNameError: there is no such group.
        """
        check_known(name, self._groups)
        return self._each("set-resource-group", ids, comment, lambda batch, row: _set_group(batch, row, name))

    def set_places(self, places: Mapping[int, Place], comment: str = "") -> list[ItemResult]:
        """Set priority, resource group or both of each instance, by id; errors as those that set one of them."""
        for place in places.values():
            if place.priority is not None:
                check_priority(place.priority)
            if place.resource_group:
                check_known(place.resource_group, self._groups)

        def apply(batch: Batch, row: InstanceRecord) -> Effect:
            priority, name = places[row.id]
            done = [] if priority is None else [_set_priority(batch, row, priority)]
            done += [] if name is None else [_set_group(batch, row, name)]
            changed = [effect for effect in done if effect.changed]
            words = ", ".join(effect.words for effect in changed)
            return Effect(judge_change(batch, row), bool(changed), words)

        return self._each("set-place", [*places], comment, apply)

    def _each(self, action: str, ids: Sequence[int], comment: str, apply: Apply) -> list[ItemResult]:
        return self._operations.batches.each(action, ids, comment, apply, Action.EMERGENCY)


def check_priority(priority: int) -> None:
    if priority not in PRIORITIES:
        raise PriorityError(f"{priority} is no priority: there are 1, 3, 5, 7 and 8")


def _remove_waits(batch: Batch, row: InstanceRecord, wanted: frozenset[int] | None) -> Effect:
    new = judge_waits(batch, row, wanted)
    if not new:
        return Effect(batch.state(row), changed=False)
    waits = batch.context.upstream(row.id)
    still_open = [up.id for up in batch.tx.instances(sorted(new)) if up.state != State.SUCCESSFUL]
    count = sum(waits.count(up) for up in still_open) + (ISOLATION in new)
    batch.tx.interventions.remove_waits(row.id, new)
    batch.tx.add_waits([(-count, row.id)])
    if ISOLATION in new:
        batch.tx.interventions.end_isolation(row.id)
    batch.propagation.reconsider([row.id])
    return Effect(batch.state(row), words=_removed_words(new))


def _removed_words(new: frozenset[int]) -> str:
    """What the record says; ids and no names, because who reads it may not see all of them."""
    names = ", ".join(f"instance {number}" for number in sorted(new - {ISOLATION}))
    parts = [f"waits no longer for {names}"] if names else []
    if ISOLATION in new:
        parts.append("is isolated no longer")
    return ", ".join(parts)


def _set_priority(batch: Batch, row: InstanceRecord, priority: int) -> Effect:
    if not judge_priority(batch, row, priority):
        return Effect(batch.state(row), changed=False)
    batch.tx.interventions.set_priority(row.id, priority)
    return Effect(batch.state(row), words=f"priority {row.priority} -> {priority}")


def _set_group(batch: Batch, row: InstanceRecord, name: str) -> Effect:
    if not judge_group(batch, row, name):
        return Effect(batch.state(row), changed=False)
    batch.tx.interventions.set_resource_group(row.id, name)
    return Effect(batch.state(row), words=f"resource group {row.resource_group} -> {name}")
