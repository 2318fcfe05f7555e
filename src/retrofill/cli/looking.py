"""One backfill as commands show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.bootstrap.project import Project
    from retrofill.services.reading.documents import BackfillRow


def row_of(project: Project, backfill_id: int) -> BackfillRow:
    """The backfill's row as it is now."""
    return project.center.backfills.row(backfill_id)
