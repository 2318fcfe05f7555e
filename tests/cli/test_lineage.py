"""Lineage, the instances around one, and what `check` warns of."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox
from retrofill.lineage.sql import reading

DEPLOYMENT = """
connections:
  db: {url: "duckdb:///warehouse.duckdb"}
  other: {url: "sqlite:///other.db"}
"""
LOAD = """
raw: {type: shell, run: "true", schedule: "0 1 * * *", writes: [raw.x]}
mart:
  type: sql
  connection: db
  run: "INSERT INTO mart.t_${day} SELECT a AS i FROM Raw.X WHERE d = '${day}'"
  schedule: "0 2 * * *"
  parameters: {day: $bizdate}
  depends_on: [raw, {task: self, cycle: previous}]
copy: {type: sql, connection: other, run: "SELECT * FROM mart.t_2", schedule: "0 3 * * *"}
"""
REPORT = """
report:
  type: sql
  connection: db
  run: "INSERT INTO report SELECT i FROM mart.t_${yesterday}"
  schedule: "0 4 * * *"
  parameters: {yesterday: "${yyyymmdd-1}"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Sandbox:
    sandbox = Sandbox(tmp_path)
    sandbox.write(REPORT, DEPLOYMENT, "bi")
    return sandbox.write(LOAD, DEPLOYMENT, "w")


def test_lineage_of_a_task(project: Sandbox) -> None:
    """OPS-10: tables, the tasks at their other ends, columns."""
    assert project.json("task", "show", "w.mart")["lineage"] == {
        "reads": [{"table": "raw.x", "connection": "db", "written_by": ["w.raw"]}],
        "writes": [{"table": "mart.t_*", "connection": "db", "read_by": ["bi.report"]}],
        "columns": [{"table": "mart.t_*", "column": "i", "from": [{"table": "raw.x", "column": "a"}]}],
        "problem": None,
    }
    text = project.call("task", "show", "w.mart").stdout
    assert "raw.x (db)  written by w.raw" in text
    assert "mart.t_* (db)  read by bi.report" in text
    assert "mart.t_*.i  <- raw.x.a" in text
    assert "raw.x  read by w.mart" in project.call("task", "show", "w.raw").stdout


def test_check_warns(project: Sandbox) -> None:
    """OPS-10: of a table that another task writes; with its place, and exit 0."""
    found = project.json("check")
    assert found["warnings"] == [
        {
            "level": "warning",
            "code": "undeclared_dependency",
            "path": "workspaces/bi/workspace.yaml",
            "line": 5,
            "column": 3,
            "message": "bi.report reads mart.t_*, which w.mart writes, without depending on it",
            "hint": "add w.mart to its depends_on, or {task: w.mart, cycle: previous}",
            "tasks": ["bi.report", "w.mart"],
        }
    ]
    text = project.call("check").stdout
    assert "workspaces/bi/workspace.yaml:5:3: warning: bi.report reads mart.t_*" in text
    assert "no errors, 1 warning" in text
    mended = REPORT + "  depends_on: [{task: w.mart, cycle: previous}]\n"
    project.write(mended, DEPLOYMENT, "bi")
    assert project.json("check")["warnings"] == []


def test_sql_that_cannot_be_read(project: Sandbox) -> None:
    """OPS-10: is said by `check` and `task show`, and is no error; declarations take its place."""
    broken = REPORT.replace("INSERT INTO report", "INSERT INTO INTO report")
    project.write(broken, DEPLOYMENT, "bi")
    [warning] = project.json("check")["warnings"]
    assert (warning["level"], warning["code"], warning["tasks"]) == ("info", "unread_sql", ["bi.report"])
    assert warning["message"].startswith(
        "bi.report: the SQL could not be read: statement 1 of 1 (INSERT INTO INTO"
    )
    assert "lineage may lack tables: the SQL could" in project.call("task", "show", "bi.report").stdout
    project.write(broken + '  reads: ["mart.t_*"]\n', DEPLOYMENT, "bi")
    [warning] = project.json("check")["warnings"]
    assert warning["code"] == "undeclared_dependency"


def test_without_the_extra(project: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-10: declared lineage works without sqlglot, and it is said once that SQL is not read."""
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    project.write(REPORT + '  reads: ["raw.x"]\n', DEPLOYMENT, "bi")
    first, second = project.json("check")["warnings"]
    assert first["message"] == "bi.report reads raw.x, which w.raw writes, without depending on it"
    assert second["tasks"] == ["w.copy", "w.mart"]
    assert "install retrofill[lineage]" in second["message"]
    lineage = project.json("task", "show", "bi.report")["lineage"]
    assert lineage["reads"] == [{"table": "raw.x", "connection": None, "written_by": ["w.raw"]}]
    assert "sqlglot is not installed" in lineage["problem"]


def test_foreign_tasks_are_not_named(project: Sandbox) -> None:
    """SEC-2: at the other ends of tables, and in warnings."""
    project.write(REPORT, DEPLOYMENT, "bi", "members: {ann: developer}")
    [table] = project.json("task", "show", "bi.report", RETROFILL_USER="ann")["lineage"]["reads"]
    assert table == {"table": "mart.t_*", "connection": "db", "written_by": []}
    assert project.json("check", RETROFILL_USER="ann")["warnings"] == []


def test_lineage_of_an_instance(project: Sandbox) -> None:
    """OPS-10: by the version that the instance was made from."""
    created = project.create("--task", "w.mart", "--bizdate", "2026-01-05")
    [row] = project.json("instance", "list", "--backfill", created["id"])
    before = project.json("instance", "lineage", row["id"])
    assert (before["id"], before["task"]) == (row["id"], "w.mart")
    assert [table["table"] for table in before["reads"]] == ["raw.x"]
    project.write(LOAD.replace("Raw.X", "raw.y"), DEPLOYMENT, "w")
    project.call("deploy")
    assert project.json("instance", "lineage", row["id"]) == before
    assert "written by w.raw" in project.call("instance", "lineage", row["id"]).stdout
    assert "no instance 999" in project.call("instance", "lineage", 999, status=5).stderr


CHAIN = """
a: {type: shell, run: "true", schedule: "0 0,12 * * *"}
b: {type: shell, run: "true", schedule: "0 2 * * *", depends_on: [a, {task: self, cycle: previous}]}
c: {type: shell, run: "true", schedule: "0 3 * * *", depends_on: [b]}
d: {type: shell, run: "true", schedule: "0 4 * * *", depends_on: [c, b]}
"""


def test_dag_around_an_instance(tmp_path: Path) -> None:
    """OPS-10: level by level, with states, over dates."""
    project = Sandbox(tmp_path).write(CHAIN)
    project.create("--task", "a", "--descendants", "all", "--bizdate", "2026-01-05..2026-01-06")
    ids = {
        (r["task"][2:], r["bizdate"][-1], r["scheduled_at"][11:13]): r["id"]
        for r in project.json("instance", "list")
    }
    b, before = ids["b", "6", "02"], ids["b", "5", "02"]
    found = project.json("instance", "dag", b)
    assert found["id"] == b
    assert {node["id"]: node["level"] for node in found["nodes"]} == {
        ids["a", "6", "00"]: -1, ids["a", "6", "12"]: -1, before: -1, b: 0,
        ids["c", "6", "03"]: 1, ids["d", "6", "04"]: 1,
    }  # fmt: skip
    edges = {(edge["upstream"], edge["downstream"]) for edge in found["edges"]}
    assert {(before, b), (b, ids["c", "6", "03"])} <= edges
    assert all(node["state"] in ("not_run", "waiting_resources") for node in found["nodes"])

    further = project.json("instance", "dag", b, "--up", 2, "--down", 0)
    assert {node["level"] for node in further["nodes"]} == {-2, -1, 0}
    assert {ids["a", "5", "00"], ids["a", "5", "12"]} <= {node["id"] for node in further["nodes"]}
    assert [n["id"] for n in project.json("instance", "dag", b, "--up", 0, "--down", 0)["nodes"]] == [b]

    text = project.call("instance", "dag", b, "--up", 2).stdout.splitlines()
    assert text[0] == f"{b}  w.b  2026-01-07T02:00:00  Not run"
    assert f"  {before}  w.b  2026-01-06T02:00:00  Not run" in text
    assert any(line.startswith(f"    {ids['a', '5', '00']}  w.a") for line in text), (
        "level 2 stands further right"
    )
    lonely = project.call("instance", "dag", ids["a", "5", "00"]).stdout
    assert "waits for nothing" in lonely
    assert "no instance 999" in project.call("instance", "dag", 999, status=5).stderr
