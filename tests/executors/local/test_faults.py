"""RUN-3: what the machine refuses is not the task's failure: the run was not started, says why, and can be tried again."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from executors.rooms import Room, collect, is_alive, wait_for_file, wait_until
from retrofill import failpoints


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


_NARROW = """
import json, os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (56, 64))
from collections.abc import Iterator
from pathlib import Path
from executors.rooms import Room, collect
room = Room(Path(sys.argv[1]))
os.mkfifo(room.path("gate"))
executor = room.executor()
specs = [room.spec(f"ulimit -n; read x <{room.path('gate')}") for _ in range(60)]
executor.start(specs)
refused = collect(executor, 60 - 16)
running = [spec for spec in specs if spec.ref not in {end.ref for end in refused}]
files = [open(os.devnull) for _ in range(8)]
for file in files: file.close()
for spec in running: executor.stop(spec.ref)
ended = collect(executor, len(running))
executor.start([room.spec("true")])
print(json.dumps({
    "refused": sorted({(end.outcome, end.message) for end in refused}), "count": len(refused),
    "ended": sorted({end.outcome for end in ended}), "logs": sorted({room.log(spec) for spec in running}),
    "again": [end.exit_code for end in collect(executor, 1)],
}))
room.close()
"""


def test_more_slots_than_descriptors(room: Room) -> None:
    """RUN-3: what fits runs, the rest is told why it does not, there is room for the store, and tasks keep their limit."""
    done = subprocess.run(
        [sys.executable, "-c", _NARROW, str(room.folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    (refused,) = seen["refused"]
    assert refused[0] == "not_started"
    assert refused[1].endswith("16 run, and this process may have only 64 files open (ulimit -n)")
    assert (seen["count"], seen["ended"], seen["again"]) == (44, ["stopped"], [0])
    assert set(seen["logs"]) <= {"56\n", ""}


@pytest.fixture
def narrow(room: Room) -> Iterator[Room]:
    """A room whose runs lie on a small file system of their own."""
    room.runs.mkdir()
    call = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", str(room.runs)]
    if subprocess.run(call, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield room
    room.close()
    subprocess.run(["umount", "--lazy", str(room.runs)], check=True)


def test_a_log_without_room(narrow: Room) -> None:
    """RUN-3: a command that could not write a word is not begun, though its empty log could be made."""
    assert narrow.run("echo it ran")[1] == "it ran\n"
    fill = narrow.runs / "fill"
    with fill.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    end, _ = narrow.run("echo it ran")
    assert (end.outcome, end.message) == (
        "not_started",
        f"cannot write to {narrow.runs}: No space left on device",
    )
    fill.unlink()
    spec = narrow.spec("head -c 5000 /dev/zero")
    executor = narrow.executor()
    executor.start([spec])
    assert collect(executor, 1)[0].exit_code == 0
    assert narrow.log_path(spec).stat().st_size == 5000
    assert (
        narrow.log_path(spec).stat().st_blocks * 512 == 8192
    )  # what was kept for it beyond that is free again


def test_a_scheduler_that_begins_on_a_full_disk(room: Room) -> None:
    """RUN-3, OPS-1: what it cannot find out or ask for now, it does when there is room."""
    running = room.spec(f"echo $$ >{room.path('pid')}; sleep 1000")
    first = room.scheduler(running)
    pid = int(wait_for_file(room.path("pid")))
    first.kill()
    unknown = room.spec("true")
    executor = room.executor(grace_seconds=0.1)
    with failpoints.asked_for("fault.tombstone=ENOSPC%1.0 fault.wish=ENOSPC%1.0"):
        assert executor.adopt([running.ref, unknown.ref]) == []
        assert executor.poll() == []
        executor.stop(running.ref)
        assert executor.poll() == []
        assert is_alive(pid)
    ends = [*executor.poll()]
    wait_until(lambda: ends.extend(executor.poll()) or len(ends) == 2, "both ends")
    assert {end.ref: end.outcome for end in ends} == {running.ref: "stopped", unknown.ref: "not_started"}
