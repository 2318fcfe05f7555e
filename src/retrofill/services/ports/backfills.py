"""Backfills and their dates: which there are, how far they are, what changes about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from retrofill.domain.running.filters import ALL_BACKFILLS, BackfillFilter

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillFigures, BackfillRecord, DateRecord, OpenBackfill


class BackfillReader(Protocol):
    """Backfills, their dates and counters."""

    def find_backfill(self, backfill_id: int) -> BackfillRecord | None:
        """A backfill that is visible, that is: wholly created."""
        ...

    def open_backfills(self) -> list[OpenBackfill]:
        """Backfills that have not ended, those being created among them, and all that are held."""
        ...

    def in_phase(self, phase: str) -> list[BackfillRecord]:
        """All backfills in one phase; `creating`, `checking`: a crash may have left them."""
        ...

    def backfills(
        self, asked: BackfillFilter = ALL_BACKFILLS, before: int | None = None, limit: int = 50
    ) -> list[BackfillRecord]:
        """A page of backfills, newest first (BF-1).

        Args:
            before: only those with a smaller id; the last one's id asks for the next page.
        """
        ...

    def owed_places(self) -> list[tuple[int, int]]:
        """Backfills of which ready instances have still to move, each with the moment of the change (BF-3)."""
        ...

    def dates(self, backfill_id: int) -> list[DateRecord]: ...

    def figures(self, backfill_ids: Sequence[int]) -> dict[int, BackfillFigures]:
        """Of those that exist, by id: as many questions for fifty as for one."""
        ...

    def is_reached(self, backfill_id: int, position: int) -> bool:
        """Whether the date's group has come to it."""
        ...

    def progress(self, backfill_id: int) -> tuple[int, int, int, int, int]:
        """Sums of total, successful, failed, running, frozen."""
        ...

    def waiting(self, backfill_id: int) -> tuple[int, int]:
        """How many instances wait for resources and for time; costs what waits, not what exists."""
        ...

    def has_waiting(self, backfill_id: int, ids: tuple[int, int] | None = None) -> tuple[bool, bool]:
        """Whether anything waits for resources, and for time.

        Args:
            ids: only with an id from the first to the last of these.
        """
        ...

    def is_waiting_between(self, backfill_id: int, first_id: int, last_id: int) -> bool:
        """Whether an instance of the backfill with an id in this range waits for resources or time."""
        ...


class BackfillWriter(Protocol):
    """What makes, changes and counts them."""

    def add_backfill(self, record: BackfillRecord, task_ids: Iterable[int]) -> int:
        """Insert with an id that none has had before, whatever `record.id` says (CAT-3)."""
        ...

    def add_dates(self, rows: Iterable[DateRecord]) -> None: ...

    def set_backfill(self, backfill_id: int, **columns: object) -> None:
        """Set columns of a backfill; the names are fields of BackfillRecord."""
        ...

    def add_failures(self, backfill_id: int, count: int) -> int:
        """Note that more instances have failed for good; how many since the start or the last resume (POL-14)."""
        ...

    def set_tasks(self, backfill_id: int, task_ids: Iterable[int]) -> None:
        """Note anew which tasks take part."""
        ...

    def delete_half_created(self, backfill_id: int, back_to: str | None = None) -> None:
        """Remove the rest of a backfill without instances, or let it go back to an earlier phase."""
        ...

    def owe_places(self, backfill_id: int, at_ms: int) -> None:
        """Ready instances have still to move to where they queue since a change; `place` does it (BF-3)."""
        ...

    def settle_places(self, backfill_id: int, at_ms: int) -> None:
        """All have moved, unless there was another change since."""
        ...

    def set_groups(self, backfill_id: int, numbers: Mapping[int, int]) -> None:
        """Group numbers of dates, by position (BF-3)."""
        ...

    def reach(self, backfill_id: int, position: int) -> bool:
        """Let a group come to a date; False where it already had."""
        ...

    def unreach(self, backfill_id: int, positions: Sequence[int]) -> list[int]:
        """Let dates wait for their turn again; those of them that groups had come to (OPS-3)."""
        ...

    def count(self, backfill_id: int, position: int, changes: Sequence[int]) -> DateRecord:
        """Add to a date's counters (successful, failed, running, frozen); the row as it is now."""
        ...

    def count_many(self, backfill_id: int, changes: Mapping[int, Sequence[int]]) -> None:
        """Add to the counters of dates, by position."""
        ...
