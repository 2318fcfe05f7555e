"""Lists and rows of backfills and instances, and of the catalog: the promised names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox

BACKFILL = [
    "id", "name", "check_status", "status", "blocked_by", "held", "paused_by", "failures", "task_count",
    "instance_count", "run_count", "counts", "bizdates", "version", "created_by", "created_at", "started_at", "ended_at",
    "took_seconds", "estimated_end_at", "first_estimate", "alerts",
]  # fmt: skip
INSTANCE = [
    "id", "backfill", "task", "bizdate", "scheduled_at", "kind", "state", "reason", "group", "priority",
    "resource_group", "version", "run_number", "started_at", "ended_at", "run_seconds",
]  # fmt: skip
STATES = ["not_run", "waiting_time", "waiting_resources", "running", "successful", "failed", "frozen"]


def test_rows_of_backfills(filled: Sandbox) -> None:
    """BF-2: in every command that prints one."""
    rows = filled.json("backfill", "list")
    assert [row["id"] for row in rows] == [3, 2, 1], "newest first"
    shown = filled.json("backfill", "show", 1)
    assert list(shown) == [
        *BACKFILL,
        "kinds",
        "runs_by_bizdate",
        "request",
        "dates",
        "first_failures",
        "refusals",
        "tag",
    ]
    for row in (*rows, filled.json("backfill", "pause", 1), filled.json("backfill", "resume", 1)):
        assert list(row) == BACKFILL
        assert list(row["counts"]) == STATES
    assert shown["counts"] == dict.fromkeys(STATES, 0) | {"not_run": 26, "waiting_resources": 1}
    assert shown["bizdates"] == ["2026-01-05", "2026-01-06", "2026-01-07"]
    assert shown["created_at"].endswith("Z")
    assert filled.call("backfill", "list", "--output", "jsonl").jsonl == filled.json("backfill", "list")


def test_backfills_as_text(filled: Sandbox) -> None:
    """BF-2: with the list's words."""
    text = filled.call("backfill", "list").stdout
    assert "Waiting for resources" in text
    assert "Stopped" in text
    assert "2026-01-05..2026-01-07 (3)" in text
    shown = filled.call("backfill", "show", 1).stdout
    assert shown.splitlines()[0] == "Backfill 1 first: Waiting for resources"
    assert "group 1  2026-01-06" in shown


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["--name", "FIRST"], [1]), (["--creator", "alice"], [2]), (["--status", "stopped"], [3]),
        (["--check-status", "failed"], [3]), (["--bizdate", "2026-01-06"], [1]), (["--task", "weekly"], [1]),
        (["--type", "sql"], [3, 2, 1]), (["--workspace", "bi"], [1]), (["--created", "1999-01-01"], []),
        (["--limit", "1"], [3]), (["--task", "load", "--creator", "admin"], [3, 1]),
    ],
)  # fmt: skip
def test_filters_of_backfills(filled: Sandbox, args: list[str], found: list[int]) -> None:
    """BF-1."""
    assert [row["id"] for row in filled.json("backfill", "list", *args)] == found


@pytest.mark.parametrize(
    "args",
    [
        ["--status", "done"], ["--check-status", "x"], ["--bizdate", "2026-1-1"], ["--type", "perl"],
        ["--created", "someday"],
    ],
)  # fmt: skip
def test_wrong_filters(filled: Sandbox, args: list[str]) -> None:
    """BF-1: exit 2, naming what there is."""
    assert args[1] in filled.call("backfill", "list", *args, status=2).stderr


@pytest.mark.parametrize("args", [["--task", "nope"], ["--workspace", "nope"]])
def test_unknown_filters(filled: Sandbox, args: list[str]) -> None:
    """BF-1: exit 5."""
    assert "nope" in filled.call("backfill", "list", *args, status=5).stderr


