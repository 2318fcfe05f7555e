"""`schedule`, `task freeze`, and auto triggered instances on the command line."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox

IMMEDIATE = """
late: {type: shell, run: "true", schedule: "59 23 * * *", generation: immediate}
"""


@pytest.mark.beside_store("nothing is deployed yet")
def test_before_the_first_deploy(project: Sandbox) -> None:
    """AUTO-1: nothing is made, and that is said."""
    assert "Nothing is deployed yet" in project.call("schedule", "show").stdout
    assert project.json("schedule", "list") == []
    assert "no auto triggered instances" in project.call("schedule", "list").stderr


def test_show_names_the_next_night(project: Sandbox) -> None:
    """AUTO-1."""
    project.call("deploy")
    shown = project.json("schedule", "show")
    assert shown["held"] is False
    assert shown["last_bizdate"] is None
    assert shown["next_at"].endswith("30:00Z")
    text = project.call("schedule", "show")
    assert shown["next_at"] in text.stdout
    assert "No scheduler runs" in text.stderr


def test_pause_and_resume(project: Sandbox) -> None:
    """AUTO-3, OPS-8: by the system administrator only; what holds already is unchanged."""
    project.call("deploy")
    assert project.json("schedule", "pause") == {"held": True, "unchanged": False}
    assert project.json("schedule", "pause") == {"held": True, "unchanged": True}
    assert project.json("schedule", "show")["next_at"] is None
    assert "is paused" in project.call("schedule", "show").stdout
    assert (
        "may not accept the clock"
        in project.call("schedule", "accept-clock", status=4, RETROFILL_USER="alice").stderr
    )
    refused = project.call("schedule", "resume", status=4, RETROFILL_USER="alice")
    assert "may not resume the schedule" in refused.stderr
    assert project.json("schedule", "resume") == {"held": False, "unchanged": False}


def test_an_immediate_task_is_listed_from_its_deploy_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    """AUTO-1: rows of auto triggered instances have no backfill and no group."""
    sandbox = Sandbox(tmp_path_factory.mktemp("immediate"))
    sandbox.write(IMMEDIATE, "timezone: Etc/GMT+12")  # late on the day there for almost all of ours
    sandbox.call("deploy")
    rows = sandbox.json("instance", "list", "--auto")
    if not rows:  # within ten minutes of its time
        return
    (row,) = rows
    assert (row["task"], row["backfill"], row["group"], row["state"]) == (
        "w.late",
        None,
        None,
        "waiting_time",
    )
    assert sandbox.json("instance", "list") == rows
    assert sandbox.json("instance", "list", "--state", "running", "--auto") == []
    number = row["id"]
    assert sandbox.json("instance", "show", number)["backfill"] is None
    assert sandbox.json("instance", "why", number)["state"] == "waiting_time"
    assert sandbox.json("instance", "freeze", number, status=6)[0]["ok"] is False
    (night,) = sandbox.json("schedule", "list")
    assert (night["bizdate"], night["instance_count"]) == (row["bizdate"], 1)
    assert night["counts"]["waiting_time"] == 1
    assert row["bizdate"] in sandbox.call("schedule", "list").stdout
    sandbox.call("instance", "list", "--auto", "--backfill", "1", status=2)


def test_doctor_compares_the_schedules_counters(tmp_path: Path) -> None:
    """AUTO-2, OPS-9: a counter that does not say what the states say is found, of no backfill too."""
    sandbox = Sandbox(tmp_path)
    sandbox.write(IMMEDIATE, "timezone: Etc/GMT+12")
    sandbox.call("deploy")
    rows = sandbox.json("instance", "list", "--auto")
    if not rows:  # within ten minutes of its time
        return
    assert sandbox.call("doctor").status == 0
    with closing(sqlite3.connect(tmp_path / ".retrofill" / "retrofill.db")) as connection:
        connection.execute("UPDATE instance SET open_waits = 5 WHERE id = ?", (rows[0]["id"],))
        connection.commit()
    checks = {check["check"]: check for check in sandbox.json("doctor", status=1)}
    assert checks["counters"]["ok"] is False
    assert "open_waits is 5, states give 0" in checks["counters"]["detail"]


@pytest.mark.beside_store("the folder differs from what is deployed")
def test_freezing_tasks(project: Sandbox) -> None:
    """AUTO-4, SEC-4: administrators freeze tasks; the next backfill's instances are frozen."""
    assert "nothing is deployed yet" in project.call("task", "freeze", "ops.raw", status=6).stderr
    project.call("deploy")
    assert project.json("task", "freeze", "ops.raw", "hours", RETROFILL_USER="alice") == [
        {"task": "ops.raw", "ok": True, "frozen": True, "error": None},
        {"task": "ops.hours", "ok": True, "frozen": True, "error": None},
    ]
    (again,) = project.json("task", "freeze", "ops.raw")
    assert again["unchanged"] is True
    frozen = {row["task"]: row["frozen"] for row in project.json("task", "list")}
    assert (frozen["ops.raw"], frozen["ops.mid"]) == (True, False)
    assert "FROZEN" in project.call("task", "list").stdout
    for action, name, stands in (
        ("freeze", "raw", True),
        ("freeze", "mid", False),
        ("unfreeze", "mid", False),
    ):
        (row,) = project.json("task", action, f"ops.{name}", status=4, RETROFILL_USER="bob")
        assert (row["ok"], row["frozen"]) == (False, stands), "as it stands, not as it was asked for"
    refused = project.call("task", "unfreeze", "ops.raw", status=4, RETROFILL_USER="bob")
    assert "you may not unfreeze ops.raw" in refused.stdout + refused.stderr
    plan = project.json("backfill", "plan", "--task", "ops.raw", "--bizdate", "2026-01-05")
    assert [f["code"] for f in plan["findings"]] == ["frozen"]
    assert project.json("task", "show", "ops.raw")["frozen"] is True
    project.call("task", "unfreeze", "ops.raw")
    assert project.json("task", "show", "ops.raw")["frozen"] is False
    project.call("task", "freeze", "nonsense", status=5)


