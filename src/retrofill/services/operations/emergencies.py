"""What administrators may change about one instance when time is short (OPS-7).

A removed wait stays removed: an upstream instance that leaves Successful later is not waited for
again. A priority or a resource group that was set stays, whatever age and backfill say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.errors import (
    UnknownNameError,
    UsageError,
    WrongStateError,
    did_you_mean,
    shown,
)
from retrofill.domain.people.roles import Action
from retrofill.domain.planning.policy import PRIORITIES, PriorityError
from retrofill.domain.running.places import Place
from retrofill.domain.running.results import ItemResult
from retrofill.domain.running.states import Reason, State, check_changeable
from retrofill.domain.texts import Step, Text
from retrofill.services.operations.batches import Apply, Batch, Effect, describe
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
        _check_priority(priority)
        return self._each(
            "set-priority", ids, comment, lambda batch, row: _set_priority(batch, row, priority)
        )

    def set_resource_group(self, ids: Sequence[int], name: str, comment: str = "") -> list[ItemResult]:
        """Set the resource group whose slots instances take; it must be bound to their workspaces.

        Raises:
            UnknownNameError: there is no such group.
        """
        _check_known(name, self._groups)
        return self._each("set-resource-group", ids, comment, lambda batch, row: _set_group(batch, row, name))

    def set_places(self, places: Mapping[int, Place], comment: str = "") -> list[ItemResult]:
        """Set priority, resource group or both of each instance, by id; errors as those that set one of them."""
        for place in places.values():
            if place.priority is not None:
                _check_priority(place.priority)
            if place.resource_group:
                _check_known(place.resource_group, self._groups)

        def apply(batch: Batch, row: InstanceRecord) -> Effect:
            priority, name = places[row.id]
            done = [] if priority is None else [_set_priority(batch, row, priority)]
            done += [] if name is None else [_set_group(batch, row, name)]
            changed = [effect for effect in done if effect.changed]
            words = ", ".join(effect.words for effect in changed)
            return Effect(_check(batch, row), bool(changed), words)

        return self._each("set-place", [*places], comment, apply)

    def _each(self, action: str, ids: Sequence[int], comment: str, apply: Apply) -> list[ItemResult]:
        return self._operations.batches.each(action, ids, comment, apply, Action.EMERGENCY)


def _check_priority(priority: int) -> None:
    if priority not in PRIORITIES:
        raise PriorityError(f"{priority} is no priority: there are 1, 3, 5, 7 and 8")


def _remove_waits(batch: Batch, row: InstanceRecord, wanted: frozenset[int] | None) -> Effect:
    state = _check(batch, row)
    waits = batch.context.upstream(row.id)
    removed = batch.tx.interventions.removed_of(row.id)
    is_isolated = batch.context.isolated_from(row.id) or row.reason == Reason.ISOLATED
    known = {*waits, ISOLATION} if is_isolated else set(waits)
    if wanted is None:
        wanted = frozenset(known)
    if strangers := sorted(wanted - known):
        names = ", ".join(f"instance {number}" for number in strangers)
        raise WrongStateError(
            f"{describe(row, batch.context)} does not wait for {names}",
            Text("{dag} shows what it waits for.", dag=Step("instance.dag", id=row.id)),
        )
    new = wanted - removed
    if not new:
        return Effect(state, changed=False)
    still_open = [up.id for up in batch.tx.instances(sorted(new)) if up.state != State.SUCCESSFUL]
    count = sum(waits.count(up) for up in still_open) + (ISOLATION in new)
    batch.tx.interventions.remove_waits(row.id, new)
    batch.tx.add_waits([(-count, row.id)])
    if ISOLATION in new:
        batch.tx.interventions.end_isolation(row.id)
    batch.propagation.reconsider([row.id])
    return Effect(state, words=_removed_words(new))


def _removed_words(new: frozenset[int]) -> str:
    """What the record says; ids and no names, because who reads it may not see all of them."""
    names = ", ".join(f"instance {number}" for number in sorted(new - {ISOLATION}))
    parts = [f"waits no longer for {names}"] if names else []
    if ISOLATION in new:
        parts.append("is isolated no longer")
    return ", ".join(parts)


def _set_priority(batch: Batch, row: InstanceRecord, priority: int) -> Effect:
    state = _check_queues(batch, row)
    place = batch.tx.interventions.find_place(row.id)
    if place is not None and place.priority == priority:
        return Effect(state, changed=False)
    batch.tx.interventions.set_priority(row.id, priority)
    return Effect(state, words=f"priority {row.priority} -> {priority}")


def _set_group(batch: Batch, row: InstanceRecord, name: str) -> Effect:
    """By what is deployed in this transaction: the group may have gone since it was named."""
    state, deployed = _check_queues(batch, row), batch.access.deployed
    groups = {} if deployed is None else deployed.resource_groups
    _check_known(name, groups)
    group = groups[name]
    workspace = batch.context.task(row.id).workspace
    if not group.is_bound_to(workspace):
        raise NotBoundError(
            f"{describe(row, batch.context)} cannot use resource group {group.name}, which is not bound to "
            f"workspace {workspace}"
        )
    place = batch.tx.interventions.find_place(row.id)
    if place is not None and place.resource_group == group.name:
        return Effect(state, changed=False)
    batch.tx.interventions.set_resource_group(row.id, group.name)
    return Effect(state, words=f"resource group {row.resource_group} -> {group.name}")


def _check_known(name: str, groups: Mapping[str, ResourceGroup]) -> None:
    if name not in groups:
        raise UnknownNameError(
            f'there is no resource group "{shown(name)}"{did_you_mean(name, groups)}',
            Text("{resource_group.list} shows all of them."),
        )


class NotBoundError(UsageError):
    """Choose a resource group that is bound to the workspace; {resource_group.list} shows them."""

    code = "not_bound"


def _check(batch: Batch, row: InstanceRecord) -> State:
    state = batch.state(row)
    check_changeable(state, describe(row, batch.context))
    return state


def _check_queues(batch: Batch, row: InstanceRecord) -> State:
    state = _check(batch, row)
    if not row.resource_group:
        raise WrongStateError(
            f"{describe(row, batch.context)} passes without a slot ({row.kind}), so it has no place in a queue",
            "Change what it waits for, or what runs after it.",
        )
    return state
