"""Lineage: tables and columns that tasks read and write."""

from __future__ import annotations

from typing import TypedDict


class TableRead(TypedDict):
    """A table that a task reads."""

    table: str
    connection: str | None
    written_by: list[str]  #: tasks


class TableWritten(TypedDict):
    """A table that a task writes."""

    table: str
    connection: str | None
    read_by: list[str]  #: tasks


class Column(TypedDict):
    """A column of a table."""

    table: str
    column: str


# `from` is a word of the language, and so no name in a class.
ColumnLineage = TypedDict("ColumnLineage", {"table": str, "column": str, "from": list[Column]})
ColumnLineage.__doc__ = "Where a column that is written comes from."


class Lineage(TypedDict):
    """What a task reads and writes (OPS-10)."""

    reads: list[TableRead]
    writes: list[TableWritten]
    columns: list[ColumnLineage]  #: where written columns come from
    problem: str | None  #: why tables may be lacking


class InstanceLineage(Lineage):
    """`instance lineage`: by the version whose code it runs."""

    id: int
    task: str
    bizdate: str
