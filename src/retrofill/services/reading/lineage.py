"""Lineage of one task as people and programs see it (OPS-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.domain.catalog.lineage import ColumnRef
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.reading.documents import Column, Lineage


def lineage_of(lineages: Lineages, name: str) -> Lineage:
    """Tables that a task reads and writes, each with the tasks at its other end, and columns."""
    lineage = lineages.of(name)
    writers, readers = lineages.users(lineage)
    return {
        "reads": [
            {"table": table.name, "connection": table.connection or None, "written_by": writers(table)}
            for table in lineage.reads
        ],
        "writes": [
            {"table": table.name, "connection": table.connection or None, "read_by": readers(table)}
            for table in lineage.writes
        ],
        "columns": [
            {**_column(column.target), "from": [_column(source) for source in column.sources]}
            for column in lineages.columns(name)
        ],
        "problem": lineage.problem or None,
    }


def _column(ref: ColumnRef) -> Column:
    return {"table": ref.table.name, "column": ref.column}
