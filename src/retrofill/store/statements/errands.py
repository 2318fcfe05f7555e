"""What somebody has asked for and does not wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.ports.records import ErrandRecord
from retrofill.store.statements.rows import ERRAND

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection


class ErrandReader:
    """Looking at them."""

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.execute

    def find(self, errand_id: str) -> ErrandRecord | None:
        row = self._execute(f"SELECT {ERRAND} FROM errand WHERE id = ?", (errand_id,)).fetchone()
        return ERRAND.one(row)

    def unended(self) -> list[ErrandRecord]:
        return ERRAND.all(
            self._execute(f"SELECT {ERRAND} FROM errand WHERE ended_ms IS NULL ORDER BY created_ms, id")
        )


class Errands(ErrandReader):
    """Errands inside a write transaction."""

    def add(self, record: ErrandRecord) -> None:
        self._execute(ERRAND.insert("errand"), record)

    def note_backfill(self, errand_id: str, backfill_id: int) -> None:
        self._execute("UPDATE errand SET backfill_id = ? WHERE id = ?", (backfill_id, errand_id))

    def end(self, errand_id: str, at_ms: int, failure: str | None) -> None:
        self._execute(
            "UPDATE errand SET ended_ms = ?, failure = ? WHERE id = ? AND ended_ms IS NULL",
            (at_ms, failure, errand_id),
        )

    def forget(self, before_ms: int) -> None:
        self._execute("DELETE FROM errand WHERE ended_ms < ?", (before_ms,))
