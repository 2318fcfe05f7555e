"""RUN-3, RUN-4, OPS-1: own processes that stand still have deadlines; a run never hangs on one for ever."""

from __future__ import annotations

import os
import signal

import pytest

from executors.rooms import Room, collect, is_alive, kill, wait_for_file, wait_until
from retrofill.executors.local import deadlines, processes
from retrofill.executors.local.executor import LocalExecutor


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines that a test can wait for."""
    monkeypatch.setattr(deadlines, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(deadlines, "CLAIM_SECONDS", 0.2)
    monkeypatch.setattr(deadlines, "STILL_SECONDS", 1000.0)
    monkeypatch.setattr(deadlines, "OVERDUE_SECONDS", 0.2)


def ended(executor: LocalExecutor) -> str:
    """The next end's outcome and message; polls, as a scheduler does now and then."""
    ends = [*executor.poll()]
    found = wait_until(lambda: ends.extend(executor.poll()) or ends, "an end")
    assert found
    return f"{ends[0].outcome}: {ends[0].message}"


def stop_process(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: (seen := processes.look_at(pid)) and seen.is_stopped, "it stands still")


def test_a_launcher_that_stands_still(room: Room) -> None:
    """RUN-3: the run was not started, and cannot be later."""
    executor = room.executor()
    room.run("true")
    (supervisor,) = room.supervisors()
    (launcher,) = room.launchers()
    kill(supervisor)
    executor.poll()
    stop_process(launcher)
    ran = room.path("ran")
    executor.start([room.spec(f"touch {ran}")])
    assert ended(executor) == "not_started: no supervisor has taken it in time"
    os.kill(launcher, signal.SIGCONT)
    end, _ = room.run("true")
    assert end.exit_code == 0
    assert not ran.exists()


def test_an_idle_supervisor_that_stands_still(room: Room) -> None:
    """RUN-3: what it finds when it goes on is not carried out."""
    executor = room.executor()
    room.run("true")
    (supervisor,) = room.supervisors()
    stop_process(supervisor)
    ran = room.path("ran")
    executor.start([room.spec(f"touch {ran}")])
    assert ended(executor) == "not_started: no supervisor has taken it in time"
    os.kill(supervisor, signal.SIGCONT)
    wait_until(lambda: not is_alive(supervisor), "it has left")
    assert not ran.exists()


@pytest.mark.parametrize("is_stop", [True, False])
def test_a_supervisor_that_stands_still_beyond_the_end_of_its_run(room: Room, is_stop: bool) -> None:
    """RUN-4, OPS-1: it is ended, and its run with it."""
    executor = room.executor(grace_seconds=0.1)
    spec = room.spec(f"echo $$ >{room.path('pid')}; sleep 1000", timeout_seconds=1000 if is_stop else 1)
    executor.start([spec])
    task = int(wait_for_file(room.path("pid")))
    (supervisor,) = room.supervisors()
    stop_process(supervisor)
    if is_stop:
        executor.stop(spec.ref)
    assert ended(executor).startswith(
        "stopped: stopped; its super" if is_stop else "timeout: timed out; its super"
    )
    assert not is_alive(task)
    assert not is_alive(supervisor)


def test_what_stands_still_is_let_go_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-3: after a while, so that the end of its run is known."""
    monkeypatch.setattr(deadlines, "STILL_SECONDS", 0.1)
    executor = room.executor()
    os.mkfifo(room.path("gate"))
    spec = room.spec(f"echo $$ >{room.path('pid')}; read x <{room.path('gate')}; exit 3")
    executor.start([spec])
    wait_for_file(room.path("pid"))
    stop_process(room.supervisors()[0])
    room.path("gate").write_text("go\n")
    assert ended(executor) == "exited: exit status 3"


def test_nothing_that_goes_on_is_judged_by_the_clock(room: Room) -> None:
    """RUN-4: a supervisor that does its work keeps its run, however long a stop takes."""
    executor = room.executor(grace_seconds=1.0)
    spec = room.spec(f"trap '' TERM; echo $$ >{room.path('pid')}; while :; do sleep 0.05; done")
    executor.start([spec])
    wait_for_file(room.path("pid"))
    executor.stop(spec.ref)
    (end,) = collect(executor, 1)
    assert (end.outcome, end.signal) == ("stopped", signal.SIGKILL)
