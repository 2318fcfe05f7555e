"""RETROFILL_USER on the command line: what each may see, choose and do.

ops: alice administrator, bob operator, carol developer (owns raw), dave visitor. bi: alice visitor.
Backfill 1 is raw and all below it, hours to bi.report, by admin.
"""

from __future__ import annotations

from typing import Any

import pytest

from e2e.sandboxes import Sandbox

DAY = ("--bizdate", "2026-01-05")
ALL = ("--task", "ops.raw", "--descendants", "all", *DAY)


def tasks(plan: dict[str, Any]) -> list[str]:
    return [f"{row['task']}{' ' + row['dry_run'] if row['dry_run'] else ''}" for row in plan["tasks"]]


# Looking

LOOKING = [
    ("task", "list"),
    ("task", "graph"),
    ("workspace", "list"),
    ("backfill", "list"),
    ("backfill", "show", 1),
    ("backfill", "analysis", 1),
    ("backfill", "history", 1),
    ("instance", "list"),
    ("instance", "list", "--backfill", 1),
    ("resource-group", "list"),
]


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
@pytest.mark.parametrize("command", LOOKING)
def test_no_name_of_a_foreign_workspace(filled: Sandbox, command: tuple[str, ...], output: str) -> None:
    """SEC-2: wherever bob looks; the same command shows it to admin or does not mention tasks at all."""
    shown = filled.call(*command, "--output", output, RETROFILL_USER="bob")
    assert "bi.report" not in shown.stdout + shown.stderr
    assert "bi" not in [word.strip(' ",') for word in shown.stdout.split()]


@pytest.mark.parametrize(
    "command", [("task", "list"), ("task", "graph"), ("backfill", "analysis", 1), ("instance", "list")]
)
def test_what_is_hidden_is_there_for_members(filled: Sandbox, command: tuple[str, ...]) -> None:
    """SEC-2: so that the test above cannot pass by chance."""
    assert "bi.report" in filled.call(*command, "--output", "json").stdout
    assert "bi.report" in filled.call(*command, "--output", "json", RETROFILL_USER="alice").stdout


def test_a_task_without_its_foreign_neighbours(filled: Sandbox) -> None:
    """SEC-2: upstream and downstream of other workspaces are not named."""
    assert filled.json("task", "show", "ops.load")["downstream"] == ["bi.report", "ops.weekly"]
    assert filled.json("task", "show", "ops.load", RETROFILL_USER="bob")["downstream"] == ["ops.weekly"]


def test_a_dag_without_foreign_instances(filled: Sandbox) -> None:
    """SEC-2, OPS-10: nothing is said of them."""
    number = filled.instances("--task", "ops.load")["load 05 03:00"]["id"]
    assert "bi.report" in filled.call("instance", "dag", number, "--output", "json").stdout
    assert (
        "bi.report"
        not in filled.call("instance", "dag", number, "--output", "json", RETROFILL_USER="bob").stdout
    )


FOREIGN = [
    (["task", "show", "bi.report"], ["task", "show", "bi.absent"]),
    (["task", "graph", "bi.report"], ["task", "graph", "bi.absent"]),
    (["task", "list", "--workspace", "bi"], ["task", "list", "--workspace", "no"]),
    (["backfill", "list", "--task", "bi.report"], ["backfill", "list", "--task", "bi.absent"]),
    (["backfill", "list", "--workspace", "bi"], ["backfill", "list", "--workspace", "no"]),
    (["instance", "list", "--task", "bi.report"], ["instance", "list", "--task", "bi.absent"]),
    (["backfill", "plan", "--task", "bi.report", *DAY], ["backfill", "plan", "--task", "bi.absent", *DAY]),
    (["backfill", "plan", "--task", "report", *DAY], ["backfill", "plan", "--task", "absent", *DAY]),
    (
        ["backfill", "plan", "--from", "ops.raw", "--to", "bi.report", *DAY],
        ["backfill", "plan", "--from", "ops.raw", "--to", "bi.absent", *DAY],
    ),
    (
        ["backfill", "plan", "--root", "ops.raw", "--workspace", "bi", *DAY],
        ["backfill", "plan", "--root", "ops.raw", "--workspace", "no", *DAY],
    ),
    (
        ["backfill", "plan", "--task", "ops.raw", "--set", "bi.report.x=1", *DAY],
        ["backfill", "plan", "--task", "ops.raw", "--set", "bi.absent.x=1", *DAY],
    ),
    (
        ["backfill", "plan", "--where", "workspace=bi", *DAY],
        ["backfill", "plan", "--where", "workspace=no", *DAY],
    ),
]


@pytest.mark.parametrize(("foreign", "unknown"), FOREIGN)
def test_foreign_names_are_unknown(filled: Sandbox, foreign: list[str], unknown: list[str]) -> None:
    """SEC-2, SEL-5: word by word the same answer, exit 5."""
    first = filled.call(*foreign, status=5, RETROFILL_USER="bob")
    second = filled.call(*unknown, status=5, RETROFILL_USER="bob")
    renamed = first.stderr.replace("report", "absent").replace('"bi"', '"no"')
    assert renamed == second.stderr
    assert first.stdout == second.stdout == ""