def test_rows_of_instances(filled: Sandbox) -> None:
    """BF-2: by bizdate in running order, then time, then task."""
    rows = filled.json("instance", "list", "--backfill", 1)
    assert len(rows) == 27
    assert all(list(row) == INSTANCE for row in rows)
    keys = [(row["bizdate"], row["scheduled_at"], row["task"]) for row in rows]
    assert keys == sorted(keys)
    assert rows[1]["task"] == "ops.raw"
    assert rows[1] | {"id": 0} == {
        "id": 0, "backfill": 1, "task": "ops.raw", "bizdate": "2026-01-05", "scheduled_at": "2026-01-06T01:30:00",
        "kind": "run", "state": "waiting_resources", "reason": None, "group": 1, "priority": 1,
        "resource_group": "default", "version": 1, "run_number": 1, "started_at": None, "ended_at": None, "run_seconds": None,
    }  # fmt: skip
    assert filled.call("instance", "list", "--backfill", 1, "--output", "jsonl").jsonl == rows


@pytest.mark.parametrize(
    ("args", "count"),
    [
        (["--backfill", "1", "--task", "hours"], 12), (["--bizdate", "2026-01-05", "--backfill", "1"], 9),
        (["--state", "waiting_resources"], 2), (["--backfill", "3"], 0), (["--limit", "5"], 5),
        (["--task", "load"], 4),
    ],
)  # fmt: skip
def test_filters_of_instances(filled: Sandbox, args: list[str], count: int) -> None:
    """BF-2."""
    assert len(filled.json("instance", "list", *args)) == count


def test_text_shows_a_hundred_instances_and_says_so(project: Sandbox) -> None:
    """BF-2: no limit with json and jsonl."""
    project.create("--task", "hours", "--bizdate", "2026-01-01..2026-01-31")
    result = project.call("instance", "list")
    assert len(result.stdout.splitlines()) == 101
    assert "--limit" in result.stderr
    assert len(project.json("instance", "list")) == 124
    assert len(project.call("instance", "list", "--limit", 110).stdout.splitlines()) == 111


def test_one_instance(filled: Sandbox) -> None:
    """BF-2, OPS-9: its row, why, parameters, runs."""
    number = filled.json("instance", "list", "--task", "load", "--backfill", 2)[0]["id"]
    shown = filled.json("instance", "show", number)
    assert list(shown) == [*INSTANCE, "why", "parameters", "runs"]
    assert shown["parameters"] == {"day": "20260201", "at": "202602020300"}
    assert shown["runs"] == []
    assert "parameter       day=20260201" in filled.call("instance", "show", number).stdout


def test_why_in_json(filled: Sandbox) -> None:
    """OPS-9: id, state, reason, text, blockers."""
    number = filled.json("instance", "list", "--task", "mid", "--limit", 1)[0]["id"]
    found = filled.json("instance", "why", number)
    assert list(found) == ["id", "state", "reason", "text", "blockers", "steps"]
    assert len(found["blockers"]) == 4
    assert {"id", "task", "bizdate", "scheduled_at", "state", "reason"} == set(found["blockers"][0])
    raw = filled.json("instance", "list", "--task", "ops.raw", "--limit", 1)[0]["id"]
    assert "no scheduler runs" in filled.call("instance", "why", raw).stdout


def test_analysis(filled: Sandbox) -> None:
    """VER-1, VER-2: what verification found stays readable, also of a refused backfill."""
    found = filled.json("backfill", "analysis", 3)
    assert (found["id"], found["check_status"], found["instance_count"]) == (3, "failed", 1)
    assert [finding["code"] for finding in found["findings"]] == [
        "isolated",
        "nothing_runs",
        "outside_time_range",
    ]
    assert "risk isolated" in filled.call("backfill", "analysis", 3).stdout
    assert filled.json("backfill", "analysis", 1)["check_status"] == "passed"


