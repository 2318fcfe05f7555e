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


class TableRow(TypedDict):
    """A table that tasks read or write."""

    table: str
    connection: str | None
    written_by: list[str]  #: tasks
    read_by: list[str]  #: tasks


class TableNode(TableRow):
    """A table near another one."""

    level: int  #: 0 the one asked about, -1 what its writers read, 1 what its readers write


class TableEdge(TypedDict):
    """A task reads one table and writes another."""

    upstream: int  #: index into `tables`
    downstream: int  #: index into `tables`
    task: str


class TableColumn(Column):
    """A column of another table, and the task that joins it."""

    task: str


class ColumnFlow(TypedDict):
    """Where a column of a table comes from, and what is made of it."""

    column: str
    comes_from: list[TableColumn]
    goes_to: list[TableColumn]


class TablePicture(TypedDict):
    """Tables around one, joined by tasks (OPS-10)."""

    table: str
    connection: str | None
    tables: list[TableNode]  #: by level, then name
    edges: list[TableEdge]
    columns: list[ColumnFlow]  #: of the table asked about, as far as the SQL of tasks tells
    more_above: bool  #: whether there is a further level
    more_below: bool
    problems: dict[str, str]  #: by task: why tables may be lacking
