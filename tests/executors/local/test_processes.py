"""Finding processes, and signalling none but the one that was meant."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from executors.rooms import is_alive, wait_for_end
from retrofill.executors.local import processes
from retrofill.executors.local.remains import Remains


@pytest.fixture
def child() -> Iterator[int]:
    with subprocess.Popen(["sleep", "1000"], env={"RETROFILL_RUN": "1.1.own"}) as process:
        yield process.pid
        process.kill()


def test_a_look(child: int) -> None:
    process = processes.look_at(child)
    assert process is not None
    assert (process.pid, process.parent, process.is_zombie) == (child, os.getpid(), False)
    assert processes.look_at(2**22 + 1) is None


def test_a_name_that_looks_like_fields(tmp_path: object) -> None:
    """The kernel puts the program's name, whatever it is, in the middle of the line."""
    program = f"{tmp_path}/x) R 1 1"
    os.symlink("/bin/sleep", program)
    with subprocess.Popen([program, "1000"]) as process:
        found = processes.look_at(process.pid)
        process.kill()
    assert found is not None
    assert found.parent == os.getpid()


def test_a_pid_that_now_is_anothers(child: int) -> None:
    """OPS-1: the kernel reuses pids; the start time tells."""
    process = processes.look_at(child)
    assert process is not None
    before = process._replace(start_time=process.start_time - 1)
    assert not processes.send_signal(before, signal.SIGKILL)
    assert processes.open_pidfd(before) is None
    assert is_alive(child)
    assert processes.send_signal(process, signal.SIGKILL)
    wait_for_end([child])


def test_marks(child: int) -> None:
    """RUN-3: exactly this run's, not those of a run whose name begins alike."""
    found = processes.marked_with(["1.1.own", "1.1.ow", "1.1.owner"])
    assert [process.pid for process in found["1.1.own"]] == [child]
    assert found["1.1.ow"] == found["1.1.owner"] == []


def test_descendants() -> None:
    """Of all generations, parents first; without those that have ended."""
    code = "sh -c 'sleep 1000 & echo $!; wait' & echo $!; wait"
    with subprocess.Popen(["sh", "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first, second = (int(process.stdout.readline()) for _ in range(2))
        found = [one.pid for one in processes.descendants_of(os.getpid())]
        for pid in (first, second, process.pid):
            assert pid in found
            os.kill(pid, signal.SIGKILL)
    assert found.index(process.pid) < found.index(max(first, second))


def test_whoever_has_a_dead_launchers_pid_now_is_let_alone() -> None:
    """RUN-3: only of a launcher that is a living child of ours are the children those of a run."""
    nested = "sh -c 'echo $$; sleep 1000 & wait' & wait"
    with subprocess.Popen(["sh", "-c", nested], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        stranger = int(process.stdout.readline())
        try:
            assert Remains("7.1.token", "/nonexistent/log", None, launcher=stranger).look() == []
        finally:
            os.killpg(process.pid, signal.SIGKILL)
