"""What administrators have changed for single instances in an emergency (OPS-7)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

ISOLATION = 0
"""Stands for the upstream of an isolated instance, which has no id because it was never made."""


class FixedPlace(NamedTuple):
    """Where an instance queues, whatever its task or backfill says; None: as they say."""

    priority: int | None
    resource_group: str | None


class InterventionReader(Protocol):
    """What has been changed."""

    def removed_of(self, instance_id: int) -> frozenset[int]:
        """Ids that the instance does not wait for any more, `ISOLATION` among them."""
        ...

    def removed_from(self, upstream_ids: Sequence[int]) -> list[tuple[int, int]]:
        """Removed waits for these instances: (instance id, upstream id)."""
        ...

    def removed_between(self, first_id: int, last_id: int) -> list[tuple[int, int]]:
        """Removed waits of the instances in this range: (instance id, upstream id)."""
        ...

    def find_place(self, instance_id: int) -> FixedPlace | None:
        """Where somebody has told the instance to queue."""
        ...


class Interventions(InterventionReader, Protocol):
    """Changing it; the counter of open waits and what follows are up to the caller."""

    def remove_waits(self, instance_id: int, upstream_ids: Collection[int]) -> None: ...

    def end_isolation(self, instance_id: int) -> None:
        """Take the reason away from an isolated instance."""
        ...

    def set_priority(self, instance_id: int, priority: int) -> None:
        """From now on, whatever its task's priority and its age (POL-12)."""
        ...

    def set_resource_group(self, instance_id: int, resource_group: str) -> None:
        """From now on, whatever its task and its backfill say (POL-10)."""
        ...
