"""What is remembered of run times, and what was first estimated from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class TimesReader(Protocol):
    """Run times in milliseconds, by task; they outlive the instances that they were measured on."""

    def recent(self, task_ids: Iterable[int]) -> dict[int, list[int]]:
        """The latest successful run times of these tasks, oldest first; a task without one is left out."""
        ...

    def expected(self, backfill_id: int) -> str | None:
        """The end that is expected of a backfill under way, as JSON; None where nothing was estimated."""
        ...


class TimesLedger(TimesReader, Protocol):
    """Adds to what is remembered."""

    def add(self, ended: Mapping[int, Sequence[int]], at_ms: int) -> None:
        """Successful run times that have just been measured, by task id."""
        ...

    def set_first_estimate(self, backfill_id: int, document: str) -> None:
        """Store an estimate with a backfill, in place of one that is there (SEL-4)."""
        ...

    def set_expected(self, backfill_id: int, document: str) -> None:
        """Store what is expected now (BF-2)."""
        ...