def test_history(filled: Sandbox) -> None:
    """OPS-8: who did what, from which state to which."""
    number = filled.json("instance", "list", "--task", "mid", "--limit", 1)[0]["id"]
    filled.call("instance", "freeze", number, "--comment", "not this one", RETROFILL_USER="bob")
    found = filled.json("instance", "history", number)
    (operation,) = found["operations"]
    assert operation | {"at": "", "id": 0} == {
        "id": 0,
        "at": "", "user": "bob", "action": "freeze", "backfill": 1, "instance": number, "from_state": "not_run",
        "to_state": "frozen", "comment": "not this one", "task": None,
    }  # fmt: skip
    text = filled.call("instance", "history", number).stdout
    assert "not this one" in text
    assert "bob" in text


def test_comments_are_shown_escaped(filled: Sandbox) -> None:
    """OPS-8: whatever somebody wrote cannot reprogram a terminal."""
    number = filled.json("instance", "list", "--task", "mid", "--limit", 1)[0]["id"]
    filled.call("instance", "freeze", number, "--comment", "a\x1b[2J\u202eb\n")
    text = filled.call("instance", "history", number).stdout
    assert "a\\x1b[2J\\u202eb\\n" in text
    assert filled.json("instance", "history", number)["operations"][0]["comment"] == "a\x1b[2J\u202eb\n"


def test_history_of_a_backfill(filled: Sandbox) -> None:
    """OPS-8: readable per backfill."""
    filled.call("user", "role", "bob", "administrator")
    filled.call("backfill", "pause", 1, "--comment", "lunch", RETROFILL_USER="bob")
    found = filled.json("backfill", "history", 1)
    operations = found["operations"] if isinstance(found, dict) else found
    assert [(o["user"], o["action"], o["comment"]) for o in operations] == [
        ("admin", "create", ""), ("bob", "pause", "lunch"),
    ]  # fmt: skip


# The catalog


@pytest.mark.beside_store("the folder differs from what is deployed")
def test_tasks(project: Sandbox) -> None:
    """CAT-3: ids once they are deployed; the cycle is derived."""
    rows = {row["task"]: row for row in project.json("task", "list")}
    assert rows["ops.raw"]["id"] is None
    assert {name: row["cycle"] for name, row in rows.items() if name.startswith("ops")} == {
        "ops.raw": "day", "ops.hours": "hour", "ops.mid": "day", "ops.load": "day", "ops.weekly": "week",
        "ops.lonely": "month",
    }  # fmt: skip
    project.call("deploy")
    assert all(isinstance(row["id"], int) for row in project.json("task", "list"))
    assert [row["task"] for row in project.json("task", "list", "--tag", "nightly")] == ["ops.raw"]
    assert [row["task"] for row in project.json("task", "list", "--type", "sql")] == ["ops.load"]
    assert [row["task"] for row in project.json("task", "list", "--workspace", "bi")] == [
        "bi.raw",
        "bi.report",
    ]


def test_one_task(project: Sandbox) -> None:
    """CAT-5, CAT-7, TIME-1: defaults filled in, the schedule in words."""
    row = project.json("task", "show", "load")
    assert (row["priority"], row["baseline"], row["timezone"]) == (7, "morning", "America/New_York")
    assert row["depends_on"] == ["ops.mid", "its own previous cycle"]
    assert row["downstream"] == ["bi.report", "ops.weekly"]
    assert row["parameters"] == {"day": "$bizdate", "at": "$[yyyymmddhh24mi]"}
    assert row["rerun"] == {"mode": "always", "times": 0, "interval_seconds": 120, "on_lost": False}
    assert "SELECT" in project.call("task", "show", "load").stdout


def test_the_graph(project: Sandbox) -> None:
    """CAT-6, CAT-8: who waits for whom, of all tasks or around one."""
    rows = {row["task"]: row for row in project.json("task", "graph", "mid")}
    assert set(rows) == {"ops.raw", "ops.hours", "ops.mid", "ops.load", "ops.weekly", "bi.report"}
    assert (rows["ops.mid"]["upstream"], rows["ops.mid"]["downstream"]) == (["ops.hours"], ["ops.load"])
    text = project.call("task", "graph").stdout
    assert "      ops.load  <- ops.mid, its own previous cycle" in text
    assert len(text.splitlines()) == 8


