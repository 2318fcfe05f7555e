"""A project's folder that tests write files into."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from retrofill import project
from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.errors import Kind

DEPLOYMENT = """\
project: demo
connections: {warehouse: {url: "duckdb:///warehouse.duckdb"}}
resource_groups:
  night: {type: shared, slots: 2, workspaces: [weather]}
baselines: {morning: {priority: 7}}
"""
OPS = """\
workspace: ops
members: {alice: administrator, bob: operator}
tasks:
"""


class Folder:
    """Writes files, loads the project, and says what is wrong in the form that people see."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("retrofill.yaml", DEPLOYMENT)
        self.write("workspaces/weather/workspace.yaml", "workspace: weather\n")

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return target

    def tasks(self, text: str) -> None:
        """Tasks of workspace `ops`; the first line of the text is line 4 of the file."""
        self.write("workspaces/ops/workspace.yaml", OPS + indent(dedent(text.removeprefix("\n")), "  "))

    def task(self, *lines: str) -> None:
        """One shell task `a` of workspace `ops` with further keys; they begin in line 8."""
        body = "".join(f"    {line}\n" for line in lines)
        self.write(
            "workspaces/ops/workspace.yaml",
            f"{OPS}  a:\n    type: shell\n    run: ls\n    schedule: '@daily'\n{body}",
        )

    def load(self) -> Catalog:
        return project.load(self.root)

    def loaded(self, name: str = "ops.a") -> Task:
        return self.load().tasks[name]

    def problems(self) -> list[str]:
        """What is wrong; the longest path, that of `ops`, is left out."""
        with pytest.raises(project.ProjectError) as caught:
            project.load(self.root)
        assert caught.value.kind is Kind.USAGE
        assert caught.value.code == "invalid_project"
        lines = [str(problem) for problem in caught.value.problems]
        assert str(caught.value) == "\n".join(lines)
        return [line.removeprefix("workspaces/ops/workspace.yaml:") for line in lines]

    def problem(self) -> str:
        """The only thing that is wrong."""
        (problem,) = self.problems()
        return problem
