"""Waiting for a backfill: progress, interruption, who runs the scheduler."""

from __future__ import annotations

import os
import pty
import select
import signal
from pathlib import Path
from typing import NoReturn

import pytest

from e2e.sandboxes import RETROFILL, Sandbox, finished, tasks_in, until

HELD = """
hold: {type: shell, schedule: "0 1 * * *", run: 'echo start >> ../../out; while test ! -e ../../go; do sleep 0.02; done; echo end >> ../../out'}
after: {type: shell, schedule: "0 2 * * *", run: echo after >> ../../out, depends_on: [hold]}
"""  # noqa: E501
QUICK = 'a: {type: shell, schedule: "0 * * * *", run: "true"}'
BOTH = ("--task", "hold", "--task", "after", "--bizdate", "2026-01-05")


def test_ctrl_c_leaves_running_instances_running_and_says_how_to_go_on(sandbox: Sandbox) -> None:
    """OPS-0, BF-5: exit 130; the next wait sees them through."""
    sandbox.write(HELD)
    waiting = sandbox.spawn("backfill", "create", *BOTH, "--wait", "--yes")
    until(lambda: sandbox.text("out"), "the task has started")
    os.kill(waiting.pid, signal.SIGINT)
    result = finished(waiting)
    assert result.status == 130
    assert "1 running instance" in result.stderr
    assert "`retrofill backfill wait 1`" in result.stderr
    assert "`retrofill backfill stop 1`" in result.stderr
    assert tasks_in(sandbox.home), "the task still runs"
    assert sandbox.states() == {"hold 05 01:00": "running", "after 05 02:00": "not_run"}
    sandbox.touch("go")
    until(lambda: "end" in sandbox.text("out"), "the task has ended by itself")
    assert sandbox.run("backfill", "wait", 1).status == 0
    assert sandbox.text("out").split() == ["start", "end", "after"], "nothing ran twice"


def test_a_second_waiter_takes_over(sandbox: Sandbox) -> None:
    """RUN-1: the one that is left runs the scheduler, nothing runs twice."""
    sandbox.write(HELD)
    first = sandbox.spawn("backfill", "create", *BOTH, "--wait", "--yes")
    until(lambda: sandbox.text("out"), "the task has started")
    second = sandbox.spawn("backfill", "wait", 1)
    until(
        lambda: b"" in [b""] and second.poll() is None and _is_following(sandbox, second.pid),
        "the second waits",
    )
    os.kill(first.pid, signal.SIGKILL)
    sandbox.touch("go")
    until(lambda: "after" in sandbox.text("out"), "the next task has started")
    assert finished(second).status == 0
    assert sandbox.text("out").split() == ["start", "end", "after"]


@pytest.mark.parametrize("follows", [False, True])
def test_a_project_that_is_moved_while_it_is_waited_for(
    sandbox: Sandbox, tmp_path: Path, follows: bool
) -> None:
    """RUN-8: the wait ends and says so, whether it runs the scheduler or follows another; what runs goes on."""
    sandbox.write(HELD)
    first = sandbox.spawn("backfill", "create", *BOTH, "--wait", "--yes")
    until(lambda: sandbox.text("out"), "the task has started")
    waiting = first
    if follows:
        waiting = sandbox.spawn("backfill", "wait", 1)
        until(lambda: _is_following(sandbox, waiting.pid), "the second waits")
    old = sandbox.home
    sandbox.home = old.rename(tmp_path / "elsewhere")
    done = finished(waiting)
    assert done.status == 6
    assert f"the project is no longer at {old}" in done.stderr
    assert not old.exists(), "nothing is made at the old place"
    if follows:
        assert finished(first).status == 6
    sandbox.touch("go")
    assert sandbox.run("backfill", "wait", 1).status == 0
    assert sandbox.text("out").split() == ["start", "end", "after"], "nothing ran twice"


def _is_following(sandbox: Sandbox, pid: int) -> bool:
    """Whether the process has opened the store, which is after it has seen who schedules."""
    try:
        return any(
            "retrofill.db" in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")
        )
    except OSError:
        return False


@pytest.mark.slow
def test_two_waiters_for_two_backfills(sandbox: Sandbox) -> None:
    """RUN-1: whoever schedules starts instances of every unfinished backfill."""
    sandbox.write(QUICK)
    first = sandbox.create("--task", "a", "--bizdate", "2026-01-05")["id"]
    second = sandbox.create("--task", "a", "--bizdate", "2026-01-06")["id"]
    waiters = [sandbox.spawn("backfill", "wait", number, "--output", "json") for number in (first, second)]
    results = [finished(waiter) for waiter in waiters]
    assert [(r.status, r.json["status"]) for r in results] == [(0, "succeeded")] * 2
    assert all(row["run_number"] == 1 for row in sandbox.json("instance", "list"))