def test_workspaces_and_resource_groups(filled: Sandbox) -> None:
    """CAT-3, POL-10: members, slots, queue."""
    rows = {row["workspace"]: row for row in filled.json("workspace", "list")}
    assert rows["ops"]["members"] == {
        "alice": "administrator",
        "bob": "operator",
        "carol": "developer",
        "dave": "visitor",
    }
    assert (rows["ops"]["timezone"], rows["bi"]["tasks"]) == ("America/New_York", 2)
    groups = {row["resource_group"]: row for row in filled.json("resource-group", "list")}
    assert groups["night"] == {
        "resource_group": "night", "type": "shared", "slots": 2, "running": 0, "waiting": 0, "reserved_for_auto": 0,
        "workspaces": ["ops"], "executor": "local", "hosts": None, "offered": 0,
    }  # fmt: skip
    assert groups["default"]["waiting"] == 2
    for command in ("workspace", "resource-group"):
        assert filled.call(command, "list").stdout


def test_check_and_schema(project: Sandbox) -> None:
    """CAT-1: counts, or every error; a JSON Schema."""
    assert project.json("check") == {"project": "test", "workspaces": 2, "tasks": 8, "warnings": []}
    assert json.loads(project.call("schema").stdout)
    workspace = project.home / "workspaces" / "ops" / "workspace.yaml"
    workspace.write_text(
        workspace.read_text().replace("depends_on: [raw]", "depends_on: [rwa]").replace("0 2 * *", "0 25 * *")
    )
    result = project.call("check", status=2)
    assert result.stdout == ""
    found = [line for line in result.stderr.splitlines() if line.startswith("workspaces/ops/workspace.yaml:")]
    assert len(found) == 2
    assert 'did you mean "ops.raw"?' in result.stderr
    project.call("deploy", status=2)
    told = project.call("check", "--output", "json", status=2)
    assert told.stderr == ""
    assert [(error["file"], error["line"]) for error in told.json["errors"]] == [
        (line.split(":")[0], int(line.split(":")[1])) for line in found
    ]
    assert set(told.json["errors"][0]) == {"file", "line", "column", "message", "hint"}
    assert project.call("check", "--output", "json", status=2, RETROFILL_USER="bob").json == told.json


def test_init(tmp_path: object, project: Sandbox) -> None:
    """CAT-1: refuses a folder that holds a project, and knows its examples."""
    assert "already holds a project" in project.call("init", ".", status=2).stderr
    assert project.call("init", "new", "--example", "flight", status=5).stderr.count("flights") >= 1
    assert project.call("init", "new").stdout.startswith("Made new")


@pytest.mark.beside_store("the folder differs from what is deployed")
def test_doctor(filled: Sandbox) -> None:
    """CAT-1: checks in rows; exit 1 when something is wrong."""
    rows = filled.json("doctor", status=1)
    checks = {check["check"]: check["ok"] for check in rows}
    assert [check["detail"] for check in rows if not check["ok"]] == [
        "2 backfills open: 1, 2, and no scheduler runs; `retrofill backfill wait 1` or `retrofill scheduler`"
    ]
    assert {"project", "disk", "store", "counters", "scheduler", "runner"} <= set(checks)
    (filled.home / "workspaces" / "ops" / "workspace.yaml").write_text("workspace: [")
    assert filled.call("doctor", "--output", "jsonl", status=1).jsonl[0]["check"] == "project"
    assert "WRONG  project" in filled.call("doctor", status=1).stdout


def test_help_names_every_command(project: Sandbox) -> None:
    """CAT-1: what the commands promise is there."""
    for group, names in {
        "backfill": "plan create wait list show stop pause resume rerun freeze unfreeze analysis",
        "instance": "list show log why history stop rerun rerun-descendants set-successful freeze unfreeze",
        "task": "list show graph",
    }.items():
        text = project.call(group, "--help").stdout
        assert all(f"  {name} " in text for name in names.split()), text
    for command in ("init", "check", "deploy", "schema", "doctor", "resource-group", "workspace"):
        assert command in project.call("--help").stdout
    assert project.call("--version").stdout.startswith("retrofill, version ")


