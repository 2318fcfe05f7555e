"""Lineage of the tasks of a catalog: from their SQL and from what they declare (OPS-10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.catalog.lineage import (
    ColumnLineage,
    Table,
    TableGraph,
    TaskLineage,
    Undeclared,
    Users,
    undeclared_dependencies,
)
from retrofill.services.ports.lineage import SqlReader

TasksOf = Callable[[Table], list[str]]
_WORD = re.compile(r"\w+")
_SPLICED_NAME = re.compile(r"[\w.]\$\{|\}\w")


class Lineages:
    """Answers about one catalog; SQL is read when an answer needs it.

    Args:
        sees: whether the user may know of a task, by full name (SEC-2).
    """

    def __init__(
        self, catalog: Catalog, sql: SqlReader, sees: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._catalog = catalog
        self._sql = sql
        self._sees = sees

    def of(self, name: str) -> TaskLineage:
        """The tables of one task."""
        task = self._catalog.tasks[name]
        found = self._sql.tables(task) if task.type.traits.is_sql else TaskLineage()
        return found.with_declared(task.reads, task.writes)

    def columns(self, name: str) -> tuple[ColumnLineage, ...]:
        """Where the columns that a task writes come from, as far as its SQL tells."""
        task = self._catalog.tasks[name]
        return self._sql.columns(task).columns if task.type.traits.is_sql else ()

    def users(self, lineage: TaskLineage) -> tuple[TasksOf, TasksOf]:
        """Who writes and who reads a table of this lineage, of the tasks that the user may know of."""
        found = Users(self._concerned((*lineage.reads, *lineage.writes)))
        return lambda table: self._seen(found.writers(table)), lambda table: self._seen(found.readers(table))

    def graph(self) -> TableGraph:
        """All tables of the tasks that the user may know of."""
        return TableGraph({name: self.of(name) for name in self._catalog.tasks if self._sees(name)})

    def undeclared(self) -> Iterator[Undeclared]:
        """Tasks that read what a task writes that they are not ordered with."""
        lineages = {name: self.of(name) for name in self._catalog.tasks}
        for found in undeclared_dependencies(self._catalog, lineages):
            if self._sees(found.task) and self._sees(found.writer):
                yield found

    def unread(self) -> Iterator[tuple[str, str]]:
        """Tasks whose SQL could not be read and which declare nothing in its place, with the reason."""
        for name, task in self._catalog.tasks.items():
            problem = self.of(name).problem
            if problem and not (task.reads or task.writes) and self._sees(name):
                yield name, problem

    def _concerned(self, tables: tuple[Table, ...]) -> dict[str, TaskLineage]:
        """The lineage of all tasks that may use one of the tables; the SQL of others need not be read."""
        words = [_longest_word(table.name) for table in tables]
        declared = {table.name.casefold() for table in tables}
        return {
            name: self.of(name)
            for name, task in self._catalog.tasks.items()
            if any(table.casefold() in declared for table in (*task.reads, *task.writes))
            or (task.type.traits.is_sql and _may_name(task, words))
        }

    def _seen(self, tasks: tuple[str, ...]) -> list[str]:
        return [task for task in tasks if self._sees(task)]


def _longest_word(name: str) -> str:
    """A part of a table's last name that code which names it must hold."""
    last = name if name.startswith("file:") else name.rpartition(".")[2]
    return max(_WORD.findall(last.casefold()), key=len, default="")


def _may_name(task: Task, words: list[str]) -> bool:
    """Whether code can name a table by the text alone: parameters may be parts of a name."""
    if _SPLICED_NAME.search(task.code):
        return True
    text = "\n".join((task.code, *(value for _, value in task.parameters))).casefold()
    return any(word in text for word in words)
