"""The ledger's alerts: written with what they tell, sent afterwards (a transactional outbox)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from retrofill.services.ports.records import AlertRecord


class OutboxReader(Protocol):
    """Alerts that were queued, whatever became of them."""

    def of_backfill(self, backfill_id: int) -> list[AlertRecord]:
        """A backfill's alerts, oldest first."""
        ...

    def of_backfills(self, backfill_ids: Sequence[int]) -> dict[int, list[AlertRecord]]:
        """The alerts of each that has any, oldest first."""
        ...

    def next_ms(self) -> int | None:
        """When the next alert is due, which may be in the past; None: nothing waits."""
        ...


class Outbox(OutboxReader, Protocol):
    """Alerts inside a write transaction."""

    def add(
        self, backfill_id: int, event: str, method: str, at_ms: int, instance_id: int | None = None
    ) -> None:
        """Queue an alert, unless the backfill's round has this event and method already."""
        ...

    def new_round(self, backfill_id: int) -> None:
        """The backfill goes on after it had ended: each event may be told again."""
        ...

    def claim(self, now_ms: int, until_ms: int) -> AlertRecord | None:
        """The alert that has been due for longest, claimed until then; None where none is due.

        A claim counts as a try, and whoever does not `finish` in time loses it.
        """
        ...

    def finish(
        self,
        claimed: AlertRecord,
        state: str,
        at_ms: int,
        next_ms: int | None = None,
        reason: str | None = None,
    ) -> bool:
        """Say what became of a claimed alert; False where the claim was lost to somebody else.

        Args:
            next_ms: when it is tried again; None where it is done with.
        """
        ...
