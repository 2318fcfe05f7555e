"""Who may start now: slots, limits, and who writes the same partition (RUN-1, RUN-6, RUN-7).

Pure decisions on plain values; `services` gathers the values and saves what was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar


class Candidate(Protocol):
    """An instance that only lacks a slot."""

    @property
    def task_id(self) -> int: ...

    @property
    def backfill_id(self) -> int | None: ...

    @property
    def resource_group(self) -> str: ...

    @property
    def partition(self) -> tuple[int, str, int]:
        """Its task, bizdate and slot: what it writes (RUN-7)."""
        ...


C = TypeVar("C", bound=Candidate)


@dataclass(slots=True)
class FreeSlots:
    """Of one resource group; backfill instances may take no more than `backfill` of them (RUN-6)."""

    all: int
    backfill: int

    def take(self, is_backfill: bool) -> None:
        self.all -= 1
        self.backfill = min(self.backfill - is_backfill, self.all)


def free_slots(slots: int, reserved_for_auto: int, running: int, running_backfill: int) -> FreeSlots:
    """Slots of a group that are free now, of all and for backfill instances (RUN-6)."""
    free = max(slots - running, 0)
    return FreeSlots(free, max(min(free, slots - reserved_for_auto - running_backfill), 0))


class Lack(StrEnum):
    """What an instance lacks that waits for resources (RUN-1, RUN-6, RUN-7)."""

    PARTITION = "partition"
    SLOT = "slot"
    UNRESERVED_SLOT = "unreserved_slot"
    TASK_LIMIT = "task_limit"


def lack(
    candidate: Candidate, free: FreeSlots, running: int, limit: int | None, is_written: bool
) -> Lack | None:
    """The first thing that a candidate lacks, None if it may start.

    Args:
        running: instances of its task, auto triggered and of backfills.
        limit: its task's `max_parallel_instances`.
        is_written: another instance runs that writes the same partition (RUN-7).
    """
    if is_written:
        return Lack.PARTITION
    if limit is not None and running >= limit:
        return Lack.TASK_LIMIT
    if not free.all:
        return Lack.SLOT
    if candidate.backfill_id is not None and not free.backfill:
        return Lack.UNRESERVED_SLOT
    return None


@dataclass(slots=True)
class Chosen(Generic[C]):
    """What one look at the candidates gave.

    `full` are tasks that may start no more, `behind` those whose partition somebody writes (RUN-7).
    `is_cut`: something was passed over, so that what stands behind the candidates may come before
    others of them; look again without what was full or behind.
    """

    starts: list[C] = field(default_factory=list)
    full: set[int] = field(default_factory=set)
    behind: list[C] = field(default_factory=list)
    is_cut: bool = False


def choose(
    candidates: Iterable[C],
    free: Mapping[str, FreeSlots],
    running: Counter[int],
    limits: Mapping[int, int | None],
    writing: set[tuple[int, str, int]],
) -> Chosen[C]:
    """The candidates that start, in their order (RUN-1, RUN-7).

    Args:
        candidates: the first of each resource group, best first over all groups.
        free: free slots by group; those of the chosen ones are taken from it.
        running: instances by task id, auto triggered and of backfills; the chosen ones are added.
        limits: `max_parallel_instances` by task id.
        writing: partitions that running instances write; those of the chosen ones are added.
    """
    chosen: Chosen[C] = Chosen()
    for candidate in candidates:
        task_id, slots = candidate.task_id, free[candidate.resource_group]
        is_written = candidate.partition in writing
        lacking = lack(candidate, slots, running[task_id], limits.get(task_id), is_written)
        if lacking is Lack.TASK_LIMIT:
            chosen.full.add(task_id)
        elif lacking is Lack.PARTITION:
            chosen.behind.append(candidate)
        if lacking in (Lack.TASK_LIMIT, Lack.UNRESERVED_SLOT, Lack.PARTITION):
            chosen.is_cut = True
        elif lacking is None and not chosen.is_cut:
            running[task_id] += 1
            writing.add(candidate.partition)
            slots.take(candidate.backfill_id is not None)
            chosen.starts.append(candidate)
    return chosen
