"""What a scheduler wants to start: the question that a ledger answers with candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartFilter:
    """Which of the instances that only lack a slot may start at all (RUN-1, RUN-5, RUN-7).

    Attributes:
        held: backfills of which nothing may start.
        full: tasks that may run no more instances.
        auto: whether auto triggered instances may start.
        backfill: whether backfill instances may.
        taken: tasks of which an auto triggered instance runs, and no backfill instance may start.
        yields: whether a backfill instance waits for ready auto triggered ones of its task.
        behind: instances whose partition a running one writes, as far as that is known.
    """

    held: Sequence[int] = ()
    full: Sequence[int] = ()
    auto: bool = False
    backfill: bool = True
    taken: Sequence[int] = ()
    yields: bool = False
    behind: Sequence[int] = ()
