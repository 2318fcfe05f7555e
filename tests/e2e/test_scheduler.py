"""A scheduler in the foreground, and commands beside it."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from e2e.sandboxes import Sandbox, finished, tasks_in, until

HELD = """
hold: {type: shell, schedule: "0 1 * * *", run: 'echo hold >> ../../out; while test ! -e ../../go; do sleep 0.02; done'}
after: {type: shell, schedule: "0 2 * * *", run: echo after >> ../../out, depends_on: [hold]}
"""
BOTH = ("--task", "hold", "--task", "after", "--bizdate", "2026-01-05")


def test_a_second_scheduler_is_refused(sandbox: Sandbox) -> None:
    """RUN-1: exit 6, naming the process that runs."""
    sandbox.write(HELD)
    sandbox.call("deploy")
    first = sandbox.spawn("scheduler")
    until(lambda: "runs as process" in sandbox.call("doctor").stdout, "the scheduler runs")
    second = sandbox.run("scheduler", status=6)
    assert str(first.pid) in second.stderr
    first.send_signal(signal.SIGTERM)
    finished(first)
    third = sandbox.spawn("scheduler")
    until(lambda: "runs as process" in sandbox.call("doctor").stdout, "another one can run")
    third.send_signal(signal.SIGINT)
    assert finished(third).status == 0


@pytest.mark.parametrize("how", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
def test_it_runs_what_others_create_and_leaves_what_runs(sandbox: Sandbox, how: signal.Signals) -> None:
    """RUN-1, OPS-0: whatever its end; the next scheduler adopts."""
    sandbox.write(HELD)
    sandbox.call("deploy")
    scheduler = sandbox.spawn("scheduler")
    until(lambda: "runs as process" in sandbox.call("doctor").stdout, "the scheduler runs")
    made = sandbox.run("backfill", "create", *BOTH, "--yes", "--output", "json")
    assert "No scheduler" not in made.stderr
    until(lambda: sandbox.text("out"), "the task has started")
    assert "running" in sandbox.call("instance", "why", sandbox.instances()["hold 05 01:00"]["id"]).stdout
    os.kill(scheduler.pid, how)
    scheduler.wait(10)
    assert tasks_in(sandbox.home), "the task still runs"
    sandbox.touch("go")
    assert sandbox.run("backfill", "wait", 1).status == 0
    assert sandbox.text("out").split() == ["hold", "after"]


def test_asking_twice_is_asking_once(sandbox: Sandbox) -> None:
    """RUN-1: whoever is impatient with TERM or Ctrl-C gets the same end."""
    sandbox.write(HELD)
    sandbox.call("deploy")
    scheduler = sandbox.spawn("scheduler")
    until(lambda: "runs as process" in sandbox.call("doctor", status=None).stdout, "the scheduler runs")
    for how in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        os.kill(scheduler.pid, how)
    result = finished(scheduler)
    assert result.status == 0
    assert result.stderr.rstrip().endswith("The scheduler has left.")


@pytest.mark.slow
def test_a_running_scheduler_follows_settings(sandbox: Sandbox) -> None:
    """OPS-1: a grace that a deploy has changed counts for the next stop."""
    stubborn = """h: {type: shell, schedule: "0 1 * * *", run: 'trap "" TERM; echo > ../../out; while :; do sleep 0.1; done'}"""
    sandbox.write(stubborn, "settings: {grace_seconds: 3000}")
    sandbox.call("deploy")
    sandbox.spawn("scheduler")
    until(lambda: "runs as process" in sandbox.call("doctor", status=None).stdout, "the scheduler runs")
    sandbox.write(stubborn, "settings: {grace_seconds: 0}")
    sandbox.call("deploy")
    number = sandbox.create("--task", "h", "--bizdate", "2026-01-05")["id"]
    until(lambda: sandbox.text("out"), "the task has started")
    sandbox.run("backfill", "stop", number)
    assert tasks_in(sandbox.home) == []


@pytest.mark.slow
def test_a_stop_beside_a_scheduler(sandbox: Sandbox) -> None:
    """OPS-1: the scheduler is woken, and the command returns when the processes have ended."""
    sandbox.write(HELD)
    sandbox.call("deploy")
    sandbox.spawn("scheduler")
    until(lambda: "runs as process" in sandbox.call("doctor").stdout, "the scheduler runs")
    sandbox.create(*BOTH)
    until(lambda: sandbox.text("out"), "the task has started")
    number = sandbox.instances()["hold 05 01:00"]["id"]
    (result,) = sandbox.run("instance", "stop", number, "--output", "json").json
    assert (result["ok"], result["state"]) == (True, "failed")
    assert tasks_in(sandbox.home) == []
    sandbox.touch("go")
    sandbox.call("instance", "rerun", number)
    assert sandbox.run("backfill", "wait", 1).status == 0
    assert sandbox.text("out").split() == ["hold", "hold", "after"]


def deployed_days_ago(sandbox: Sandbox, days: int) -> None:
    """As if the project had been deployed then, and no scheduler had run since."""
    with closing(sqlite3.connect(sandbox.home / ".retrofill" / "retrofill.db")) as connection:
        connection.execute("UPDATE catalog_version SET created_ms = created_ms - ?", (days * 86_400_000,))
        connection.commit()


def auto(sandbox: Sandbox, task: str) -> list[dict[str, Any]]:
    """Auto triggered instances of a task, oldest bizdate first."""
    rows: list[dict[str, Any]] = sandbox.json("instance", "list", "--auto", "--task", task)
    return sorted(rows, key=lambda row: str(row["bizdate"]))


def test_missed_nights_are_made_told_and_run(sandbox: Sandbox) -> None:
    """AUTO-1, AUTO-3: oldest first; the log of the service says which."""
    sandbox.write(
        'a: {type: shell, schedule: "0 0 * * *", run: "echo $RETROFILL_KIND $RETROFILL_BIZDATE >> ../../out"}'
    )
    sandbox.call("deploy")
    deployed_days_ago(sandbox, 5)
    scheduler = sandbox.spawn("scheduler")
    until(lambda: len(sandbox.text("out").splitlines()) >= 2, "two of the nights have run")
    scheduler.send_signal(signal.SIGTERM)
    result = finished(scheduler)
    assert result.status == 0
    told = re.findall(r"The instances of bizdate (\S+) have been made\.", result.stderr)
    rows = auto(sandbox, "a")
    assert told == [row["bizdate"] for row in rows]
    assert len(told) >= 5
    assert set(sandbox.text("out").splitlines()) <= {f"auto {day}" for day in told}


def test_auto_triggered_instances_survive_their_scheduler(sandbox: Sandbox) -> None:
    """AUTO-1, OPS-0, OPS-1, OPS-2: adopted by the next one; stopped where none runs; rerun by the next."""
    sandbox.write(HELD, "resource_groups: {default: {slots: 2}}")
    sandbox.call("deploy")
    deployed_days_ago(sandbox, 5)
    first = sandbox.spawn("scheduler")
    until(lambda: len(sandbox.text("out").splitlines()) == 2, "two dates have started")
    first.send_signal(signal.SIGTERM)
    assert finished(first).status == 0
    running = [row for row in auto(sandbox, "hold") if row["state"] == "running"]
    assert len(running) == 2
    assert len(tasks_in(sandbox.home)) >= 2, "they run on"
    stopped, adopted = running
    (result,) = sandbox.run("instance", "stop", stopped["id"], "--output", "json").json
    assert (result["ok"], result["state"]) == (True, "failed")
    assert "Somebody stopped it" in sandbox.call("instance", "why", stopped["id"]).stdout
    ready = next(row for row in auto(sandbox, "hold") if row["state"] == "waiting_resources")
    assert "`retrofill scheduler` starts one" in sandbox.call("instance", "why", ready["id"]).stdout
    sandbox.touch("go")
    sandbox.call("instance", "rerun", stopped["id"])
    sandbox.spawn("scheduler")
    until(
        lambda: (
            {row["state"] for row in auto(sandbox, "after")} <= {"successful", "waiting_time", "not_run"}
            and "successful" in {row["state"] for row in auto(sandbox, "after")}
            and {row["state"] for row in auto(sandbox, "hold")} <= {"successful", "waiting_time"}
        ),
        "everything that is due has run",
    )
    rows = {row["id"]: row["run_number"] for row in auto(sandbox, "hold")}
    assert rows[adopted["id"]] == 1, "adopted, not run twice"
    assert rows[stopped["id"]] == 2


@pytest.mark.slow
def test_a_scheduler_waits_for_the_first_deploy(tmp_path: Path) -> None:
    """AUTO-1: the service may be started before anything is deployed; it makes the store."""
    sandbox = Sandbox(tmp_path)
    sandbox.write("a: {type: shell, run: 'true', schedule: '0 1 * * *'}")
    scheduler = sandbox.spawn("scheduler")
    try:
        until((tmp_path / ".retrofill" / "wake.sock").exists, "the scheduler listens")
        row = sandbox.create("--task", "a", "--bizdate", "2026-01-05")
        until(
            lambda: sandbox.json("backfill", "show", row["id"])["status"] == "succeeded",
            "it has run the backfill",
        )
    finally:
        scheduler.terminate()
    assert finished(scheduler).status == 0
    sandbox.close()