@pytest.mark.slow
def test_a_timeout_of_waiting(sandbox: Sandbox) -> None:
    """BF-5: exit 124, the backfill goes on."""
    sandbox.write(HELD)
    result = sandbox.run(
        "backfill", "create", *BOTH, "--wait", "--timeout", "1s", "--yes", "--output", "json", status=124
    )
    assert result.json["status"] == "running"
    assert "Timed out: 1 running instance goes on; nothing new starts." in result.stderr
    sandbox.touch("go")
    assert sandbox.run("backfill", "wait", 1, "--timeout", "1m").status == 0


@pytest.mark.slow
def test_what_ended_unheard_is_told(sandbox: Sandbox) -> None:
    """OPS-0, OPS-10: after a wait was killed, nobody notes ends; lists say so, and a followed log ends."""
    sandbox.write(HELD)
    waiting = sandbox.spawn("backfill", "create", *BOTH, "--wait", "--yes")
    until(lambda: sandbox.text("out"), "the task has started")
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.communicate()
    following = sandbox.spawn("instance", "log", 2, "--follow")
    sandbox.touch("go")
    result = finished(following)
    assert result.status == 0
    told = (
        "Instance 2 has ended, and no scheduler runs that would note how: `retrofill backfill wait 1` does."
    )
    assert told in result.stderr
    assert told in sandbox.call("instance", "list").stderr
    assert told in sandbox.call("instance", "show", 2).stderr
    assert "1 instance of it that counts as running has ended" in sandbox.call("backfill", "show", 1).stderr
    assert "that counts as running has ended" in sandbox.call("backfill", "list").stderr
    assert sandbox.run("backfill", "wait", 1).status == 0
    assert "has ended" not in sandbox.call("instance", "list").stderr


@pytest.mark.slow
def test_a_paused_backfill_is_waited_for(sandbox: Sandbox) -> None:
    """BF-3, BF-5: until somebody resumes it."""
    sandbox.write(QUICK)
    sandbox.create("--task", "a", "--bizdate", "2026-01-05")
    sandbox.call("backfill", "pause", 1)
    waited = sandbox.run("backfill", "wait", 1, "--timeout", "1s", "--output", "json", status=124)
    assert waited.json["status"] == "paused"
    assert "`retrofill backfill resume 1` lets it go on" in waited.stderr
    waiting = sandbox.spawn("backfill", "wait", 1)
    until(lambda: _is_following(sandbox, waiting.pid), "it waits")
    sandbox.call("backfill", "resume", 1)
    assert finished(waiting).status == 0


def test_waiting_for_what_has_ended_answers_at_once(sandbox: Sandbox) -> None:
    """BF-5: 0, 1 and 3 by how it ended."""
    sandbox.write(
        'good: {type: shell, schedule: "0 1 * * *", run: "true"}\n'
        'bad: {type: shell, schedule: "0 1 * * *", run: "exit 7"}\n'
        'late: {type: shell, schedule: "0 2 * * *", run: "true", depends_on: [good]}'
    )
    assert (
        sandbox.run(
            "backfill", "create", "--task", "good", "--bizdate", "2026-01-05", "--wait", "--yes"
        ).status
        == 0
    )
    sandbox.run("backfill", "create", "--task", "bad", "--bizdate", "2026-01-05", "--wait", "--yes", status=1)
    sandbox.create(
        "--task", "good", "--task", "late", "--bizdate", "2026-01-05", "--time-range", "02:00-03:00", status=3
    )
    sandbox.create("--task", "good", "--bizdate", "2026-01-05")
    sandbox.call("backfill", "stop", 4)
    for number, status in ((1, 0), (2, 1), (3, 3), (4, 1)):
        sandbox.run("backfill", "wait", number, status=status)
    sandbox.run("backfill", "wait", 5, status=5)


def test_plain_lines_of_progress_where_there_is_no_terminal(sandbox: Sandbox) -> None:
    """BF-2: what runs, what failed, how far; on stderr."""
    sandbox.write(HELD)
    waiting = sandbox.spawn("backfill", "create", *BOTH, "--wait", "--yes", "--output", "json")
    assert waiting.stderr is not None
    seen = b""
    while b"1 running" not in seen:
        ready, _, _ = select.select([waiting.stderr], [], [], 30)
        assert ready, seen
        seen += os.read(waiting.stderr.fileno(), 4096)
    sandbox.touch("go")
    result = finished(waiting)
    assert result.json["status"] == "succeeded"
    text = seen.decode() + result.stderr
    assert "\x1b" not in text
    assert (
        "backfill 1: 0 of 2 successful, 1 running, 0 failed, 0 of 1 bizdate done; at 2026-01-05 0/2" in text
    )


