"""One backfill as commands show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.bootstrap.centers import Call
    from retrofill.services.reading.documents import BackfillRow


def row_of(call: Call, backfill_id: int) -> BackfillRow:
    """The backfill's row as it is now."""
    return call.center.backfills.row(backfill_id)
