"""A backfill's status, from counts of its instances (BF-5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


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
