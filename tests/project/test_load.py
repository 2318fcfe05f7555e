"""A project without mistakes becomes the catalog that its files describe."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from project.folders import Folder
from retrofill import project
from retrofill.domain.catalog.definitions import Dependency, DependencyKind, Rerun, ResourceGroup, RunMode
from retrofill.domain.catalog.task_types import TaskType
from work import calls

EVERYTHING = """
workspace: ops
timezone: America/New_York
region: east
members: {alice: administrator, bob: operator, carol: developer, dave: visitor}
defaults: {resource_group: default, owner: alice}
tasks:
  budget:
    type: virtual
    schedule: "@daily"
  raw_flights:
    type: shell
    run: ./fetch.sh
    schedule: "30 1 * * *"
    parameters: {day: "${yyyy-mm-dd}", hour: "$[hh24-1/24]"}
  daily_delays:
    type: sql
    connection: warehouse
    file: daily_delays.sql
    schedule: "0 2 * * *"
    depends_on:
      - raw_flights
      - weather.hourly_observations
      - {task: self, cycle: previous}
      - {task: ops.budget, cycle: previous}
      - {children: previous}
      - {task: budget}
      - {task: budget, cycle: same}
    parameters: {day: "$bizdate"}
    reads: [raw.flights]
    writes: [mart.daily_delays]
    baseline: morning
    rerun: {mode: on_failure, times: 3, interval: 90s, on_lost: true}
    timeout: 1h
    max_parallel_instances: 2
    mode: dry_run
    generation: immediate
    valid: {from: 2013-01-01, until: "2014-01-01"}
    tags: [delays]
    description: Delay figures per carrier and day.
"""
WEATHER = """
workspace: weather
tasks:
  hourly_observations: {type: virtual, schedule: "@hourly", priority: 5}
"""


@pytest.fixture
def full(folder: Folder) -> Folder:
    folder.write("workspaces/ops/workspace.yaml", EVERYTHING.replace("      - {task: budget}\n", ""))
    folder.write("workspaces/ops/daily_delays.sql", "select '${day}', '$${day}', $$x$$")
    folder.write("workspaces/weather/workspace.yaml", WEATHER)
    return folder


def test_every_key_of_a_task(full: Folder) -> None:
    """CAT-1, CAT-5, CAT-8, TIME-4, DEP-6, DEP-7, DEP-8: each key arrives in the catalog."""
    task = full.loaded("ops.daily_delays")
    assert task.type is TaskType.SQL
    assert (task.code, task.code_file) == ("select '${day}', '$${day}', $$x$$", "daily_delays.sql")
    assert task.schedule.slots == (120,)
    assert task.depends_on == (
        Dependency(DependencyKind.SAME_CYCLE, "ops.raw_flights"),
        Dependency(DependencyKind.SAME_CYCLE, "weather.hourly_observations"),
        Dependency(DependencyKind.SELF),
        Dependency(DependencyKind.PREVIOUS, "ops.budget"),
        Dependency(DependencyKind.CHILDREN),
        Dependency(DependencyKind.SAME_CYCLE, "ops.budget"),
    )
    assert task.parameters == (("day", "$bizdate"),)
    assert (task.reads, task.writes, task.tags) == (("raw.flights",), ("mart.daily_delays",), ("delays",))
    assert (task.baseline, task.priority, task.owner) == ("morning", 7, "alice")
    assert task.rerun == Rerun("on_failure", 3, 90, on_lost=True)
    assert (task.timeout_seconds, task.max_parallel_instances) == (3600, 2)
    assert (task.mode, task.generation) == (RunMode.DRY_RUN, "immediate")
    assert (task.valid_from, task.valid_until) == (date(2013, 1, 1), date(2014, 1, 1))
    assert (task.connection, task.description) == ("warehouse", "Delay figures per carrier and day.")


def test_parameters_keep_their_order(full: Folder) -> None:
    """PAR-4: `$1 $2 ...` are in declared order."""
    assert [name for name, _ in full.loaded("ops.raw_flights").parameters] == ["day", "hour"]


def test_what_is_not_written_has_its_default(full: Folder) -> None:
    """CAT-7: neither priority nor baseline is priority 1; a workspace has the deployment's zone and region."""
    catalog = full.load()
    task = catalog.tasks["ops.raw_flights"]
    assert (task.priority, task.resource_group, task.rerun) == (1, "default", Rerun("always", 0, 120))
    assert (task.timeout_seconds, task.max_parallel_instances, task.mode) == (259_200, None, RunMode.NORMAL)
    assert (task.generation, task.valid_from, task.code_file) == ("next_day", None, "")
    weather = catalog.workspaces["weather"]
    assert (weather.timezone, weather.region, dict(weather.members)) == ("UTC", "default", {})
    assert catalog.tasks["weather.hourly_observations"].owner == ""
    assert catalog.resource_groups["default"] == ResourceGroup("default", "exclusive", 4, 0, None)
    assert catalog.resource_groups["night"].workspaces == {"weather"}