def test_a_live_picture_in_a_terminal(sandbox: Sandbox) -> None:
    """BF-2: bars and names of what runs, redrawn; nothing of it is left on stdout."""
    sandbox.write(HELD)
    read, write = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.dup2(write, 1)
        become(sandbox, "backfill", "create", *BOTH, "--wait", "--yes")
    os.close(write)
    seen = b""
    try:
        while b"running: w.hold" not in seen:
            seen += _some(terminal)
        sandbox.touch("go")
        while piece := _some(terminal):
            seen += piece
    finally:
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "━".encode() in seen or "─".encode() in seen
    with os.fdopen(read, "rb") as data:
        assert b"Succeeded" in data.read()


def become(sandbox: Sandbox, *args: str) -> NoReturn:
    """Turn a forked process into a command."""
    os.chdir(sandbox.home)
    os.execve(RETROFILL, ["retrofill", *args], sandbox.environment({"TERM": "xterm"}))  # noqa: S606


def _some(terminal: int) -> bytes:
    ready, _, _ = select.select([terminal], [], [], 30)
    assert ready, "the terminal stays silent"
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side has closed
        return b""


@pytest.mark.slow
def test_ctrl_c_while_following_a_log(sandbox: Sandbox) -> None:
    """OPS-10: exit 130; what was printed so far is there, and the run goes on."""
    sandbox.write(HELD.replace(">> ../../out; while", "| tee ../../out; while"))
    waiting = sandbox.spawn("backfill", "create", *BOTH, "--wait", "--yes")
    until(lambda: sandbox.text("out"), "the task has started")
    number = sandbox.instances()["hold 05 01:00"]["id"]
    following = sandbox.spawn("instance", "log", number, "--follow")
    assert following.stdout is not None
    assert following.stdout.readline() == b"start\n"
    following.send_signal(signal.SIGINT)
    result = finished(following)
    assert (result.status, result.stderr.strip()) == (130, "")
    again = sandbox.spawn("instance", "log", number, "--follow")
    sandbox.touch("go")
    assert finished(waiting).status == 0
    assert finished(again).stdout == "start\n"


@pytest.mark.slow
def test_a_log_cannot_reprogram_the_terminal(sandbox: Sandbox) -> None:
    """OPS-10: control characters are escaped in a terminal, and left alone in a pipe."""
    sandbox.write('a: {type: shell, schedule: "0 1 * * *", run: \'printf "a\\033[2Jb\\n"\'}')
    sandbox.run("backfill", "create", "--task", "a", "--bizdate", "2026-01-05", "--wait", "--yes")
    assert sandbox.call("instance", "log", 1).stdout == "a\x1b[2Jb\n"
    pid, terminal = pty.fork()
    if pid == 0:
        become(sandbox, "instance", "log", "1")
    seen = b""
    while piece := _some(terminal):
        seen += piece
    os.waitpid(pid, 0)
    assert seen == b"a\\x1b[2Jb\r\n"


def test_create_asks_in_a_terminal(sandbox: Sandbox) -> None:
    """VER-4: it shows the plan first; no is no, and nothing is created."""
    sandbox.write(QUICK)
    pid, terminal = pty.fork()
    if pid == 0:
        become(sandbox, "backfill", "create", "--task", "a", "--bizdate", "2026-01-05")
    seen = b""
    while b"[y/N]" not in seen:
        seen += _some(terminal)
    os.write(terminal, b"n\n")
    while piece := _some(terminal):
        seen += piece
    _, status = os.waitpid(pid, 0)
    assert b"24 instances" in seen
    assert b"Nothing was created." in seen
    assert os.waitstatus_to_exitcode(status) == 1
    assert sandbox.json("backfill", "list") == []


@pytest.mark.slow
def test_elsewhere_create_wants_yes(sandbox: Sandbox) -> None:
    """VER-4: exit 2, nothing is created."""
    sandbox.write(QUICK)
    result = sandbox.run("backfill", "create", "--task", "a", "--bizdate", "2026-01-05", status=2)
    assert "--yes" in result.stderr
    assert sandbox.json("backfill", "list") == []


@pytest.mark.slow
def test_the_window_opens_while_waiting(sandbox: Sandbox) -> None:
    """SEL-4, POL-11: planned, made when it starts, and followed to its end by the one that waits."""
    sandbox.write(QUICK)
    from datetime import UTC, datetime, timedelta

    opens = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=3):%H:%M}"
    row = sandbox.create("--all-descendants", "a", "--bizdate", "2026-01-05", "--window", window)
    assert (row["status"], row["check_status"], row["counts"]["not_run"]) == ("pending", "passed", 0)
    assert sandbox.json("instance", "list") == []
    assert sandbox.run("backfill", "wait", row["id"], "--timeout", "1s", status=124).status == 124
