"""The record of what people did (OPS-8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.store import filters
from retrofill.store.statements import counters
from retrofill.store.statements.revisions import Writer
from retrofill.store.statements.rows import OPERATION
from retrofill.store.statements.view import View

if TYPE_CHECKING:
    from retrofill.domain.running.filters import OperationFilter
    from retrofill.services.ports.records import OperationRecord

_RECORD = (
    'INSERT INTO operation (id, at_ms, "user", action, backfill_id, instance_id, from_state, to_state, comment, task_id) '
    f"VALUES ({counters.next_id('operation')}, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class OperationReader(View):
    """The record."""

    def operations(self, column: str, value: int) -> list[OperationRecord]:
        if column not in ("instance_id", "backfill_id", "task_id"):
            raise ValueError(column)
        rows = self._execute(f"SELECT {OPERATION} FROM operation WHERE {column} = ? ORDER BY id", (value,))
        return OPERATION.all(rows)

    def latest_operations(
        self, asked: OperationFilter, before: int | None, limit: int
    ) -> list[OperationRecord]:
        """A page of the record, newest first."""
        text, bound = filters.where(
            ("id < ?", [1 << 62 if before is None else before]), *filters.of_operations(asked)
        )
        rows = self._execute(
            f"SELECT {OPERATION} FROM operation WHERE {text} ORDER BY id DESC LIMIT ?", [*bound, limit]
        )
        return OPERATION.all(rows)


class OperationWriter(Writer):
    """What adds to it."""

    def record(
        self,
        at_ms: int,
        user: str,
        action: str,
        backfill_id: int | None = None,
        instance_id: int | None = None,
        from_state: str | None = None,
        to_state: str | None = None,
        comment: str = "",
        task_id: int | None = None,
    ) -> None:
        self.record_many(
            [(at_ms, user, action, backfill_id, instance_id, from_state, to_state, comment, task_id)]
        )

    def record_many(self, rows: Iterable[Sequence[Any]]) -> None:
        noted = list(rows)
        self._changed.backfills.update(row[3] for row in noted if row[3] is not None)
        self._changed.instances.update(row[4] for row in noted if len(row) > 4 and row[4] is not None)
        self._connection.executemany(_RECORD, noted)
