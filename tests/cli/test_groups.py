"""`resource-group`: slots, and the queue in the order of starting."""

from __future__ import annotations

from pathlib import Path

from e2e.sandboxes import Sandbox

TASKS = """
low: {type: shell, run: "true", schedule: "0 1 * * *", owner: carol}
high: {type: shell, run: "true", schedule: "0 2 * * *", priority: 8}
"""
MEMBERS = "members: {carol: developer}"


def test_before_the_first_deploy(project: Sandbox) -> None:
    """RUN-1: an empty queue is said to be empty."""
    shown = project.call("resource-group", "show", "night")
    assert shown.stdout.splitlines() == ["night: 2 slots", "0 instances running"]
    assert "Nothing waits" in shown.stderr
    assert "did you mean" in project.call("resource-group", "show", "nigth", status=5).stderr


def test_the_queue_in_the_order_of_starting(tmp_path: Path) -> None:
    """RUN-1, OPS-0, SEC-2: by priority, then T; what is held does not wait, foreign ones are only counted."""
    sandbox = Sandbox(tmp_path)
    sandbox.write(TASKS, head=MEMBERS)
    sandbox.write(
        "x: {type: shell, run: 'true', schedule: '0 1 * * *'}",
        workspace="other",
        head="members: {eve: visitor}",
    )
    sandbox.create("--task", "low", "--task", "high", "--bizdate", "2099-01-01", "--run-future")
    first = sandbox.create("--task", "low", "--bizdate", "2026-01-05")["id"]
    held = sandbox.create("--task", "high", "--bizdate", "2026-01-05")["id"]
    sandbox.create("--task", "other.x", "--bizdate", "2026-01-06")
    sandbox.call("backfill", "pause", held)
    queue = sandbox.json("resource-group", "show", "default")["queue"]
    assert [(row["task"], row["backfill"]) for row in queue] == [("w.low", first), ("other.x", 4)]
    seen = sandbox.json("resource-group", "show", "default", RETROFILL_USER="carol")
    assert [row["task"] for row in seen["queue"]] == ["w.low"]
    assert seen["hidden"] == 1
    sandbox.call("backfill", "resume", held)
    (row,) = sandbox.json("resource-group", "show", "default", "--limit", "1")["queue"]
    assert (row["task"], row["priority"]) == ("w.high", 3)  # POL-12: 8, of old data
    assert "w.high" in sandbox.call("resource-group", "show", "default").stdout.splitlines()[3]
