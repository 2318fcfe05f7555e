"""Errands: what somebody has asked for and does not wait for. They outlive the process that carries them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.services.ports.records import ErrandRecord


class ErrandReader(Protocol):
    """What was asked for, and what became of it."""

    def find(self, errand_id: str) -> ErrandRecord | None: ...

    def unended(self) -> list[ErrandRecord]:
        """Those that nobody has ended, oldest first."""
        ...


class Errands(ErrandReader, Protocol):
    """Errands inside a write transaction."""

    def add(self, record: ErrandRecord) -> None: ...

    def note_backfill(self, errand_id: str, backfill_id: int) -> None:
        """The backfill that it has made, in the transaction that makes it: so it never makes two."""
        ...

    def end(self, errand_id: str, at_ms: int, failure: str | None) -> None:
        """Note what became of it; once."""
        ...

    def forget(self, before_ms: int) -> None:
        """Remove those that have ended before that."""
        ...
