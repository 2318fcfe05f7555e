"""RUN-3: what the machine refuses is not the task's failure: the run was not started, says why, and can be tried again."""

from __future__ import annotations

import pytest

from executors.rooms import Room, collect, is_alive, wait_for_file
from retrofill.executors import failpoints


@pytest.mark.parametrize(
    ("point", "sentence"),
    [
        ("fault.claim=ENOSPC", "cannot write to {runs}: No space left on device"),
        ("fault.claim=EIO", "cannot write to {runs}: Input/output error"),
        ("fault.log=ENOSPC", "cannot write to {runs}: No space left on device"),
        ("fault.log=EMFILE", "cannot write to {runs}: Too many open files"),
        ("fault.chdir=EIO", "cannot enter the folder {folder}: Input/output error"),
        ("fault.spawn=EAGAIN", "cannot start /bin/sh in {folder}: Resource temporarily unavailable"),
        ("fault.spawn=ENOMEM", "cannot start /bin/sh in {folder}: Cannot allocate memory"),
        ("fault.spawn=EPERM", "cannot start /bin/sh in {folder}: Operation not permitted"),
    ],
)
def test_a_run_that_could_not_be_started(
    room: Room, monkeypatch: pytest.MonkeyPatch, point: str, sentence: str
) -> None:
    """RUN-3: nothing of it is left, a scheduler that asks later hears the same, and the next token starts."""
    monkeypatch.setenv(failpoints.POINTS, f"{point}@1")
    executor = room.executor()
    spec = room.spec("echo it ran")
    executor.start([spec])
    (end,) = collect(executor, 1)
    assert (end.outcome, end.exit_code, end.started_at) == ("not_started", None, None)
    assert end.message == sentence.format(runs=room.runs, folder=room.folder)
    assert not room.log_path(spec).exists()
    assert [again.outcome for again in room.executor().adopt([spec.ref])] == ["not_started"]
    again = room.spec("echo it ran")
    executor.start([again])
    assert collect(executor, 1)[0].exit_code == 0
    assert room.log(again) == "it ran\n"
    assert len(room.supervisors()) == 1


@pytest.mark.parametrize(
    ("point", "sentence"),
    [
        ("fault.fork=EAGAIN", "cannot make a process: Resource temporarily unavailable"),
        ("fault.supervisor=EMFILE", "cannot make a supervisor: Too many open files"),
    ],
)
@pytest.mark.parametrize("type", ["shell", "sql"])
def test_no_supervisor(
    room: Room, monkeypatch: pytest.MonkeyPatch, point: str, sentence: str, type: str
) -> None:
    """RUN-3: the launcher says what it could not do."""
    monkeypatch.setenv(failpoints.POINTS, f"{point}%1.0")
    end, log = room.run("select 1", type=type, url=f"sqlite:///{room.path('w.sqlite')}")
    assert (end.outcome, end.message, log) == ("not_started", sentence, "")


def test_without_descriptors_of_processes(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-3: where they are refused, a run is looked at now and then; it ends, and it can be stopped."""
    monkeypatch.setenv(failpoints.POINTS, "fault.pidfd=EPERM%1.0")
    end, log = room.run("echo it ran; exit 3")
    assert (end.exit_code, log) == (3, "it ran\n")
    executor = room.executor()
    spec = room.spec(f"echo $$ >{room.path('pid')}; sleep 1000")
    executor.start([spec])
    pid = int(wait_for_file(room.path("pid")))
    executor.stop(spec.ref)
    assert collect(executor, 1)[0].outcome == "stopped"
    assert not is_alive(pid)


def test_an_end_that_cannot_be_written(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-3: the scheduler hears of it all the same."""
    monkeypatch.setenv(failpoints.POINTS, "fault.exit=EIO%1.0")
    end, _ = room.run("exit 3")
    assert (end.outcome, end.exit_code) == ("exited", 3)
