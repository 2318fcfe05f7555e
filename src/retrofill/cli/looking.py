"""One backfill as commands show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.people.access import unknown_backfill
from retrofill.services.reading.backfills import Row, Views
from retrofill.services.reading.redaction import shown_row

if TYPE_CHECKING:
    from retrofill.bootstrap.project import Project


def row_of(project: Project, backfill_id: int) -> Row:
    """The backfill's row as it is now."""
    if project.deployed is None:  # there may be no store, and looking shall make none
        raise unknown_backfill(backfill_id)
    with project.store.read() as reader:
        access = project.access(reader)
        record = access.get_backfill(backfill_id)
        row = Views(reader, project.graphs, project.clock.now_ms()).backfill(record, is_alone=True)
        return shown_row(access, record, row)
