"""Lineage: which tables tasks read and write, and which tasks that joins (OPS-10).

Tables are told apart by name without regard to case, and by connection: the same name in two
connections is two tables. A declared table carries no connection and is the same as one of
that name in any. Files are tables too, named `file:PATH` or by their URL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from retrofill.domain.catalog.definitions import Catalog, DependencyKind
from retrofill.domain.catalog.graph import Graph


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """A table, view or file. A `*` in its name stands for what a scheduling parameter fills in."""

    name: str
    connection: str = ""  # empty: not known

    def is_same_as(self, other: Table) -> bool:
        """Whether both may be the same table."""
        if self.name.casefold() != other.name.casefold():
            return False
        return not self.connection or not other.connection or self.connection == other.connection


@dataclass(frozen=True, slots=True, order=True)
class ColumnRef:
    """A column of a table; `*` is all of them."""

    table: Table
    column: str


@dataclass(frozen=True, slots=True, order=True)
class ColumnLineage:
    """A column that is written, and the columns that its value comes from."""

    target: ColumnRef
    sources: tuple[ColumnRef, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskLineage:
    """What one task reads and writes, each in order of names.

    `problem` is empty, or a sentence that says why something may be missing.
    """

    reads: tuple[Table, ...] = ()
    writes: tuple[Table, ...] = ()
    columns: tuple[ColumnLineage, ...] = ()
    problem: str = ""

    def with_declared(self, reads: Iterable[str], writes: Iterable[str]) -> TaskLineage:
        """With the tables that the task declares, but for those that were found in its code."""
        return TaskLineage(
            _joined(self.reads, reads), _joined(self.writes, writes), self.columns, self.problem
        )


def _joined(found: tuple[Table, ...], declared: Iterable[str]) -> tuple[Table, ...]:
    known = {table.name.casefold() for table in found}
    more = {name.casefold(): Table(name) for name in declared if name.casefold() not in known}
    return tuple(sorted((*found, *more.values())))


class Users:
    """Who writes and who reads a table, among tasks whose lineage is known."""

    def __init__(self, lineages: Mapping[str, TaskLineage]) -> None:
        self._writers: dict[str, list[tuple[Table, str]]] = defaultdict(list)
        self._readers: dict[str, list[tuple[Table, str]]] = defaultdict(list)
        for task, lineage in lineages.items():
            for users, tables in ((self._writers, lineage.writes), (self._readers, lineage.reads)):
                for table in tables:
                    users[table.name.casefold()].append((table, task))

    def writers(self, table: Table) -> tuple[str, ...]:
        """Full names of the tasks that write it, in order."""
        return _users(self._writers, table)

    def readers(self, table: Table) -> tuple[str, ...]:
        """Full names of the tasks that read it, in order."""
        return _users(self._readers, table)


def _users(users: Mapping[str, list[tuple[Table, str]]], table: Table) -> tuple[str, ...]:
    found = users.get(table.name.casefold(), ())
    return tuple(sorted({task for other, task in found if table.is_same_as(other)}))


@dataclass(frozen=True, slots=True)
class Crossing:
    """A task that reads one table and writes another."""

    upstream: Table
    downstream: Table
    task: str


class TableGraph:
    """Tables joined by the tasks whose lineage is given: from each that a task reads to each that it writes.

    A table without a connection is the one of its name that has one, where there is only one.
    """

    def __init__(self, lineages: Mapping[str, TaskLineage]) -> None:
        self._known: dict[str, set[Table]] = defaultdict(set)
        for lineage in lineages.values():
            for table in (*lineage.reads, *lineage.writes):
                self._known[table.name.casefold()].add(table)
        self._writers: dict[Table, set[str]] = defaultdict(set)
        self._readers: dict[Table, set[str]] = defaultdict(set)
        self._reads: dict[str, tuple[Table, ...]] = {}
        self._writes: dict[str, tuple[Table, ...]] = {}
        for task, lineage in lineages.items():
            self._reads[task] = self._put(lineage.reads, self._readers, task)
            self._writes[task] = self._put(lineage.writes, self._writers, task)

    @property
    def tables(self) -> list[Table]:
        """By name."""
        return sorted({*self._writers, *self._readers})

    def writers(self, table: Table) -> tuple[str, ...]:
        """Full names of the tasks that write it, in order."""
        return tuple(sorted(self._writers.get(table, ())))

    def readers(self, table: Table) -> tuple[str, ...]:
        """Full names of the tasks that read it, in order."""
        return tuple(sorted(self._readers.get(table, ())))

    def find(self, name: str, connection: str | None = None) -> Table | None:
        """A table by its name, in whatever case; without a connection, the first one of that name."""
        found = sorted({self._same(table) for table in self._known.get(name.casefold(), ())})
        fitting = [table for table in found if connection is None or table.connection == connection]
        return fitting[0] if fitting else None

    def above(self, table: Table) -> list[Crossing]:
        """The tables that its writers read, but for itself."""
        pairs = ((other, task) for task in self.writers(table) for other in self._reads[task])
        return [Crossing(other, table, task) for other, task in pairs if other != table]

    def below(self, table: Table) -> list[Crossing]:
        """The tables that its readers write, but for itself."""
        pairs = ((other, task) for task in self.readers(table) for other in self._writes[task])
        return [Crossing(table, other, task) for other, task in pairs if other != table]

    def _put(self, tables: Iterable[Table], users: dict[Table, set[str]], task: str) -> tuple[Table, ...]:
        found = tuple(dict.fromkeys(map(self._same, tables)))
        for table in found:
            users[table].add(task)
        return found

    def _same(self, table: Table) -> Table:
        """The one that stands for all that are surely the same."""
        alike = self._known[table.name.casefold()]
        connections = {other.connection for other in alike if other.connection}
        connection = table.connection or (min(connections) if len(connections) == 1 else "")
        return Table(min(other.name for other in alike), connection)


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A task reads what another writes, and nothing says which of the two runs first."""

    task: str
    writer: str
    tables: tuple[str, ...] = field(default=())

    @property
    def message(self) -> str:
        which = " and ".join(filter(None, (", ".join(self.tables[:-1]), self.tables[-1])))
        return f"{self.task} reads {which}, which {self.writer} writes, without depending on it"

    @property
    def hint(self) -> str:
        return f"add {self.writer} to its depends_on, or {{task: {self.writer}, cycle: previous}}"


