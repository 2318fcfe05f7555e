"""Lineage from SQL text, by way of sqlglot, which is optional (`retrofill[lineage]`).

Importing this package is cheap; sqlglot is imported when SQL is read.
"""

from retrofill.lineage.sql.reading import SqlLineage

__all__ = ["SqlLineage"]