def test_a_foreign_id_of_a_task_is_unknown(filled: Sandbox) -> None:
    """SEC-2, SEL-5: ids are no way round."""
    number = filled.json("task", "show", "bi.report")["id"]
    first = filled.call("task", "show", number, status=5, RETROFILL_USER="bob")
    second = filled.call("task", "show", 999, status=5, RETROFILL_USER="bob")
    assert first.stderr.replace(str(number), "N") == second.stderr.replace("999", "N")


@pytest.mark.parametrize(
    "word", ["show", "log", "why", "history", "lineage", "dag", "stop", "rerun", "freeze", "set-successful"]
)
def test_foreign_instances_are_unknown(filled: Sandbox, word: str) -> None:
    """SEC-2: the id of one answers like one that there is not."""
    number = filled.instances("--task", "bi.report")["report 05 05:00"]["id"]
    first = filled.call("instance", word, number, status=5, RETROFILL_USER="bob")
    second = filled.call("instance", word, 99_999, status=5, RETROFILL_USER="bob")
    told = (first.stdout + first.stderr).replace(str(number), "N")
    assert told == (second.stdout + second.stderr).replace("99999", "N")


@pytest.mark.parametrize("word", ["show", "analysis", "history", "wait", "stop", "pause", "rerun", "freeze"])
def test_foreign_backfills_are_unknown(filled: Sandbox, word: str) -> None:
    """SEC-2: of bi alone, and the user is a member of ops alone."""
    row = filled.create("--task", "bi.raw", *DAY)
    first = filled.call("backfill", word, row["id"], status=5, RETROFILL_USER="bob")
    second = filled.call("backfill", word, 999, status=5, RETROFILL_USER="bob")
    told = (first.stdout + first.stderr).replace(str(row["id"]), "N")
    assert told == (second.stdout + second.stderr).replace("999", "N")
    assert row["id"] not in [found["id"] for found in filled.json("backfill", "list", RETROFILL_USER="bob")]
    missing = filled.call("backfill", "plan", "--reuse", row["id"], *DAY, status=5, RETROFILL_USER="bob")
    assert f"there is no backfill {row['id']}" in missing.stderr


def test_a_name_made_from_a_foreign_task(filled: Sandbox) -> None:
    """SEC-2, SEL-0: a backfill that is seen does not tell it either."""
    row = filled.create("--task", "bi.raw", "--task", "ops.raw", *DAY)
    assert row["name"].startswith("bi.raw_")
    shown = filled.json("backfill", "show", row["id"], RETROFILL_USER="bob")
    assert shown["name"] == f"backfill {row['id']}"
    assert "bi.raw" not in filled.call("backfill", "list", RETROFILL_USER="bob").stdout


def test_somebody_without_a_role_sees_nothing(filled: Sandbox) -> None:
    """SEC-2: empty lists, no error."""
    filled.call("user", "add", "erin")
    for command in (["task", "list"], ["workspace", "list"], ["backfill", "list"], ["instance", "list"]):
        assert filled.json(*command, RETROFILL_USER="erin") == []


# Choosing


def test_what_a_plan_tells_of_foreign_dry_runs(filled: Sandbox) -> None:
    """SEC-2, SEL-6: their names, and no parameters."""
    workspace = filled.home / "workspaces" / "bi" / "workspace.yaml"
    text = workspace.read_text().replace(
        "depends_on: [ops.load]", "depends_on: [ops.load], parameters: {x: secret}"
    )
    workspace.write_text(text)
    ops = filled.home / "workspaces" / "ops" / "workspace.yaml"
    ops.write_text(ops.read_text().replace("depends_on: [load]", "depends_on: [load, bi.report]"))
    args = ("backfill", "plan", *ALL)
    plan = filled.json(*args, RETROFILL_USER="bob")
    assert "bi.report no_permission" in tasks(plan)
    lines = filled.call(*args, "--instances", "--output", "jsonl", RETROFILL_USER="bob").jsonl
    foreign = [line for line in lines if line["task"] == "bi.report"]
    assert [(line["kind"], line["reason"], line["parameters"]) for line in foreign] == [
        ("dry_run", "no_permission", {})
    ]
    full = filled.call(*args, "--instances", "--output", "jsonl").jsonl
    assert [line["parameters"] for line in full if line["task"] == "bi.report"] == [{"x": "secret"}]


