"""Alerts in the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.services.ports.records import AlertRecord
from retrofill.store.statements.counters import next_id
from retrofill.store.statements.rows import ALERT

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed


_OF_BACKFILLS = (
    f"SELECT {ALERT.of('a')} FROM json_each(?) j CROSS JOIN alert a ON a.backfill_id = j.value ORDER BY a.id"
)
NEXT_ALERT = "SELECT min(next_ms) FROM alert WHERE next_ms IS NOT NULL"


class OutboxReader:
    """Alerts that were queued, whatever became of them."""

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.execute

    def of_backfill(self, backfill_id: int) -> list[AlertRecord]:
        return self.of_backfills([backfill_id]).get(backfill_id, [])

    def of_backfills(self, backfill_ids: Sequence[int]) -> dict[int, list[AlertRecord]]:
        rows = self._execute(_OF_BACKFILLS, (json.dumps(list(backfill_ids)),))
        found: dict[int, list[AlertRecord]] = {}
        for alert in ALERT.all(rows):
            found.setdefault(alert.backfill_id, []).append(alert)
        return found

    def next_ms(self) -> int | None:
        row = self._execute(NEXT_ALERT).fetchone()
        return None if row[0] is None else int(row[0])


class Outbox(OutboxReader):
    """Alerts inside a write transaction."""

    def __init__(self, connection: Connection, changed: Changed) -> None:
        super().__init__(connection)
        self._changed = changed

    def add(
        self, backfill_id: int, event: str, method: str, at_ms: int, instance_id: int | None = None
    ) -> None:
        self._changed.backfills.add(backfill_id)
        self._execute(
            "INSERT INTO alert (id, backfill_id, round, event, method, instance_id, queued_ms, state, next_ms) "
            f"SELECT {next_id('alert')}, id, round, ?, ?, CAST(? AS BIGINT), ?, 'pending', ? FROM backfill WHERE id = ? "
            "ON CONFLICT (backfill_id, round, event, method) DO NOTHING",
            (event, method, instance_id, at_ms, at_ms, backfill_id),
        )

    def new_round(self, backfill_id: int) -> None:
        self._execute("UPDATE backfill SET round = round + 1 WHERE id = ?", (backfill_id,))

    def claim(self, now_ms: int, until_ms: int) -> AlertRecord | None:
        row = self._execute(
            "UPDATE alert SET state = 'sending', tries = tries + 1, next_ms = ? WHERE id = ("
            "SELECT id FROM alert WHERE next_ms <= ? ORDER BY next_ms, id LIMIT 1) "
            f"RETURNING {ALERT}",
            (until_ms, now_ms),
        ).fetchone()
        claimed = ALERT.one(row)
        if claimed is not None:
            self._changed.backfills.add(claimed.backfill_id)
        return claimed

    def finish(
        self,
        claimed: AlertRecord,
        state: str,
        at_ms: int,
        next_ms: int | None = None,
        reason: str | None = None,
    ) -> bool:
        self._changed.backfills.add(claimed.backfill_id)
        cursor = self._execute(
            "UPDATE alert SET state = ?, next_ms = ?, reason = ?, done_ms = ? "
            "WHERE id = ? AND state = 'sending' AND tries = ?",
            (state, next_ms, reason, at_ms if next_ms is None else None, claimed.id, claimed.tries),
        )
        return cursor.rowcount == 1
