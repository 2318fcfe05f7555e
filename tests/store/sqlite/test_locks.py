"""Who creates something: one process at a time, whoever waits, looks or dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrofill.domain.errors import StoreBusyError
from retrofill.store.sqlite import locks

# Says what it does; does the next thing when it is told by a line.
_CREATOR = """
import sys
from pathlib import Path
from retrofill.store.sqlite import locks
print("begins", flush=True)
with locks.creating(Path(sys.argv[1]), "x"):
    print("creates", flush=True)
    sys.stdin.readline()
print("done", flush=True)
sys.stdin.readline()
"""
# Adds one to a number in a file, many times, which only goes well alone.
_COUNTER = """
import sys
from pathlib import Path
from retrofill.store.sqlite import locks
directory = Path(sys.argv[1])
number = directory / "number"
for _ in range(int(sys.argv[2])):
    locks.is_being_created(directory, "x")
    with locks.creating(directory, "x"):
        number.write_text(str(int(number.read_text()) + 1))
"""


class Creator:
    """Another process that creates `x`."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CREATOR, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.expect("begins")

    def expect(self, word: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"{word}\n"

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def creators(tmp_path: Path) -> Iterator[list[Creator]]:
    """Two creators, the second of which waits for the first."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(2):
            made.append(Creator(tmp_path))
            stack.callback(made[-1].close)
            if len(made) == 1:
                made[0].expect("creates")
        _wait_until_blocked(made[1].process.pid)
        yield made


def _wait_until_blocked(pid: int) -> None:
    """Until the kernel lists the process among those that wait for a lock."""
    while not any(
        words[1] == "->" and int(words[5]) == pid
        for line in Path("/proc/locks").read_text().splitlines()
        if len(words := line.split()) > 5
    ):
        os.sched_yield()


def test_who_has_waited_is_seen_to_create(tmp_path: Path, creators: list[Creator]) -> None:
    """POL-13: and a third one waits for it, although the first has removed the file that both had opened."""
    first, second = creators
    first.go_on()
    first.expect("done")
    second.expect("creates")
    assert locks.is_being_created(tmp_path, "x")
    second.go_on()
    second.expect("done")
    assert not locks.is_being_created(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_creator_lets_the_next_one_go_on(tmp_path: Path, creators: list[Creator]) -> None:
    """POL-13."""
    first, second = creators
    first.close()
    second.expect("creates")
    assert locks.is_being_created(tmp_path, "x")
    second.close()
    assert not locks.is_being_created(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_creator_that_stands_still_is_not_waited_for_for_ever(
    tmp_path: Path, creators: list[Creator]
) -> None:
    """POL-13: it is named, with what lets it go on; who waits with more patience goes on waiting."""
    first, second = creators
    os.kill(first.process.pid, signal.SIGSTOP)
    os.waitpid(first.process.pid, os.WUNTRACED)
    with (
        pytest.raises(StoreBusyError, match=f"process {first.process.pid} .*kill -CONT.* creating instances"),
        locks.creating(tmp_path, "x", patience_seconds=0.01),
    ):
        pass
    os.kill(first.process.pid, signal.SIGCONT)
    first.go_on()
    first.expect("done")
    second.expect("creates")


def test_they_come_one_after_the_other(tmp_path: Path) -> None:
    """POL-13: whoever else creates, waits or looks."""
    (tmp_path / "number").write_text("0")
    command = [sys.executable, "-c", _COUNTER, str(tmp_path), "300"]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert (tmp_path / "number").read_text() == "1200"
