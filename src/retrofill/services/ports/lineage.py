"""Reading the SQL of tasks."""

from __future__ import annotations

from typing import Protocol

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.lineage import TaskLineage


class SqlReader(Protocol):
    """Finds the tables of an sql task's code; answers with a `problem` where it cannot, never raises."""

    def tables(self, task: Task) -> TaskLineage:
        """Tables only: cheap enough for every task of a project."""
        ...

    def columns(self, task: Task) -> TaskLineage:
        """Tables and columns."""
        ...
