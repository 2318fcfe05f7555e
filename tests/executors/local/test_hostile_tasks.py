"""Tasks that do not want to end, or leave things behind, or print what nobody can read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from executors.rooms import Room, collect, is_alive, read_process, wait_for_file

_IGNORES_TERM = "trap '' TERM; echo $$ >{pids}; while :; do sleep 1; done"
_SETSID = "setsid sleep 1000 & echo $$ $! >{pids}; wait"
_DAEMON = "(setsid nohup sh -c 'echo $$ >{pids}; sleep 1000' >/dev/null 2>&1 &) ; sleep 1000"
_PIPELINE = "echo $$ >{pids}; sleep 1000 | sleep 1000 | cat"
_FORKS = "for i in $(seq 40); do sleep 1000 & done; echo $$ >{pids}; wait"
_STOPPED = "echo $$ >{pids}; kill -STOP $$; echo on; sleep 1000"
_NO_ENVIRONMENT = "env -i setsid sh -c 'echo $$ >{pids}; exec sleep 1000' & wait"
_SHAPES = {
    "ignores TERM": _IGNORES_TERM,
    "setsid": _SETSID,
    "daemon": _DAEMON,
    "pipeline": _PIPELINE,
    "forty children": _FORKS,
    "stopped": _STOPPED,
    "without our mark": _NO_ENVIRONMENT,
}


@pytest.mark.parametrize("shape", _SHAPES)
def test_stop_leaves_no_survivor(room: Room, shape: str) -> None:
    """OPS-1: the run is stopped once no process of it is left, whatever it does to escape."""
    executor = room.executor(grace_seconds=0.2)
    spec = room.spec(_SHAPES[shape].format(pids=room.path("pids")))
    executor.start([spec])
    wait_for_file(room.path("pids"))
    executor.stop(spec.ref)
    (end,) = collect(executor, 1)
    assert end.outcome == "stopped"
    assert in_folder(room) == []


@pytest.mark.parametrize("shape", ["ignores TERM", "daemon"])
def test_a_timeout_leaves_no_survivor(room: Room, shape: str) -> None:
    """RUN-4: as for a stop."""
    executor = room.executor(grace_seconds=0.2)
    executor.start([room.spec(_SHAPES[shape].format(pids=room.path("pids")), timeout_seconds=1)])
    (end,) = collect(executor, 1)
    assert end.outcome == "timeout"
    assert in_folder(room) == []


def test_what_ignores_term_is_killed_after_the_grace(room: Room) -> None:
    """OPS-1: TERM, grace, KILL; the message says that it came to that."""
    executor = room.executor(grace_seconds=1)
    spec = room.spec(_IGNORES_TERM.format(pids=room.path("pids")))
    executor.start([spec])
    wait_for_file(room.path("pids"))
    executor.stop(spec.ref)
    (end,) = collect(executor, 1)
    assert (end.signal, end.message) == (9, "stopped; it did not end on TERM, so it was killed after 1s")


def test_what_ends_on_term_has_time_to_clean_up(room: Room) -> None:
    """OPS-1: its own exit status is kept, the outcome is the stop's."""
    executor = room.executor()
    slept = 'until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done'  # before, it has the trap of its shell
    code = f"trap 'echo bye; exit 7' TERM; sleep 1000 & {slept}; echo $$ >{room.path('pids')}; wait"
    spec = room.spec(code)
    executor.start([spec])
    wait_for_file(room.path("pids"))
    executor.stop(spec.ref)
    (end,) = collect(executor, 1)
    assert (end.outcome, end.exit_code, end.message) == ("stopped", 7, "stopped")
    assert room.log(spec) == "bye\n"


def test_a_run_ends_with_its_main_process(room: Room) -> None:
    """OPS-1: a child that holds the log open neither delays the end nor outlives it."""
    end, _ = room.run(f"sleep 1000 & echo $! >{room.path('pid')}; exit 6", timeout_seconds=900)
    assert (end.outcome, end.exit_code) == ("exited", 6)
    assert not is_alive(int(room.path("pid").read_text()))


def test_a_daemon_does_not_outlive_its_run(room: Room) -> None:
    """OPS-1: neither a new session nor another parent nor an empty environment helps it."""
    code = "import os, sys\nif os.fork():\n    os.wait(); sys.exit()\nos.setsid()\nif os.fork():\n    os._exit(0)\n"
    code += f"open({str(room.path('pid'))!r}, 'w').write(f'{{os.getpid()}}\\n')\n"
    code += "os.execve('/bin/sleep', ['sleep', '1000'], {})\n"
    end, log = room.run(code, type="python")
    assert (end.exit_code, log) == (0, "")
    assert in_folder(room) == []


def test_a_log_is_complete_and_in_order(room: Room) -> None:
    """OPS-10: 100 MB, byte for byte; nobody reads while it is written."""
    executor = room.executor(log_cap_bytes=0)
    code = "import sys\nfor i in range(100):\n    sys.stdout.write((f'{i:07d}' * 149797 + '\\n'))\n"
    spec = room.spec(code, type="python")
    executor.start([spec])
    assert collect(executor, 1)[0].exit_code == 0
    expected = hashlib.sha256()
    for i in range(100):
        expected.update((f"{i:07d}" * 149797 + "\n").encode())
    assert room.log_path(spec).stat().st_size > 100_000_000
    assert hashlib.sha256(room.log_path(spec).read_bytes()).digest() == expected.digest()
    room.log_path(spec).unlink()


def test_any_bytes_are_kept(room: Room) -> None:
    """OPS-10: invalid UTF-8, NUL, escapes and a line without an end."""
    spec = room.spec("printf '\\377\\000\\033[2J\\r\\302'; printf 'err' >&2")
    executor = room.executor()
    executor.start([spec])
    collect(executor, 1)
    assert room.log_path(spec).read_bytes() == b"\xff\x00\x1b[2J\r\xc2err"


def test_the_name_of_a_missing_command_is_shown_safely(room: Room) -> None:
    end, _ = room.run("printf 'x: 1: \\033[2J: not found\\n'; exit 127")
    assert end.message == "command not found: \\x1b[2J"


def test_secrets_are_on_no_command_line(room: Room) -> None:
    """SEC-3: code and connection of python and sql tasks reach them through memory."""
    os.mkfifo(room.path("gate"))
    code = f"# geheim\nopen({str(room.path('pid'))!r}, 'w').write('1\\n')\nopen({str(room.path('gate'))!r}).read()"
    spec = room.spec(code, type="python", environment={"password": "geheim"})
    executor = room.executor()
    executor.start([spec])
    wait_for_file(room.path("pid"))
    lines = [read_process(int(p.name), "cmdline") for p in Path("/proc").iterdir() if p.name.isdigit()]
    assert not [line for line in lines if b"geheim" in line]
    room.path("gate").write_text("go\n")
    assert collect(executor, 1)[0].exit_code == 0
    assert b"geheim" not in b"".join(path.read_bytes() for path in room.journals())
    assert b"geheim" not in room.log_path(spec).read_bytes()


def in_folder(room: Room) -> list[bytes]:
    """Command lines of the processes whose working directory is the room's, ourselves and ours left out."""
    found = []
    supervisors = room.supervisors()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in (os.getpid(), *supervisors):
            try:
                folder = os.readlink(entry / "cwd")
            except OSError:
                continue
            if folder == str(room.folder) and is_alive(int(entry.name)):
                found.append(read_process(int(entry.name), "cmdline"))
    return found
