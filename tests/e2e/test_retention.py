"""`retention run` and what a scheduler does once a day by itself, on real runs."""

from __future__ import annotations

import os
import time

import pytest

from e2e.sandboxes import Sandbox, until

_DAY_SECONDS = 24 * 60 * 60
_TASK = "a: {type: shell, run: 'echo hi', schedule: '@daily'}"


def ran(sandbox: Sandbox) -> int:
    """One run that has ended; its instance's id."""
    sandbox.write(_TASK)
    sandbox.run("backfill", "create", "--task", "a", "--bizdate", "2024-01-01", "--wait", "--yes")
    (row,) = sandbox.instances().values()
    return int(row["id"])


def grow_old(sandbox: Sandbox, days: int) -> None:
    """Let everything in the store and all logs be as if they had been made so many days earlier."""
    import sqlite3

    connection = sqlite3.connect(sandbox.home / ".retrofill/retrofill.db")
    ms = days * _DAY_SECONDS * 1000
    connection.execute("UPDATE backfill SET created_ms = created_ms - ?, ended_ms = ended_ms - ?", (ms, ms))
    connection.execute("UPDATE operation SET at_ms = at_ms - ?", (ms,))
    connection.execute("UPDATE run SET started_ms = started_ms - ?, ended_ms = ended_ms - ?", (ms, ms))
    connection.execute("UPDATE counter SET value = value - ? WHERE name = 'retention_ms'", (ms,))
    connection.commit()
    connection.close()
    then = time.time() - days * _DAY_SECONDS
    for path in (sandbox.home / ".retrofill/runs/logs").iterdir():
        os.utime(path, (then, then))


def test_by_hand(sandbox: Sandbox) -> None:
    """RET-1: a dry run tells, a run does; logs say that they went; nothing is left in the end."""
    number = ran(sandbox)
    assert sandbox.call("retention", "run").stdout == "removed:\n  1 journal\n"
    assert "Nothing is old" in sandbox.call("retention", "run").stderr
    grow_old(sandbox, 10)
    ten_days = {"RETROFILL_LOG_DAYS": "9"}
    wanted = sandbox.json("retention", "run", "--dry-run", **ten_days)
    assert (wanted["dry_run"], wanted["logs"], wanted["log_bytes"], wanted["backfills"]) == (True, 1, 3, 0)
    assert sandbox.call("instance", "log", number).stdout == "hi\n"
    done = sandbox.json("retention", "run", **ten_days)
    assert done == wanted | {"dry_run": False}
    told = sandbox.call("instance", "log", number, status=5).stderr
    assert f"the log of run 1 of instance {number} was deleted by retention on 20" in told
    grow_old(sandbox, 30)
    assert "  1 backfill\n" in sandbox.call("retention", "run").stdout
    assert sandbox.json("backfill", "list") == []
    sandbox.call("instance", "show", number, status=5)


@pytest.mark.slow
def test_a_scheduler_does_it_by_itself(sandbox: Sandbox) -> None:
    """RET-1."""
    ran(sandbox)
    grow_old(sandbox, 40)
    sandbox.spawn("scheduler")
    until(lambda: sandbox.json("backfill", "list") == [], "the backfill has gone")
    until(lambda: not any((sandbox.home / ".retrofill/runs/logs").iterdir()), "its log has gone")


@pytest.mark.slow
def test_doctor_tells_when_the_clock_was_wrong(sandbox: Sandbox) -> None:
    """TIME-7: something in the store that lies ahead of now; and when retention last went through."""
    ran(sandbox)
    checks = {row["check"]: row for row in sandbox.json("doctor")}
    assert checks["clock"]["ok"]
    assert checks["logs"]["detail"].startswith("1 log, ")
    grow_old(sandbox, -2)
    checks = {row["check"]: row for row in sandbox.json("doctor", status=1)}
    assert "later than now" in checks["clock"]["detail"]


def test_only_the_system_administrator(sandbox: Sandbox) -> None:
    """SEC-4."""
    sandbox.write(_TASK, head="members: {alice: administrator}")
    sandbox.call("retention", "run", RETROFILL_USER="alice", status=4)


def test_before_anything_is_deployed(sandbox: Sandbox) -> None:
    """RET-1: nothing goes, and no store is made."""
    sandbox.write(_TASK)
    assert sandbox.json("retention", "run")["backfills"] == 0
    assert not (sandbox.home / ".retrofill").exists()
