"""A file with very many mistakes is read no further than a hundred of them (CAT-1)."""

from __future__ import annotations

import pytest

from project.folders import OPS, Folder
from retrofill.project.problems import MOST

MORE = "more than 100 mistakes in this file, which is read no further; correct these first"
TASK = "  a: {{type: sql, connection: warehouse, schedule: '@daily', {}}}\n"


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"key{i}: 1\n" for i in range(5000)),
        "tasks:\n" + "".join(f"  t{i}: 1\n" for i in range(5000)),
        "tasks:\n" + "".join(f"  t{i}: *a\n" for i in range(5000)),
        "tasks:\n  a: {type: virtual, schedule: '@daily', tags: [" + "1,\n" * 5000 + "]}\n",
        "tasks:\n" + "".join(f"  t{i}: {{}}\n" for i in range(5000)),
        "tasks:\n" + TASK.format("run: '" + "${x} " * 5000 + "'"),
        "tasks:\n"
        + "".join(f"  t{i}: {{type: virtual, schedule: '@daily', depends_on: [x{i}]}}\n" for i in range(500)),
    ],
    ids=["keys", "tasks", "aliases", "items", "values", "parameters", "links"],
)
def test_the_first_hundred(folder: Folder, text: str) -> None:
    """CAT-1: a hundred, then that there are more."""
    folder.write("workspaces/ops/workspace.yaml", OPS.removesuffix("tasks:\n") + text)
    problems = folder.problems()
    assert len(problems) == MOST + 1
    assert problems[-1].endswith(MORE)


def test_other_files_are_read_all_the_same(folder: Folder) -> None:
    """CAT-1: a code file with too many hides nothing of the workspace's, nor that of another's."""
    folder.write("workspaces/ops/a.sql", "${x}\n" * 5000)
    folder.write("workspaces/ops/workspace.yaml", OPS + TASK.format("file: a.sql, nonsense: 1"))
    folder.write("workspaces/weather/workspace.yaml", "workspace: weather\nnonsense: 1\n")
    problems = folder.problems()
    assert len(problems) == MOST + 3
    assert sum("workspaces/ops/a.sql" in problem for problem in problems) == MOST + 1
    assert sum("nonsense" in problem for problem in problems) == 2


def test_exactly_a_hundred_are_all(folder: Folder) -> None:
    """CAT-1: then nothing more is said."""
    folder.write(
        "workspaces/ops/workspace.yaml",
        OPS.removesuffix("tasks:\n") + "".join(f"key{i}: 1\n" for i in range(MOST)),
    )
    assert len(folder.problems()) == MOST


def test_several_wrong_items_of_a_list(folder: Folder) -> None:
    """CAT-1: each is told, and nothing else goes with them."""
    folder.task("tags: [1, 2, 3, 4]", "owner: nobody")
    assert [problem[:5] for problem in folder.problems()] == ["8:12:", "8:15:", "8:18:", "8:21:", "9:12:"]
