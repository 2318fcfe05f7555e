"""One backfill as commands show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.cli.session import Session
    from retrofill.services.reading.documents import BackfillRow


def row_of(session: Session, backfill_id: int) -> BackfillRow:
    """The backfill's row as it is now."""
    return session.center.backfills.row(backfill_id)