@pytest.mark.beside_store("nobody schedules at the server of a test")
def test_history_as_lines_holds_runs_and_operations(project: Sandbox) -> None:
    """OPS-8: `kind` says which is which."""
    project.run("backfill", "create", "--task", "bi.raw", "--bizdate", "2026-01-05", "--wait", "--yes")
    (number,) = [row["id"] for row in project.json("instance", "list")]
    project.call("instance", "freeze", number)
    run, operation = project.call("instance", "history", number, "--output", "jsonl").jsonl
    assert (run["kind"], run["run_number"]) == ("run", 1)
    assert (operation["kind"], operation["action"]) == ("operation", "freeze")
    document = project.json("instance", "history", number)
    assert [{"kind": "run"} | row for row in document["runs"]] == [run]


def test_init_quotes_the_folder(project: Sandbox) -> None:
    """CAT-1: what is to be typed next can be typed."""
    assert "cd 'with space/ü' &&" in project.call("init", "with space/ü").stdout


def test_one_is_not_many(filled: Sandbox) -> None:
    """BF-1: texts in the singular."""
    assert "more than this one" in filled.call("instance", "list", "--limit", "1").stderr


def test_a_day_of_creation_is_a_day(filled: Sandbox) -> None:
    """BF-1."""
    error = filled.call("backfill", "list", "--created", "x", status=2).stderr
    assert '"x" is no day; write YYYY-MM-DD or a range' in error


@pytest.mark.beside_store("nobody schedules at the server of a test")
def test_what_could_not_start_says_where_to_look(project: Sandbox) -> None:
    """SEC-3, OPS-9: there is no log, and the sentence names the variable that is missing."""
    task = "a: {type: shell, run: 'true', schedule: '0 1 * * *', parameters: {key: '${secret:MISSING}'}}"
    deployment = (project.home / "retrofill.yaml").read_text().removeprefix("project: test\n")
    project.write(task, deployment, "lone")
    project.call(
        "backfill", "create", "--task", "lone.a", "--bizdate", "2026-01-05", "--yes", "--wait", status=1
    )
    (row,) = project.json("instance", "list")
    assert "set RETROFILL_SECRET_MISSING" in project.call("instance", "why", row["id"]).stdout
    missing = project.call("instance", "log", row["id"], status=5).stderr
    assert f"`retrofill instance why {row['id']}`" in missing


def test_show_has_everything_that_was_asked_for(project: Sandbox) -> None:
    """BF-2: choice, dates, order, groups, barrier, window, time range, overrides, priority, group, allowed risks."""
    args = (
        "--task", "load", "--task", "weekly", "--bizdate", "2026-01-03..2026-01-06", "--groups", "2", "--barrier", "task",
        "--window", "22:00-06:00", "--time-range", "02:00-05:00", "--set", "load.day=20200101",
        "--resource-group", "night",
    )  # fmt: skip
    project.create(*args)
    shown = project.json("backfill", "show", 1)
    assert shown["kinds"] == {"runs": 5, "dry_runs": 0, "off_days": 3, "virtual": 0, "frozen": 0}
    assert shown["run_count"] == 5
    request = shown["request"]
    assert request["selection"]["way"] == "manual"
    assert request["selection"]["roots"] == ["ops.load", "ops.weekly"]
    assert request["bizdates"] == ["2026-01-03..2026-01-06"]
    wanted = {
        "order": "asc", "groups": 2, "barrier": "task", "time_range": "02:00-05:00", "resource_group": "night",
        "priority": None, "allow_risks": False, "overrides": {"ops.load": {"day": "20200101"}},
    }  # fmt: skip
    assert wanted.items() <= request.items()
    assert request["window"]["period"] == "22:00-06:00"
    text = project.call("backfill", "show", 1).stdout
    for words in ("8 instances (5 really run, 3 off days)", "chosen: manual; roots ops.load, ops.weekly",
                  "groups 2", "barrier task", "time range 02:00-05:00", "set ops.load.day=20200101",
                  "0/2, 1 really runs"):  # fmt: skip
        assert words in text, words
    assert "0/8 (5 run)" in project.call("backfill", "list", "--wide").stdout


