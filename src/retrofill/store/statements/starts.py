"""Instances that could not be started, in the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from retrofill.services.ports.records import FailedStartRecord
from retrofill.store.statements.rows import FAILED_START

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection


class FailedStarts:
    """Reads within a view; `note` and `forget` within a write transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def find(self, instance_id: int) -> FailedStartRecord | None:
        row = self._execute(
            f"SELECT {FAILED_START} FROM failed_start WHERE instance_id = ?", (instance_id,)
        ).fetchone()
        return FAILED_START.one(row)

    def waiting(self) -> list[FailedStartRecord]:
        rows = self._execute(
            f"SELECT {FAILED_START} FROM failed_start f WHERE EXISTS (SELECT 1 FROM instance i WHERE i.id = f.instance_id "
            "AND i.state <> 'frozen') ORDER BY tried_ms DESC, instance_id"
        )
        return FAILED_START.all(rows)

    def ids(self) -> list[int]:
        return [row[0] for row in self._execute("SELECT instance_id FROM failed_start")]

    def note(self, instance_id: int, message: str, at_ms: int) -> int:
        row = self._execute(
            "INSERT INTO failed_start (instance_id, tries, since_ms, tried_ms, message) VALUES (?1, 1, ?2, ?2, ?3) "
            "ON CONFLICT (instance_id) DO UPDATE SET tries = failed_start.tries + 1, tried_ms = ?2, message = ?3 RETURNING tries",
            (instance_id, at_ms, message),
        ).fetchone()
        return int(row[0])

    def forget(self, ids: Iterable[int]) -> None:
        self._connection.executemany("DELETE FROM failed_start WHERE instance_id = ?", [(i,) for i in ids])
