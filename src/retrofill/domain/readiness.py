"""What may start now, what a run's end means, and what a backfill's status is.

Pure decisions on plain values; `services` gathers the values and saves what was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from retrofill.domain.states import Reason, State

if TYPE_CHECKING:
    from retrofill.domain.catalog import Rerun


class Outcome(StrEnum):
    """How a run ended, as its supervisor saw it."""

    EXITED = "exited"
    STOPPED = "stopped"
    TIMEOUT = "timeout"
    LOST = "lost"
    NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of an instance whose run did not succeed."""

    state: State
    reason: Reason | None


_REASONS = {Outcome.STOPPED: Reason.STOPPED, Outcome.TIMEOUT: Reason.TIMEOUT, Outcome.LOST: Reason.LOST}


def ending(outcome: Outcome, signal: int | None, rerun: Rerun, reruns: int, reason: str | None) -> Ending:
    """Decide between an automatic rerun and failure for good (RUN-3, RUN-4).

    Args:
        signal: that ended the main process, if one did.
        reruns: automatic reruns so far, since a person's rerun.
        reason: the instance's reason; `stopping` when somebody asked to stop it, `yielded_to_auto`
            when it makes way for an auto triggered instance (RUN-5).
    """
    if reason == Reason.STOPPING:
        return Ending(State.FAILED, Reason.STOPPED)
    if reason == Reason.YIELDED_TO_AUTO:
        return Ending(State.NOT_RUN, Reason.YIELDED_TO_AUTO)
    if outcome is Outcome.NOT_STARTED:
        return Ending(State.NOT_RUN, Reason.NOT_STARTED)
    may = {Outcome.EXITED: True, Outcome.LOST: rerun.on_lost}.get(outcome, False)
    if may and rerun.mode != "never" and reruns < rerun.times:
        return Ending(State.NOT_RUN, Reason.RERUN_INTERVAL)
    own = Reason.SIGNAL if signal is not None else Reason.EXIT_CODE
    return Ending(State.FAILED, _REASONS.get(outcome, own))


_START_PAUSES_SECONDS = (0, 1, 2, 5, 10, 30, 60)


def start_pause_seconds(tries: int) -> int:
    """How long to wait after so many tries to start an instance, growing (RUN-3).

    The first try may have been lost with a process of ours, and is repeated at once.
    """
    return _START_PAUSES_SECONDS[min(tries, len(_START_PAUSES_SECONDS)) - 1]


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


class Status(StrEnum):
    """BF-5, in the order in which the first that fits is taken."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    WAITING_RESOURCES = "waiting_resources"
    PENDING = "pending"
    FAILED = "failed"


ENDED = frozenset({Status.STOPPED, Status.SUCCEEDED, Status.FAILED})
STATUS_WORDS = {
    Status.RUNNING: "Running",
    Status.PAUSED: "Paused",
    Status.STOPPED: "Stopped",
    Status.SUCCEEDED: "Succeeded",
    Status.WAITING_RESOURCES: "Waiting for resources",
    Status.PENDING: "Pending",
    Status.FAILED: "Run failed",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """What a backfill's status depends on; counts of instances."""

    total: int
    successful: int
    failed: int
    running: int
    frozen: int
    is_waiting_for_resources: bool
    is_waiting_for_time: bool
    is_paused: bool = False
    is_stopped: bool = False
    check_failed: bool = False
    is_planned: bool = False  # its instances are made later (SEL-4)
    window_is_closed: bool = False
    has_isolated: bool = False


def status_of(progress: Progress) -> tuple[Status, tuple[str, ...]]:
    """The status, and what blocks a failed backfill (BF-5)."""
    p = progress
    if p.running:
        return Status.RUNNING, ()
    if p.check_failed:
        return Status.STOPPED, ()
    is_unfinished = p.is_planned or p.successful < p.total
    if p.is_stopped and is_unfinished:
        return Status.STOPPED, ()
    if p.is_paused and is_unfinished:
        return Status.PAUSED, ()
    if p.is_planned:
        return Status.PENDING, ()
    if p.successful == p.total:
        return Status.SUCCEEDED, ()
    if p.is_waiting_for_resources and not p.window_is_closed:
        return Status.WAITING_RESOURCES, ()
    if p.is_waiting_for_resources or p.is_waiting_for_time:
        return Status.PENDING, ()
    return Status.FAILED, _blocked_by(p)


def _blocked_by(p: Progress) -> tuple[str, ...]:
    by = [
        name
        for name, present in (
            ("failed", p.failed > 0),
            ("frozen", p.frozen > 0),
            ("isolated", p.has_isolated),
        )
        if present
    ]
    # Nothing failed, is frozen or isolated, and yet nothing can start: instances wait in a circle.
    return tuple(by) or ("loop",)
