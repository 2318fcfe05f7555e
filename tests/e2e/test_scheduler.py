"""A scheduler in the foreground, and commands beside it."""

from __future__ import annotations

import os
import signal

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
    sandbox.run("deploy")
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


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_runs_what_others_create_and_leaves_what_runs(sandbox: Sandbox, how: signal.Signals) -> None:
    """RUN-1, OPS-0: whatever its end; the next scheduler adopts."""
    sandbox.write(HELD)
    sandbox.run("deploy")
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


def test_a_stop_beside_a_scheduler(sandbox: Sandbox) -> None:
    """OPS-1: the scheduler is woken, and the command returns when the processes have ended."""
    sandbox.write(HELD)
    sandbox.run("deploy")
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
