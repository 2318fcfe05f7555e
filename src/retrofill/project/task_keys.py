"""The keys of one task over those of the workspace's defaults: their values, where they stand, what is wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from retrofill.project.code import CodeFiles
from retrofill.project.deployment import Deployment
from retrofill.project.models import TaskShape
from retrofill.project.problems import Report
from retrofill.project.yaml_nodes import Node, Place

_ALTERNATIVES = {"priority": "baseline", "baseline": "priority", "run": "file", "file": "run"}


@dataclass(frozen=True, slots=True)
class WorkspaceContext:
    """What a workspace's tasks are read against."""

    workspace: str
    path: str
    members: Collection[str] | None  # None: not known, so owners are not judged
    deployment: Deployment
    defaults: TaskShape
    defaults_node: Node | None
    code_files: CodeFiles
    report: Report


class TaskKeys:
    """One task's keys; every method that refuses one reports it with its place."""

    def __init__(
        self, name: str, place: Place, shape: TaskShape, node: Node, around: WorkspaceContext
    ) -> None:
        self.name = f"{around.workspace}.{name}"
        self.place = place
        self.around = around
        self.report = around.report
        self._own = node.entries or {}
        defaults = around.defaults_node.entries if around.defaults_node else None
        # A key that is wrong in the task hides the default's: only the task's is spoken about.
        self._nodes = {key: value for key, (_, value) in self._own.items()}
        for key, (_, value) in (defaults or {}).items():
            if key not in self._own and _ALTERNATIVES.get(key) not in self._own:
                self._nodes[key] = value
        self._values = {
            key: getattr(shape if key in self._own else around.defaults, key, None) for key in self._nodes
        }

    # A key's value and place

    def node(self, key: str) -> Node | None:
        """The key's node in the task, else in the defaults."""
        return self._nodes.get(key)

    def has(self, key: str) -> bool:
        """Whether the key is written, be its value right or wrong."""
        return key in self._nodes

    def is_own(self, key: str) -> bool:
        """Whether the task itself has the key, and not only the defaults."""
        return key in self._own

    def get(self, key: str) -> Any:
        """The key's value, None where it is not written or wrong."""
        return self._values.get(key)

    def refuse(self, key: str, message: str, hint: str = "", place: Place | None = None) -> None:
        """Report a problem with a key, once if it is a default's."""
        node = self.node(key)
        where = place or (node.place if node else self.place)
        add = self.report.add if node is None or key in self._own else self.report.add_once
        add(self.around.path, where, message, hint)

    def declared(self) -> list[str]:
        """Names of the parameters that are written."""
        node = self.node("parameters")
        return list(node.names()) if node else []