def test_missed_nights_are_named(tmp_path: Path) -> None:
    """AUTO-3: by `schedule show` and `doctor`, with the backfill that makes up for them."""
    sandbox = Sandbox(tmp_path)
    sandbox.write(IMMEDIATE)
    sandbox.call("deploy")
    assert sandbox.json("schedule", "show")["missed"] is None
    command = "retrofill backfill create --task w.late --bizdate 2026-01-05..2026-01-06"
    with closing(sqlite3.connect(tmp_path / ".retrofill" / "retrofill.db")) as connection:
        connection.execute("UPDATE catalog_version SET created_ms = 0")
        for day in ("05", "06"):
            connection.execute("INSERT INTO missed_night VALUES (?, 0)", (f"2026-01-{day}",))
        connection.execute(
            "INSERT INTO generation SELECT 99, date('now', '+30 minutes', '-1 day'), 'night', 'active', "
            "max(id), 1 << 40, 0, 0 FROM catalog_version"
        )
        connection.commit()
    shown = sandbox.json("schedule", "show")["missed"]
    assert (shown["bizdates"], shown["makes_up"]) == (["2026-01-05", "2026-01-06"], command)
    assert command in sandbox.call("schedule", "show").stdout
    checks = {check["check"]: check for check in sandbox.json("doctor", status=1)}
    assert checks["nights"]["ok"] is False
    assert command in checks["nights"]["detail"]


def test_a_doubted_clock_is_told_and_accepted(tmp_path: Path) -> None:
    """TIME-8: by `schedule show` and `doctor`; nothing is deleted until a system administrator says that it is right."""
    sandbox = Sandbox(tmp_path)
    sandbox.write(IMMEDIATE)
    sandbox.call("deploy")
    assert sandbox.json("schedule", "show")["clock"] is None
    assert sandbox.json("schedule", "accept-clock")["unchanged"] is True
    with closing(sqlite3.connect(tmp_path / ".retrofill" / "retrofill.db")) as connection:
        connection.execute(
            "UPDATE clock_anchor SET wall = wall - 3 * 86400000"
        )  # three days too many have passed
        connection.commit()
    shown = sandbox.json("schedule", "show")["clock"]
    assert "by the time that has passed it is" in shown
    said = sandbox.call("schedule", "show").stdout
    assert re.sub(r"\d\d:\d\d:\d\dZ", "", shown) in re.sub(r"\d\d:\d\d:\d\dZ", "", said), "but for the time"
    checks = {check["check"]: check for check in sandbox.json("doctor", status=1)}
    assert checks["clock"] == {"check": "clock", "ok": False, "detail": checks["clock"]["detail"]}
    assert "`retrofill schedule accept-clock` says so" in checks["clock"]["detail"]
    refused = sandbox.call("retention", "run", status=6)
    assert "nothing is deleted by age" in refused.stderr
    assert sandbox.call("retention", "run", "--dry-run").status == 0
    accepted = sandbox.json("schedule", "accept-clock", "--comment", "the clock was set")
    assert accepted["unchanged"] is False
    assert sandbox.json("schedule", "show")["clock"] is None
    assert sandbox.call("retention", "run").status == 0
    assert sandbox.json("operation", "list")[0]["action"] == "accept-clock"
