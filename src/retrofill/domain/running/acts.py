"""What people do to instances, as something that is asked about before it is done (OPS-1..7)."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple


class Act(StrEnum):
    """One of the operations on instances; the value is its word in addresses."""

    STOP = "stop"
    RERUN = "rerun"
    RERUN_DESCENDANTS = "rerun-descendants"
    SET_SUCCESSFUL = "set-successful"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    REMOVE_WAITS = "remove-waits"
    PRIORITY = "priority"
    RESOURCE_GROUP = "resource-group"


EMERGENCIES = frozenset({Act.REMOVE_WAITS, Act.PRIORITY, Act.RESOURCE_GROUP})
"""OPS-7: what only administrators do."""


class Intent(NamedTuple):
    """An act with what it is asked with.

    Attributes:
        latest: reruns take the code of the deployed version.
        with_self: of a rerun of descendants, they themselves, too.
        tasks: full names of those whose descendants are meant; None for all.
        upstream: ids that are not to be waited for any more; None for all, and for isolation.
        priority, group: the new ones; None while they are not chosen.
    """

    act: Act
    latest: bool = False
    with_self: bool = False
    tasks: frozenset[str] | None = None
    upstream: Collection[int] | None = None
    priority: int | None = None
    group: str | None = None
