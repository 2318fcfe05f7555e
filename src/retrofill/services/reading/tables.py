"""Tables and the tasks that join them, as people and programs see them; of foreign tasks nothing (OPS-10, SEC-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrofill.domain.catalog.lineage import Crossing, Table, TableGraph
from retrofill.domain.errors import UsageError

if TYPE_CHECKING:
    from retrofill.domain.catalog.lineage import ColumnRef
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.reading.documents import ColumnFlow, TableColumn, TablePicture, TableRow

MOST_TABLES = 500  # of one picture


class PictureTooLargeError(UsageError):
    """Ask for fewer levels with {option.up} and {option.down}."""

    code = "picture_too_large"


def table_row(graph: TableGraph, table: Table) -> TableRow:
    """A table in a list."""
    return {
        "table": table.name,
        "connection": table.connection or None,
        "written_by": list(graph.writers(table)),
        "read_by": list(graph.readers(table)),
    }


@dataclass
class _Picture:
    """Tables with their level, and what joins them."""

    graph: TableGraph
    levels: dict[Table, int]
    crossings: dict[Crossing, None] = field(default_factory=dict)

    def walk(self, step: Callable[[Table], list[Crossing]], levels: int, sign: int) -> bool:
        """Add level by level; whether there is one more."""
        front = [table for table, level in self.levels.items() if level == 0]
        for number in range(1, levels + 1):
            found = [crossing for table in front for crossing in step(table)]
            self.crossings.update(dict.fromkeys(found))
            ends = dict.fromkeys(_end(crossing, sign) for crossing in found)
            front = sorted(table for table in ends if table not in self.levels)
            self.levels.update(dict.fromkeys(front, sign * number))
            if len(self.levels) > MOST_TABLES:
                raise PictureTooLargeError(f"more than {MOST_TABLES} tables lie within {number} levels")
            if not front:
                return False
        return any(_end(c, sign) not in self.levels for table in front for c in step(table))


def _end(crossing: Crossing, sign: int) -> Table:
    return crossing.downstream if sign > 0 else crossing.upstream


def picture_of(lineages: Lineages, graph: TableGraph, table: Table, up: int, down: int) -> TablePicture:
    """Tables around one, level by level.

    Raises:
        PictureTooLargeError: there are more than 500 of them.
    """
    picture = _Picture(graph, {table: 0})
    more_above = picture.walk(graph.above, up, -1)
    more_below = picture.walk(graph.below, down, 1)
    tables = sorted(picture.levels, key=lambda one: (picture.levels[one], one))
    places = {one: place for place, one in enumerate(tables)}
    own = sorted({*graph.writers(table), *graph.readers(table)})
    problems = {task: lineages.of(task).problem for task in own}
    return {
        "table": table.name,
        "connection": table.connection or None,
        "tables": [{**table_row(graph, one), "level": picture.levels[one]} for one in tables],
        "edges": [
            {"upstream": places[c.upstream], "downstream": places[c.downstream], "task": c.task}
            for c in picture.crossings
        ],
        "columns": _columns(lineages, own, table),
        "more_above": more_above,
        "more_below": more_below,
        "problems": {task: problem for task, problem in problems.items() if problem},
    }


def _columns(lineages: Lineages, tasks: Iterable[str], table: Table) -> list[ColumnFlow]:
    """By name; what the same task reads of the table's own columns is no flow from elsewhere."""
    found: dict[str, ColumnFlow] = {}

    def flow(column: str) -> ColumnFlow:
        return found.setdefault(column.casefold(), {"column": column, "comes_from": [], "goes_to": []})

    for task in tasks:
        for lineage in lineages.columns(task):
            target = lineage.target
            for source in lineage.sources:
                if target.table.is_same_as(table):
                    _add(flow(target.column)["comes_from"], source, task)
                elif source.table.is_same_as(table):
                    _add(flow(source.column)["goes_to"], target, task)
    return [found[name] for name in sorted(found)]


def _add(columns: list[TableColumn], ref: ColumnRef, task: str) -> None:
    one: TableColumn = {"table": ref.table.name, "column": ref.column, "task": task}
    if one not in columns:
        columns.append(one)
