"""Run times by task, and first estimates by backfill. A row per task: retention leaves it alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed


class TimesReader:
    """Run times as they were when the transaction began."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def recent(self, task_ids: Iterable[int]) -> dict[int, list[int]]:
        rows = self._connection.execute(
            "SELECT t.task_id, t.recent FROM json_each(?) j CROSS JOIN task_time t ON t.task_id = j.value",
            (json.dumps(list(task_ids)),),
        )
        return {task_id: json.loads(recent) for task_id, recent in rows}

    def expected(self, backfill_id: int) -> str | None:
        row = self._connection.execute(
            "SELECT expected FROM backfill WHERE id = ?", (backfill_id,)
        ).fetchone()
        return row[0] if row else None


class TimesLedger(TimesReader):
    """Adds to what is remembered."""

    def __init__(self, connection: Connection, changed: Changed) -> None:
        super().__init__(connection)
        self._changed = changed

    def add(self, ended: Mapping[int, Sequence[int]], at_ms: int) -> None:
        from retrofill.domain.estimating.run_times import remember

        known = self.recent(ended)
        self._connection.executemany(
            "INSERT INTO task_time (task_id, recent, updated_ms) VALUES (?, ?, ?) "
            "ON CONFLICT (task_id) DO UPDATE SET recent = excluded.recent, updated_ms = excluded.updated_ms",
            [
                (task_id, json.dumps(remember(known.get(task_id, ()), new)), at_ms)
                for task_id, new in ended.items()
            ],
        )

    def set_first_estimate(self, backfill_id: int, document: str) -> None:
        self._changed.backfills.add(backfill_id)
        self._connection.execute(
            "UPDATE backfill SET first_estimate = ? WHERE id = ?", (document, backfill_id)
        )

    def set_expected(self, backfill_id: int, document: str) -> None:
        self._changed.backfills.add(backfill_id)
        self._connection.execute("UPDATE backfill SET expected = ? WHERE id = ?", (document, backfill_id))
