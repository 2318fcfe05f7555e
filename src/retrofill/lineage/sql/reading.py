"""A task's SQL -> the tables and columns that it reads and writes (OPS-10).

What cannot be read is said in the result's `problem`; nothing here raises on users' text.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.expressions import ParameterError
from retrofill.domain.catalog.lineage import ColumnLineage, TaskLineage
from retrofill.domain.errors import shown
from retrofill.lineage.sql.blanks import fill
from retrofill.lineage.sql.places import Place, place_of

if TYPE_CHECKING:
    from retrofill.lineage.sql.scripts import Script

_MISSING = "the SQL is not read, because sqlglot is not installed: install retrofill[lineage], or declare reads and writes"
_KEPT = 4096  # results; a process asks for the same code again and again


class SqlLineage:
    """Reads the SQL of tasks against a catalog's connections. Answers are kept."""

    def __init__(self, connections: Mapping[str, str]) -> None:
        self._connections = connections
        self._places: dict[str, Place] = {}

    @cached_property
    def _dialects(self) -> frozenset[str]:
        from sqlglot.dialects import DIALECTS

        return frozenset(name.lower() for name in DIALECTS)

    def tables(self, task: Task) -> TaskLineage:
        """Tables that the task's SQL reads and writes; costs about 0.1 ms a statement."""
        return self._read(task, with_columns=False)

    def columns(self, task: Task) -> TaskLineage:
        """The same with the columns; costs several milliseconds a statement."""
        return self._read(task, with_columns=True)

    def of_code(self, code: str, connection: str, workspace: str) -> TaskLineage:
        """Tables and columns of code whose parameters are filled in."""
        if find_spec("sqlglot") is None:
            return TaskLineage(problem=_MISSING)
        return _lineage(code, self.place(connection), workspace, with_columns=True)

    def place(self, connection: str) -> Place:
        """Where the SQL of a connection's tasks runs."""
        place = self._places.get(connection)
        if place is None:
            place = place_of(connection, self._connections, self._dialects)
            self._places[connection] = place
        return place

    def _read(self, task: Task, with_columns: bool) -> TaskLineage:
        if find_spec("sqlglot") is None:
            return TaskLineage(problem=_MISSING)
        try:
            code = fill(task, self.place(task.connection).dialect)
        except ParameterError as error:
            return TaskLineage(problem=f"the SQL is not read: {error.message}")
        return _lineage(code, self.place(task.connection), task.workspace, with_columns)


@lru_cache(maxsize=_KEPT)
def _lineage(code: str, place: Place, workspace: str, with_columns: bool) -> TaskLineage:
    """The lineage of code without parameters."""
    from retrofill.lineage.sql.scripts import Script

    script = Script(code, place, workspace, with_columns)
    columns: tuple[ColumnLineage, ...] = ()
    if with_columns:
        from retrofill.lineage.sql.columns import columns_of

        columns = columns_of(script)
    return TaskLineage(script.reads, script.writes, columns, _problem(script))


def _problem(script: Script) -> str:
    if not script.unread:
        return ""
    first = script.unread[0]
    more = f" and {len(script.unread) - 1} more" if len(script.unread) > 1 else ""
    return shown(
        f"the SQL could not be read: statement {first.number} of {script.count} ({first.excerpt}){more}: "
        f"{first.reason}; declare reads and writes"
    )
