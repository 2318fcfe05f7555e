"""Code files and inline code: where they may lie and what they may hold (CAT-4, PAR-4)."""

from __future__ import annotations

import os

import pytest

from project.folders import Folder


def file_task(folder: Folder, name: str, kind: str = "shell") -> None:
    connection = ", connection: warehouse" if kind == "sql" else ""
    folder.tasks(f"a: {{type: {kind}, schedule: '@daily', file: '{name}'{connection}}}")


def test_a_missing_file(folder: Folder) -> None:
    """CAT-4."""
    file_task(folder, "x.sh")
    assert folder.problem() == '4:46: "file" is "x.sh": there is no such file; create it or correct the name'


@pytest.mark.parametrize(
    "name", ["../../../etc/hostname", "/etc/hostname", "~/x.sh", "../../../../../../etc/hostname"]
)
def test_a_file_outside_the_project(folder: Folder, name: str) -> None:
    """CAT-4."""
    file_task(folder, name)
    assert "the file lies outside the project's folder" in folder.problem()


def test_a_link_out_of_the_project(folder: Folder) -> None:
    """CAT-4: links are resolved."""
    folder.write("workspaces/ops/x", "").unlink()
    (folder.root / "workspaces/ops/x.sh").symlink_to("/etc/hostname")
    file_task(folder, "x.sh")
    assert folder.problem().startswith('4:46: "file" is "x.sh": the file lies outside the project\'s folder')


def test_a_link_inside_the_project(folder: Folder) -> None:
    folder.write("shared/x.sh", "echo 1")
    folder.write("workspaces/ops/x", "").unlink()
    (folder.root / "workspaces/ops/x.sh").symlink_to("../../shared/x.sh")
    file_task(folder, "x.sh")
    assert folder.loaded().code == "echo 1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"echo \xff\n", "byte 0xff is not valid UTF-8 (line 1, column 6); save the file as UTF-8"),
        (b"echo\n \0", "a NUL character (line 2, column 2); the file must be UTF-8 text"),
        ("echo\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b"x" * 1_000_001, "the file has 1,000,001 bytes; at most 1,000,000 are read; split it"),
    ],
)
def test_a_file_that_is_no_code(folder: Folder, content: bytes, message: str) -> None:
    """CAT-4."""
    folder.write("workspaces/ops/x.py", content)
    file_task(folder, "x.py", "python")
    assert folder.problem() == f'4:47: "file" is "x.py": {message}'


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_file_that_is_not_regular(folder: Folder, kind: str) -> None:
    """CAT-4: no hang."""
    target = folder.write("workspaces/ops/x.sh", "")
    target.unlink()
    os.mkfifo(target) if kind == "pipe" else target.mkdir()
    file_task(folder, "x.sh")
    assert "it is not a regular file" in folder.problem()


def test_empty_code(folder: Folder) -> None:
    folder.write("workspaces/ops/x.sh", "\n  \n")
    file_task(folder, "x.sh")
    assert folder.problem() == "workspaces/ops/x.sh:1:1: the code of task ops.a is empty; write what it runs"


def test_shell_code_that_no_shell_takes(folder: Folder) -> None:
    """CAT-4: one argument of a program holds 128 KiB."""
    folder.write("workspaces/ops/x.sh", "#" * 100_001)
    file_task(folder, "x.sh")
    assert folder.problem() == (
        "workspaces/ops/x.sh:1:1: shell code of 100,001 bytes; at most 100,000 can be passed to a shell; "
        "put it into a script of its own and call that: sh ./script.sh"
    )
    folder.write("workspaces/ops/x.sh", "#" * 100_000)
    assert len(folder.loaded().code) == 100_000


def test_python_code_may_be_longer(folder: Folder) -> None:
    folder.write("workspaces/ops/x.py", "#" * 500_000)
    file_task(folder, "x.py", "python")
    assert len(folder.loaded().code) == 500_000


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("select 1;\nselect '${dya}'", '2:9: ${dya} is not a parameter of the task; did you mean "day"?'),
        ("select ${xyz}", "1:8: ${xyz} is not a parameter of the task; declare it under `parameters`"),
        ("select\n ${day", '2:2: "${" in line 2'),
        ("select ${}", '1:8: "${}" in line 1'),
        ("select ${a b}", '1:8: "${a b}" in line 1'),
    ],
)
def test_an_undeclared_name_in_sql(folder: Folder, code: str, problem: str) -> None:
    """PAR-4: with the file and the line."""
    folder.write("workspaces/ops/x.sql", code)
    folder.task()
    folder.tasks(
        "a: {type: sql, schedule: '@daily', file: x.sql, connection: warehouse, parameters: {day: $bizdate}}"
    )
    assert folder.problem().removeprefix("workspaces/ops/x.sql:").startswith(problem)


def test_an_undeclared_name_in_inline_sql(folder: Folder) -> None:
    """PAR-4: a line of the YAML file."""
    folder.tasks(
        """
        a:
          type: sql
          connection: warehouse
          schedule: '@daily'
          run: |
            select 1;
            select ${day}
        b: {type: sql, connection: warehouse, schedule: '@daily', run: "select ${day}"}
        """
    )
    assert [problem.partition("$")[0] for problem in folder.problems()] == ["10:1: ", "11:74: "]


def test_dollars_that_are_the_databases(folder: Folder) -> None:
    """PAR-4."""
    folder.tasks(
        "a: {type: sql, connection: warehouse, schedule: '@daily', run: 'select $$x$$, $1, $${x}, $x'}"
    )
    assert folder.loaded().code == "select $$x$$, $1, $${x}, $x"


def test_shell_and_python_may_name_what_they_like(folder: Folder) -> None:
    """PAR-4: only SQL is checked."""
    folder.tasks("a: {type: shell, schedule: '@daily', run: 'echo ${HOME} ${'}")
    assert folder.loaded().code == "echo ${HOME} ${"


def test_a_byte_order_mark_is_no_code(folder: Folder) -> None:
    folder.write("workspaces/ops/x.sh", b"\xef\xbb\xbfecho 1\n")
    file_task(folder, "x.sh")
    assert folder.loaded().code == "echo 1\n"


def test_a_file_of_several_tasks_is_read_once_and_judged_for_each(folder: Folder) -> None:
    """PAR-4."""
    folder.write("workspaces/ops/x.sql", "select ${day}")
    task = "type: sql, schedule: '@daily', file: x.sql, connection: warehouse"
    folder.tasks(f"a: {{{task}, parameters: {{day: $bizdate}}}}\nb: {{{task}}}")
    assert folder.problem().startswith("workspaces/ops/x.sql:1:8: ${day} is not a parameter of the task")