def test_show_names_no_foreign_task(project: Sandbox) -> None:
    """SEC-2, BF-2: bob is no member of bi."""
    project.create(
        "--task", "ops.raw", "--task", "bi.report", "--bizdate", "2026-01-05", "--exclude", "bi.report"
    )
    shown = project.call("backfill", "show", 1, "--output", "json", RETROFILL_USER="bob")
    assert shown.json["request"]["selection"]["roots"] == ["ops.raw"]
    assert "bi." not in shown.stdout


def test_check_tells_of_periods_that_leave_a_gap(tmp_path: Path) -> None:
    """DEP-11, TIME-4: with the place of the task that runs without its upstream; exit 0."""
    project = Sandbox(tmp_path).write(
        """
old: {type: shell, schedule: "0 1 * * *", run: "true", valid: {until: 2024-01-03}}
new: {type: shell, schedule: "0 1 * * *", run: "true", valid: {from: 2024-01-06}}
sum: {type: shell, schedule: "0 2 * * *", run: "true", depends_on: [old, new]}
"""
    )
    found = project.json("check")["warnings"]
    assert [(w["code"], w["level"], w["tasks"]) for w in found] == [
        ("outside_validity", "warning", ["w.sum", "w.old"]),
        ("outside_validity", "warning", ["w.sum", "w.new"]),
    ]
    assert "w.sum is valid from 2024-01-04 to 2024-01-05, and w.old" in found[0]["message"]


def test_instances_by_several_values(filled: Sandbox) -> None:
    """BF-1: different filters must all hold, the same one twice means either; bizdates may be ranges."""

    def found(*args: str) -> set[tuple[str, str]]:
        return {(row["task"], row["bizdate"]) for row in filled.json("instance", "list", *args)}

    first = ("--backfill", "1")
    everything = found(*first)
    assert found(*first, "--bizdate", "2026-01-06..2026-01-07") == {
        one for one in everything if one[1] != "2026-01-05"
    }
    assert found(*first, "--bizdate", "2026-01-05", "--bizdate", "2026-01-07") == {
        one for one in everything if one[1] != "2026-01-06"
    }
    assert found(*first, "--task", "ops.raw", "--task", "mid", "--bizdate", "2026-01-05") == {
        ("ops.raw", "2026-01-05"),
        ("ops.mid", "2026-01-05"),
    }
    assert found("--backfill", "1", "--backfill", "2") == everything | {("ops.load", "2026-02-01")}
    states = ("--state", "not_run", "--state", "waiting_resources")
    assert found(*first, *states) == found(*first, *states[:2]) | found(*first, *states[2:])
    assert filled.call("instance", "list", "--bizdate", "2026-01-07..2026-01-06", status=2).stderr


def test_dates_from_today(filled: Sandbox) -> None:
    """POL-1: counted from today in the deployment's time zone, wherever bizdates are accepted."""
    plan = ("backfill", "plan", "--task", "mid")
    shown = filled.json(*plan, "--bizdate", "-2d..yesterday", RETROFILL_NOW="2026-03-10T03:00:00Z")
    assert list(shown["by_bizdate"]) == ["2026-03-07", "2026-03-08"], (
        "it is the evening of the 9th in New York"
    )
    shown = filled.json(*plan, "--bizdate", "today", RETROFILL_NOW="2026-03-10T12:00:00Z")
    assert list(shown["by_bizdate"]) == ["2026-03-10"]
    assert filled.json("backfill", "list", "--created", "yesterday..today") == filled.json("backfill", "list")
    assert filled.json("instance", "list", "--bizdate", "-3d..today") == []
    assert "-7d..yesterday" in filled.call(*plan, "--bizdate", "tomorrow", status=2).stderr
    assert "1970-01-01" in filled.call(*plan, "--bizdate", "-99999d", status=2).stderr