def test_a_workspace_keeps_what_it_says(full: Folder) -> None:
    ops = full.load().workspaces["ops"]
    assert (ops.timezone, ops.region, ops.members["carol"]) == ("America/New_York", "east", "developer")


def test_tasks_are_in_order_of_their_full_names(full: Folder) -> None:
    assert list(full.load().tasks) == sorted(full.load().tasks)


def test_defaults_are_replaced_key_by_key_and_parameters_as_a_whole(folder: Folder) -> None:
    """CAT-7."""
    folder.write(
        "workspaces/ops/workspace.yaml",
        "workspace: ops\n"
        "defaults: {type: shell, run: ls, schedule: '@daily', parameters: {a: x, b: y}, rerun: {times: 3}}\n"
        "tasks:\n  a: {}\n  b: {parameters: {c: z}, schedule: '@hourly'}\n",
    )
    tasks = folder.load().tasks
    assert tasks["ops.a"].parameters == (("a", "x"), ("b", "y"))
    assert tasks["ops.b"].parameters == (("c", "z"),)
    assert tasks["ops.b"].rerun.times == 3
    assert len(tasks["ops.b"].schedule.slots) == 24


def test_a_tasks_own_priority_or_code_takes_the_place_of_the_defaults_other(folder: Folder) -> None:
    """CAT-7: `priority` and `baseline` are one choice, as are `run` and `file`."""
    folder.write(
        "workspaces/ops/workspace.yaml",
        "workspace: ops\ndefaults: {type: shell, file: x.sh, baseline: morning, schedule: '@daily'}\n"
        "tasks:\n  a: {priority: 3, run: ls}\n",
    )
    task = folder.loaded()
    assert (task.priority, task.baseline, task.code, task.code_file) == (3, "", "ls", "")


def test_defaults_that_do_not_fit_a_tasks_type_are_left_aside(folder: Folder) -> None:
    folder.write(
        "workspaces/ops/workspace.yaml",
        "workspace: ops\ndefaults: {schedule: '@daily', connection: warehouse, run: ls}\n"
        "tasks:\n  a: {type: virtual}\n  b: {type: shell}\n",
    )
    tasks = folder.load().tasks
    assert (tasks["ops.a"].code, tasks["ops.b"].connection) == ("", "")


def test_files_are_those_that_the_version_was_made_from(full: Folder) -> None:
    """CAT-1."""
    assert [file.path for file in full.load().files] == [
        "retrofill.yaml",
        "workspaces/ops/daily_delays.sql",
        "workspaces/ops/workspace.yaml",
        "workspaces/weather/workspace.yaml",
    ]


def test_byte_order_mark_and_windows_line_ends_are_accepted(folder: Folder) -> None:
    text = "\ufeffworkspace: ops\ntasks:\n  a: {type: virtual, schedule: '@daily'}\n"
    folder.write("workspaces/ops/workspace.yaml", text.replace("\n", "\r\n").encode())
    assert folder.loaded().type is TaskType.VIRTUAL


def test_a_folder_without_yaml_is_no_workspace(folder: Folder) -> None:
    folder.write("workspaces/shared/lib.sql", "select 1")
    folder.write("workspaces/.cache/workspace.yaml", "nonsense")
    assert list(folder.load().workspaces) == ["weather"]


def test_a_project_without_workspaces_is_one(tmp_path: Path) -> None:
    (tmp_path / "retrofill.yaml").write_text("project: empty\n")
    catalog = project.load(tmp_path)
    assert (catalog.project, dict(catalog.tasks)) == ("empty", {})


def test_code_may_be_shared_between_workspaces(folder: Folder) -> None:
    folder.write("workspaces/shared/x.sh", "echo shared")
    folder.tasks("a: {type: shell, file: ../shared/x.sh, schedule: '@daily'}")
    assert folder.loaded().code == "echo shared"


