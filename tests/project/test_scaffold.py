"""A new project runs as it is, harms nothing that is there, and examples come without their data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from retrofill.domain.errors import Kind, RetrofillError
from retrofill.project.scaffold import (
    FilesInTheWayError,
    ProjectExistsError,
    UnknownExampleError,
    UnusableDirectoryError,
    create_project,
    list_examples,
)


def everything_in(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_an_empty_project_names_itself_after_its_directory(tmp_path: Path) -> None:
    paths = create_project(tmp_path / "sales", None)
    assert paths == sorted(path for path in (tmp_path / "sales").rglob("*") if path.is_file())
    deployment = yaml.safe_load((tmp_path / "sales/retrofill.yaml").read_text())
    assert deployment["project"] == "sales"
    assert ".retrofill/" in (tmp_path / "sales/.gitignore").read_text().splitlines()


@pytest.mark.parametrize(
    ("directory", "name"),
    [("my sales!", "my_sales"), ("2024", "project_2024"), ("---", "project"), ("été", "t"), ("a: {b", "a_b")],
)
def test_any_directory_name_gives_a_valid_project_name(tmp_path: Path, directory: str, name: str) -> None:
    """CAT-7: names match [A-Za-z_][A-Za-z0-9_-]*."""
    create_project(tmp_path / directory, None)
    assert yaml.safe_load((tmp_path / directory / "retrofill.yaml").read_text())["project"] == name


def test_the_empty_project_loads(tmp_path: Path) -> None:
    """CAT-1: what init writes has no error."""
    from retrofill import project

    create_project(tmp_path / "new", None)
    catalog = project.load(tmp_path / "new")
    assert sorted(catalog.tasks) == ["main.count", "main.fetch", "main.report"]
    assert catalog.graph.descendants(["main.fetch"]) == {"main.count", "main.report"}


def test_the_tasks_of_the_empty_project_run(tmp_path: Path) -> None:
    """PAR-4: shell code reads its parameters from the environment, python code by retrofill.parameters()."""
    create_project(tmp_path / "new", None)
    folder = tmp_path / "new/workspaces/main"
    tasks = yaml.safe_load((folder / "workspace.yaml").read_text())["tasks"]
    environment = {"PATH": "/usr/bin:/bin", "day": "2024-01-31", "RETROFILL_PARAMETERS": '["day"]'}
    subprocess.run(["/bin/sh", "-c", tasks["fetch"]["run"]], cwd=folder, env=environment, check=True)
    subprocess.run([sys.executable, "count.py"], cwd=folder, env=environment, check=True)
    report = subprocess.run(
        ["/bin/sh", "-c", tasks["report"]["run"]],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert report.stdout == b"2024-01-31: 31 lines\n"


def test_an_existing_project_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "retrofill.yaml").write_text("project: mine\n")
    for example in (None, "flights"):
        with pytest.raises(ProjectExistsError, match=r"already holds a project") as raised:
            create_project(tmp_path, example)
        assert raised.value.kind is Kind.USAGE
    assert everything_in(tmp_path) == {"retrofill.yaml": b"project: mine\n"}


def test_files_in_the_way_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "workspaces/main").mkdir(parents=True)
    (tmp_path / "workspaces/main/count.py").write_text("mine")
    with pytest.raises(FilesInTheWayError, match=r"workspaces/main/count\.py"):
        create_project(tmp_path, None)
    assert everything_in(tmp_path) == {"workspaces/main/count.py": b"mine"}


def test_other_files_stay_and_gitignore_gets_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    (tmp_path / ".gitignore").write_text("*.log\noutput/")
    create_project(tmp_path, None)
    assert (tmp_path / "README.md").read_text() == "hello"
    lines = (tmp_path / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["*.log", "output/"]
    assert lines.count("output/") == 1
    assert ".retrofill/" in lines


def test_a_path_that_cannot_be_a_directory_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableDirectoryError, match="file"):
        create_project(tmp_path / "file", None)
    with pytest.raises(UnusableDirectoryError, match="file"):
        create_project(tmp_path / "file/below", None)


def test_an_unknown_example_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownExampleError, match="did you mean") as raised:
        create_project(tmp_path / "new", "flight")
    assert raised.value.kind is Kind.UNKNOWN
    with pytest.raises(UnknownExampleError, match="flights"):
        create_project(tmp_path / "new", "../flights")
    assert not (tmp_path / "new").exists()


def test_the_example_is_copied_without_data_and_results(tmp_path: Path) -> None:
    assert "flights" in list_examples()
    paths = create_project(tmp_path / "demo", "flights")
    names = {path.relative_to(tmp_path / "demo").as_posix() for path in paths}
    assert names == set(everything_in(tmp_path / "demo"))
    assert {"retrofill.yaml", ".gitignore", "README.md", "get_data.py", "show_results.py"} <= names
    assert "workspaces/analytics/daily_delays.sql" in names
    assert {name.partition("/")[0] for name in names if "/" in name} == {"workspaces"}
    assert not any(".duckdb" in name for name in names)
    assert sum(path.stat().st_size for path in paths) < 100_000


def test_the_example_loads_with_every_kind_of_task(tmp_path: Path) -> None:
    """CAT-1, CAT-5: the flights example has no error and shows every type and cycle of its story."""
    from retrofill import project

    create_project(tmp_path / "demo", "flights")
    catalog = project.load(tmp_path / "demo")
    assert set(catalog.workspaces) == {"ops", "weather", "analytics"}
    assert {task.type for task in catalog.tasks.values()} == {"shell", "python", "sql", "virtual"}
    assert {task.schedule.cycle for task in catalog.tasks.values()} == {"hour", "day", "week", "month"}
    assert catalog.tasks["analytics.running_total"].depends_on_itself
    others = set(catalog.tasks) - {"ops.start_of_day"}
    assert catalog.graph.descendants(["ops.start_of_day"]) == others


def test_every_error_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "retrofill.yaml").write_text("")
    with pytest.raises(RetrofillError) as raised:
        create_project(tmp_path, None)
    assert "Choose another directory" in str(raised.value.hint)
