"""What somebody does to tasks: freezing what is made of them from now on (AUTO-4, SEC-4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import WrongStateError
from retrofill.domain.texts import Text
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.domain.running.results import TaskResult


class TaskActs(Desk):
    def freeze(self, tasks: Sequence[str], comment: str = "") -> list[TaskResult]:
        """Freeze deployed tasks: what is made of them from now on stands still; each is judged by itself.

        Args:
            tasks: by full name, short name or id.

        Raises:
            UnknownNameError: there is no such task.
            WrongStateError: nothing is deployed yet.
        """
        return self._set_frozen(tasks, True, comment)

    def unfreeze(self, tasks: Sequence[str], comment: str = "") -> list[TaskResult]:
        """Take back a freeze; instances that are frozen stay so. Errors as `freeze`."""
        return self._set_frozen(tasks, False, comment)

    def _set_frozen(self, tasks: Sequence[str], frozen: bool, comment: str) -> list[TaskResult]:
        from retrofill.services.catalogs.deploy import find_task
        from retrofill.services.catalogs.freezing import freeze_tasks

        absent = WrongStateError(
            "nothing is deployed yet, so there is nothing to freeze",
            Text("{project.deploy} publishes the folder."),
        )
        with self.view(absent) as view:
            assert self._parts.deployed is not None
            catalog = self._parts.deployed.catalog
            full = [find_task(catalog, view.task_ids, text, view.sees) for text in tasks]
        parts = self._parts
        return freeze_tasks(
            parts.store, parts.graphs.current, parts.clock, self._actor, full, frozen, comment
        )
