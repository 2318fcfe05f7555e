"""The record of what people did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from retrofill.domain.running.filters import OperationFilter

if TYPE_CHECKING:
    from retrofill.services.ports.records import OperationRecord


class OperationReader(Protocol):
    """The record (OPS-8)."""

    def operations(self, column: str, value: int) -> list[OperationRecord]:
        """The record of an instance (`instance_id`), a backfill (`backfill_id`) or a task, oldest first."""
        ...

    def latest_operations(
        self, asked: OperationFilter, before: int | None, limit: int
    ) -> list[OperationRecord]:
        """A page of the record, newest first; `before` as in `backfills`."""
        ...


class OperationWriter(Protocol):
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
        """Note who did what to what (OPS-8)."""
        ...

    def record_many(self, rows: Iterable[Sequence[Any]]) -> None:
        """`record`, for many: rows of what it takes, in its order."""
        ...
