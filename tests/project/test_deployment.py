"""`retrofill.yaml`: every mistake is named with its line (CAT-1, CAT-4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from project.folders import Folder
from retrofill import project


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("timezone: UTC", '1:1: the file has no "project"; write project: NAME'),
        ("project: a b", '1:10: "project" is "a b", which is not a name'),
        ("project: 5", '1:10: "project" is read as a number, not as text; put it in quotes: "5"'),
        ("project: x\ntimezon: UTC", '2:1: unknown key "timezon"; did you mean "timezone"?'),
        (
            "project: x\ntimezone: EST5",
            '2:11: "EST5" is no time zone; use an IANA name such as Asia/Shanghai',
        ),
        ("project: x\nconnections: {w: {}}", '2:18: connection "w" has no "url"; write {url: ...}'),
        (
            "project: x\nconnections: {w: {url: wh.duckdb}}",
            '2:24: the url of connection "w": it is no SQLAlchemy URL; write one like duckdb:///warehouse.duckdb',
        ),
        (
            "project: x\nconnections: {w: {url: 'duckdb://w.duckdb'}}",
            '2:24: the url of connection "w": the url has two slashes, so that it names a host, and a file has three; '
            "write duckdb:///w.duckdb",
        ),
        (
            "project: x\nconnections: {w: {url: 'a://${scret:X}@h'}}",
            '2:24: the url of connection "w" holds a ${...}',
        ),
        ("project: x\nconnections: {w: 'duckdb:///x'}", '2:18: "w" is "duckdb:///x"; write a mapping'),
        (
            "project: x\nresource_groups: {g: {slots: 0}}",
            '2:30: "slots" is 0; write a whole number of at least 1',
        ),
        (
            "project: x\nresource_groups: {g: {type: big}}",
            '2:29: "type" is "big"; write shared, exclusive or',
        ),
        (
            "project: x\nresource_groups: {g: {reserved_for_auto: 5}}",
            '2:42: "reserved_for_auto" is 5 of 4 slots',
        ),
        (
            "project: x\nresource_groups: {g: {type: serverless, executor: pull, scaler: {}}}",
            '2:65: a scaler has either "command" or "url"; write {command:',
        ),
        (
            "project: x\nresource_groups: {g: {executor: pull, scaler: {command: [x]}}}",
            "2:47: the resource group has a scaler, and its type is exclusive; write type: serverless",
        ),
        (
            "project: x\nresource_groups: {g: {type: serverless, scaler: {url: 'https://x'}}}",
            "2:49: the resource group has a scaler, and its instances run on the machine of who schedules",
        ),
        (
            "project: x\nresource_groups: {g: {type: serverless, executor: pull, scaler: {url: x}}}",
            "2:65: the url of a scaler is no web address; write one that begins with https://",
        ),
        (
            "project: x\nresource_groups: {g: {workspaces: [weathr]}}",
            '2:36: there is no workspace "weathr"; did you',
        ),
        (
            "project: x\nresource_groups: {g: {}, G: {}}",
            '2:26: resource group "G" differs from "g" in line 2',
        ),
        ("project: x\nresource_groups: {'g h': {}}", '2:19: the name of this resource group is "g h"'),
        ("project: x\nbaselines: {b: {priority: 2}}", '2:27: "priority" is 2; write 1, 3, 5, 7 or 8'),
        ("project: x\nbaselines: {b: {}}", '2:16: baseline "b" has no "priority"'),
        ("project: x\nbaselines: {b: 7}", '2:16: "b" is 7; write a mapping'),
        (
            "project: x\nsettings: {max_root: 5}",
            '2:12: unknown setting "max_root"; did you mean "max_roots"?',
        ),
        (
            "project: x\nsettings: {max_roots: '5'}",
            '2:23: "max_roots" is "5"; write a whole number from 1 to',
        ),
        (
            "project: x\nsettings: {generation_time: 24:00}",
            '2:29: "generation_time" is "24:00"; write a time of day',
        ),
        (
            "project: x\nsettings: {working_folders: {nowhere: /srv}}",
            '2:30: there is no workspace "nowhere"; the workspaces are',
        ),
        ("project: x\nsettings: {checks: {c: {url: 'ftp://x'}}}", '2:30: "checks.c.url" is no web address'),
        (
            "project: x\nalerts: {mail: 'mailto://x'}",
            '2:10: "alerts.mail" is an unknown key; did you mean "email"?',
        ),
        (
            "project: x\nallow_internal: [10.0.0.0/8, ten]",
            '2:30: "allow_internal.1" is "ten", which is no network',
        ),
        (
            "project: x\nsettings: {alerts: {}}\nalerts: {}",
            '3:1: "alerts" is already in line 2; remove one of the two',
        ),
        (
            "project: x\nsecrets: {P: {workspaces: [wether]}}",
            '2:28: there is no workspace "wether"; did you mean "weather"?',
        ),
        (
            "project: x\nsecrets: {P: {}}",
            '2:14: secret "P" has no "workspaces"; write {workspaces: [NAME]}, or leave the secret out',
        ),
        ("project: x\nsecrets: {1P: {workspaces: []}}", '2:15: "1P" is no name of a secret; use letters'),
        ("project: x\nsettings: [a]", '2:11: "settings" is a list; write a mapping'),
        ("project: x\nsettings: {max_roots: }", '2:12: "max_roots" has no value'),
    ],
)
def test_a_wrong_deployment(folder: Folder, text: str, problem: str) -> None:
    """CAT-3, CAT-4, CAT-7, RUN-6, SEC-3, TIME-6."""
    folder.write("retrofill.yaml", text + "\n")
    assert folder.problem().removeprefix("retrofill.yaml:").startswith(problem)


def test_a_secret_that_is_bound_to_workspaces(folder: Folder) -> None:
    """SEC-3: tasks of others name it neither in a parameter nor by their connection."""
    folder.write(
        "retrofill.yaml",
        "project: x\nconnections: {w: {url: 'postgresql://u:${secret:PW}@h/x'}}\nsecrets: {PW: {workspaces: [weather]}}\n",
    )
    task = (
        "{{type: sql, run: select 1, schedule: '@daily', connection: w, parameters: {{p: '${{secret:{}}}'}}}}"
    )
    tasks = f"{{a: {task.format('PW')}, b: {task.format('OTHER')}}}"
    folder.write("workspaces/weather/workspace.yaml", f"workspace: weather\ntasks: {tasks}\n")
    catalog = folder.load()
    assert catalog.may_use("PW", "weather")
    assert not catalog.may_use("PW", "ops")
    assert catalog.may_use("OTHER", "ops")
    folder.write("workspaces/ops/workspace.yaml", f"workspace: ops\ntasks: {tasks}\n")
    told = [problem.partition(": ")[2].partition("; ")[0] for problem in folder.problems()]
    assert sorted(told) == [
        *['connection "w" names the secret PW, which is not bound to workspace ops'] * 2,
        'parameter "p" names the secret PW, which is not bound to workspace ops',
    ]


def test_a_bad_url_is_not_shown(folder: Folder) -> None:
    """SEC-3: people put passwords into it."""
    folder.write("retrofill.yaml", "project: x\nconnections: {w: {url: 'secret-password@host'}}\n")
    assert "secret-password" not in folder.problem()


def test_a_group_with_a_mistake_is_not_called_unknown(folder: Folder) -> None:
    """CAT-1: one mistake, one message."""
    folder.write(
        "retrofill.yaml", "project: x\nresource_groups: {g: {slots: 0}}\nbaselines: {b: {priority: 2}}\n"
    )
    folder.task("resource_group: g", "baseline: b")
    assert [problem.partition(":")[0] for problem in folder.problems()] == ["retrofill.yaml"] * 2


def test_a_project_that_is_not_there(tmp_path: Path) -> None:
    """CAT-1."""
    for directory in (tmp_path, tmp_path / "nowhere", Path("/etc/hostname")):
        with pytest.raises(project.ProjectError, match="make a project there"):
            project.load(directory)
    (tmp_path / "retrofill.yml").write_text("project: x\n")
    with pytest.raises(project.ProjectError, match=r"rename retrofill\.yml to retrofill\.yaml"):
        project.load(tmp_path)


def test_a_workspace_file_with_another_ending(folder: Folder) -> None:
    folder.write("workspaces/ops/workspace.yml", "workspace: ops\n")
    assert folder.problem() == (
        "1:1: the folder has workspace.yml and no workspace.yaml; name the workspace's file workspace.yaml"
    )


def test_workspaces_that_differ_in_case_only(folder: Folder) -> None:
    """CAT-3."""
    folder.write("workspaces/Weather/workspace.yaml", "workspace: Weather\n")
    assert 'workspace "weather" differs from "Weather" only in case' in folder.problem()


def test_a_folder_whose_name_cannot_name_a_workspace(folder: Folder) -> None:
    """CAT-7."""
    folder.write("workspaces/my ops/workspace.yaml", "workspace: ops\n")
    assert any('the name of the workspace\'s folder is "my ops"' in problem for problem in folder.problems())