def undeclared_dependencies(catalog: Catalog, lineages: Mapping[str, TaskLineage]) -> Iterator[Undeclared]:
    """Tasks that read a table which a task writes that they are not ordered with, in order of names.

    Ordered means that one depends on the other, directly or not, on any cycle. Tables that a
    task writes itself do not count: it may be reading its own rows.
    """
    users = Users(lineages)
    upstream = _all_upstream(catalog)
    orders = Graph(upstream)
    for task in sorted(lineages):
        by_writer: dict[str, list[str]] = defaultdict(list)
        own = lineages[task].writes
        for table in lineages[task].reads:
            if not any(table.is_same_as(written) for written in own):
                for writer in users.writers(table):
                    if writer not in upstream[task]:  # else it is declared, and nothing need be walked
                        by_writer[writer].append(table.name)
        if not by_writer:
            continue
        ordered = orders.ancestors([task])
        for writer, tables in sorted(by_writer.items()):
            if writer not in ordered and task not in orders.ancestors([writer]):
                yield Undeclared(task, writer, tuple(tables))


def _all_upstream(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Direct upstream names by dependencies of every kind."""
    return {
        name: tuple(
            above
            for dependency in task.depends_on
            for above in (
                catalog.graph.downstream[name]
                if dependency.kind is DependencyKind.CHILDREN
                else (dependency.task or name,)
            )
        )
        for name, task in catalog.tasks.items()
    }
