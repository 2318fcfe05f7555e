"""Own processes that stand still: commands say which one it is, and wait for none of them for ever."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox, finished, tasks_in, until
from retrofill.cli import stopping
from retrofill.executors.local.folder import RunsFolder

pytestmark = pytest.mark.slow

HELD = """
hold: {type: shell, schedule: "0 1 * * *", run: 'echo hold >> ../../out; sleep 600'}
after: {type: shell, schedule: "0 2 * * *", run: echo after >> ../../out, depends_on: [hold]}
"""


@pytest.fixture
def running(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> tuple[Sandbox, subprocess.Popen[bytes]]:
    """An instance that runs, and the process that waits for its backfill; commands have little patience."""
    monkeypatch.setattr(stopping, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(stopping, "LOOK_AROUND_SECONDS", 0.1)
    sandbox.write(HELD, "settings: {grace_seconds: 0}")
    waiting = sandbox.spawn(
        "backfill", "create", "--all-descendants", "hold", "--bizdate", "2026-01-05", "--wait", "--yes"
    )
    until(lambda: sandbox.text("out"), "the task has started")
    return sandbox, waiting


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def supervisor_of(sandbox: Sandbox) -> int:
    ((pid, _),) = RunsFolder(sandbox.home / ".retrofill" / "runs").living_supervisors()
    return pid


def check_of(sandbox: Sandbox, name: str, status: int) -> dict[str, object]:
    rows = sandbox.json("doctor", status=status)
    return next(row for row in rows if row["check"] == name)


def test_a_supervisor_that_stands_still(running: tuple[Sandbox, subprocess.Popen[bytes]]) -> None:
    """OPS-1, OPS-9: why and doctor name it, a stop says what it waits for, and takes effect when it goes on."""
    sandbox, waiting = running
    hold = sandbox.instances()["hold 05 01:00"]["id"]
    pid = supervisor_of(sandbox)
    named = f"supervisor of instance {hold} (process {pid}) stands still"
    with standing_still(pid):
        assert named in str(check_of(sandbox, "standstill", status=1)["detail"])
        assert named in sandbox.json("instance", "why", hold)["text"]
        result = sandbox.call("instance", "stop", hold, "--output", "json", status=124)
        assert f"`kill -CONT {pid}`" in result.stderr
        assert named in result.json[0]["error"]
        assert not result.json[0]["ok"]
    until(lambda: sandbox.states()["hold 05 01:00"] == "failed", "the stop has taken effect")
    assert finished(waiting).status == 1
    assert check_of(sandbox, "standstill", status=0)["ok"]


def test_a_scheduler_that_stands_still(running: tuple[Sandbox, subprocess.Popen[bytes]]) -> None:
    """OPS-1, OPS-9: what runs is stopped without it; it notes the end when it goes on."""
    sandbox, waiting = running
    found = sandbox.instances()
    hold, after = found["hold 05 01:00"]["id"], found["after 05 02:00"]["id"]
    named = f"scheduler (process {waiting.pid}) stands still"
    with standing_still(waiting.pid):
        assert named in str(check_of(sandbox, "standstill", status=1)["detail"])
        assert named in sandbox.json("instance", "why", after)["text"]
        assert named in sandbox.call("backfill", "stop", 1, status=124).stderr
        until(lambda: tasks_in(sandbox.home) == [], "the supervisor has ended the task by itself")
        assert sandbox.states()["hold 05 01:00"] == "running"
    assert finished(waiting).status == 1
    assert sandbox.states()["hold 05 01:00"] == "failed"
    assert "Somebody stopped it" in sandbox.call("instance", "why", hold).stdout


def test_who_waits_for_a_scheduler_that_stands_still_is_told(
    running: tuple[Sandbox, subprocess.Popen[bytes]],
) -> None:
    """OPS-9: which process it is, and what lets it go on."""
    sandbox, waiting = running
    with standing_still(waiting.pid):
        said = sandbox.run("backfill", "wait", 1, "--timeout", "4s", status=124).stderr
        assert f"Nothing goes on: the scheduler (process {waiting.pid}) stands still" in said
    sandbox.run("backfill", "stop", 1)
    assert finished(waiting).status == 1


def test_a_launcher_that_stands_still(running: tuple[Sandbox, subprocess.Popen[bytes]]) -> None:
    """OPS-9: what runs goes on, and nothing new can start."""
    sandbox, waiting = running
    children = f"/proc/{waiting.pid}/task/{waiting.pid}/children"
    with open(children, encoding="ascii") as file:
        found = [int(word) for word in file.read().split()]
    (pid,) = (p for p in found if Path(f"/proc/{p}/comm").read_text().strip() == "retrofill-start")
    with standing_still(pid):
        detail = str(check_of(sandbox, "standstill", status=1)["detail"])
        assert f"the launcher (process {pid}) stands still" in detail
        sandbox.run("backfill", "stop", 1)
    assert finished(waiting).status == 1