@pytest.mark.parametrize(
    ("user", "args", "status", "parts"),
    [
        ("bob", ["--task", "ops.mid"], 0, []),
        ("carol", ["--task", "ops.raw"], 0, []),
        ("carol", ["--task", "ops.mid", "--task", "ops.load"], 4, ["ops.load, ops.mid"]),
        ("carol", ["--from", "ops.raw", "--to", "ops.mid"], 4, ["ops.mid"]),
        ("carol", ["--task", "ops.raw", "--only", "ops.mid"], 4, ["ops.mid"]),
        ("carol", ["--task", "ops.raw", "--task", "ops.mid", "--exclude", "ops.mid"], 0, []),
        ("carol", ["--root", "ops.mid", "--no-root", "--workspace", "ops", "--include", "ops.raw"], 0, []),
        ("carol", ["--root", "ops.raw", "--workspace", "ops", "--include", "ops.lonely"], 4, ["ops.lonely"]),
        ("carol", ["--all-descendants", "ops.raw"], 0, []),
        ("carol", ["--all-descendants", "ops.hours"], 4, ["ops.hours"]),
        ("dave", ["--task", "ops.raw"], 4, ["ops.raw"]),
        ("alice", ["--task", "bi.report"], 4, ["bi.report"]),
        ("bob", ["--task", "ops.raw", "--set", "ops.raw.day=1"], 4, ["parameters of ops.raw"]),
        ("carol", ["--task", "ops.raw", "--set", "ops.raw.day=1"], 0, []),
        ("alice", ["--task", "ops.load", "--set", "ops.load.day=1"], 0, []),
    ],
)
def test_who_may_choose_what(
    project: Sandbox, user: str, args: list[str], status: int, parts: list[str]
) -> None:
    """SEL-7, PAR-5: exit 4, naming every task; plan and create alike, and nothing is stored."""
    for command in (["plan"], ["create", "--yes"]):
        result = project.call("backfill", *command, *args, *DAY, status=status, RETROFILL_USER=user)
        for part in parts:
            assert part in result.stderr
    if status:
        assert project.json("backfill", "list") == []


def test_reusing_with_fewer_rights(filled: Sandbox) -> None:
    """SEL-7, SEL-9: the rights are those of who reuses it."""
    plan = filled.json("backfill", "plan", "--reuse", 1, *DAY, RETROFILL_USER="carol")
    assert tasks(plan) == ["ops.raw"]
    [finding] = [f for f in plan["findings"] if f["code"] == "no_permission"]
    assert "ops.mid" in finding["message"]
    assert "bi" not in finding["message"]
    assert filled.call("backfill", "plan", "--reuse", 2, *DAY, status=4, RETROFILL_USER="carol").stdout == ""


# Doing


def test_a_batch_of_instances(filled: Sandbox) -> None:
    """OPS-8, SEC-4: a result per item; the first of 4, 5, 6 is the exit status."""
    filled.call("backfill", "pause", 1)
    rows = filled.instances("--backfill", 1, "--bizdate", "2026-01-05")
    numbers = [rows["raw 05 01:30"]["id"], rows["mid 05 02:00"]["id"], rows["report 05 05:00"]["id"]]
    results = filled.json("instance", "freeze", *numbers, status=4, RETROFILL_USER="carol")
    assert [row["ok"] for row in results] == [True, False, False]
    assert "may not operate" in results[1]["error"]
    assert results[2] == {
        "id": numbers[2],
        "ok": False,
        "state": None,
        "error": f"there is no instance {numbers[2]}",
        "code": "unknown",
        "hint": "`retrofill instance list` shows all of them.",
        "steps": [{"step": "instance.list", "arguments": {}, "command": "retrofill instance list"}],
    }


def test_a_whole_backfill_in_part(filled: Sandbox) -> None:
    """SEC-4: what may be frozen is; the rest that is seen is listed, exit 4."""
    result = filled.call("backfill", "freeze", 1, status=4, RETROFILL_USER="carol")
    assert "you may not operate instance" in result.stderr
    assert "bi.report" not in result.stderr
    frozen = {row["task"] for row in filled.json("instance", "list", "--state", "frozen")}
    assert frozen <= {"ops.raw"}


@pytest.mark.parametrize(("user", "status"), [("alice", 4), ("bob", 4), ("carol", 4), ("admin", 0)])
def test_who_may_pause_a_backfill_over_two_workspaces(filled: Sandbox, user: str, status: int) -> None:
    """SEC-4: its creator, or who may operate all of it."""
    filled.call("backfill", "pause", 1, status=status, RETROFILL_USER=user)
    assert (filled.json("backfill", "show", 1)["status"] == "paused") == (status == 0)


def test_several_backfills_are_stopped_one_by_one(filled: Sandbox) -> None:
    """SEC-4, BF-3: a foreign one among them is unknown and hinders no other."""
    foreign = filled.create("--task", "bi.raw", *DAY)["id"]
    own = filled.create("--task", "ops.raw", *DAY, RETROFILL_USER="bob")["id"]
    results = filled.json("backfill", "stop", foreign, own, status=5, RETROFILL_USER="bob")
    assert [(row["ok"], row["state"]) for row in results] == [(False, None), (True, "stopped")]


@pytest.mark.beside_store("whoever can write the folder")
def test_whoever_can_write_the_folder_may_deploy(filled: Sandbox) -> None:
    """SEC-4: embedded."""
    workspace = filled.home / "workspaces" / "bi" / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace("0 5 * * *", "0 6 * * *"))
    assert filled.json("deploy", RETROFILL_USER="dave")["new"]