def test_a_project_can_be_reached_through_a_link(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder.task()
    link = tmp_path_factory.mktemp("elsewhere") / "link"
    link.symlink_to(folder.root)
    assert "ops.a" in project.load(link).tasks


def test_settings_are_kept_as_written(folder: Folder) -> None:
    folder.write(
        "retrofill.yaml",
        "project: demo\nsettings: {max_roots: 5, generation_time: 22:15, log_cap: 5m}\n"
        "alerts: {email: 'mailto://x'}\nallow_internal: [10.0.0.0/8]\n",
    )
    assert folder.load().settings == {
        "max_roots": 5,
        "generation_time": "22:15",
        "log_cap": "5m",
        "alerts": {"email": "mailto://x"},
        "allow_internal": ["10.0.0.0/8"],
    }


def test_connections_keep_their_secrets_unresolved(folder: Folder) -> None:
    """SEC-3."""
    url = "postgresql+psycopg://etl:${secret:MART_PASSWORD}@db/mart"
    folder.write("retrofill.yaml", f"project: demo\nconnections: {{mart: {{url: '{url}'}}}}\n")
    assert folder.load().connections == {"mart": url}


def large_project(folder: Folder, workspaces: int, tasks: int) -> None:
    for w in range(workspaces):
        lines = [f"workspace: w{w}\nmembers: {{alice: administrator}}\ndefaults: {{owner: alice}}\ntasks:\n"]
        for t in range(tasks):
            above = [f"t{t - 1}"] * (t > 0) + [f"t{t - 7}"] * (t > 6) + [f"w{w - 1}.t{t}"] * (w > 0)
            lines.append(
                f"  t{t}:\n    type: shell\n    run: echo $day\n    schedule: '{t % 60} {w % 24} * * *'\n"
                f"    depends_on: [{', '.join([*above, '{task: self, cycle: previous}'])}]\n"
                "    parameters: {day: $bizdate, hour: '$[hh24-1/24]'}\n    rerun: {times: 3, interval: 2m}\n"
                "    timeout: 1h\n    tags: [a, b]\n    description: Some words about it.\n"
            )
        folder.write(f"workspaces/w{w}/workspace.yaml", "".join(lines))


@pytest.mark.slow
def test_twenty_thousand_tasks_load_within_the_stated_limit(folder: Folder) -> None:
    """CAT-1: as many as the most that a backfill may choose by workspace."""
    large_project(folder, workspaces=20, tasks=1000)
    assert len(folder.load().tasks) == 20_000


def test_the_work_of_loading_grows_with_the_tasks(folder: Folder) -> None:
    """CAT-1: and no faster, also in one workspace."""
    large_project(folder, workspaces=1, tasks=100)
    few = calls(folder.load)
    large_project(folder, workspaces=1, tasks=1000)
    assert len(folder.load().tasks) == 1000
    assert calls(folder.load) < 11 * few


def test_the_flights_example_loads() -> None:
    """CAT-1."""
    root = Path(__file__).parents[2] / "examples" / "flights"
    catalog = project.load(root)
    assert len(catalog.workspaces) == 3
    assert catalog.graph.loop() == ()


class TestUnchanged:
    """An unchanged folder makes no new version (CAT-1)."""

    @pytest.fixture
    def loaded(self, full: Folder) -> Folder:
        self.files = full.load().files
        assert project.unchanged(full.root, self.files)
        return full

    def test_a_changed_code_file(self, loaded: Folder) -> None:
        loaded.write("workspaces/ops/daily_delays.sql", "select 2")
        assert not project.unchanged(loaded.root, self.files)

    def test_a_changed_yaml_file(self, loaded: Folder) -> None:
        loaded.write("workspaces/weather/workspace.yaml", WEATHER + "# a comment\n")
        assert not project.unchanged(loaded.root, self.files)

    def test_a_further_workspace(self, loaded: Folder) -> None:
        loaded.write("workspaces/new/workspace.yaml", "workspace: new\n")
        assert not project.unchanged(loaded.root, self.files)

    @pytest.mark.parametrize("path", ["workspaces/weather/workspace.yaml", "workspaces/ops/daily_delays.sql"])
    def test_a_missing_file(self, loaded: Folder, path: str) -> None:
        (loaded.root / path).unlink()
        assert not project.unchanged(loaded.root, self.files)

    def test_a_code_file_that_became_a_pipe(self, loaded: Folder) -> None:
        path = loaded.root / "workspaces/ops/daily_delays.sql"
        path.unlink()
        os.mkfifo(path)
        assert not project.unchanged(loaded.root, self.files)

    def test_files_that_no_task_names_do_not_count(self, loaded: Folder) -> None:
        loaded.write("workspaces/ops/notes.txt", "x")
        assert project.unchanged(loaded.root, self.files)

    def test_a_folder_that_is_gone(self, loaded: Folder) -> None:
        assert not project.unchanged(loaded.root / "nowhere", self.files)
