"""Whatever process of ours is killed: a run starts at most once, its end is not lost, nothing survives it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence

import pytest

from executors.rooms import (
    Room,
    collect,
    is_alive,
    kill,
    marked_processes,
    parent_of,
    wait_for_end,
    wait_for_file,
    wait_until,
)
from retrofill.executors.local import adoption, stopping
from retrofill.executors.local.executor import LocalExecutor
from retrofill.services.ports import RunEnd, RunRef, RunSpec

_TASK = "echo s >>{starts}; echo $$ >{pid}; read x <{gate}; echo e >>{ends}; exit 9"


@pytest.fixture
def gated(room: Room) -> RunSpec:
    """A run that notes its starts and ends, and waits at a gate."""
    os.mkfifo(room.path("gate"))
    return room.spec(_TASK.format(**{name: room.path(name) for name in ("starts", "pid", "gate", "ends")}))


def test_a_killed_scheduler_disturbs_no_task(room: Room, gated: RunSpec) -> None:
    """RUN-3: the next scheduler adopts the run, and gets its end."""
    first = room.scheduler(gated)
    pid = int(wait_for_file(room.path("pid")))
    first.kill()
    executor = room.executor()
    assert executor.adopt([gated.ref]) == []
    assert is_alive(pid)
    room.path("gate").write_text("go\n")
    (end,) = collect(executor, 1)
    assert (end.outcome, end.exit_code) == ("exited", 9)
    assert room.path("starts").read_text() == "s\n"


def test_an_end_after_the_schedulers_death_is_known(room: Room, gated: RunSpec) -> None:
    """RUN-3: the journal keeps it, and the supervisor ends by itself."""
    first = room.scheduler(gated)
    wait_for_file(room.path("pid"))
    supervisors = room.supervisors()
    first.kill()
    room.path("gate").write_text("go\n")
    wait_for_end(supervisors)
    assert [end.exit_code for end in room.executor().adopt([gated.ref])] == [9]


def test_an_orphans_end_wakes_the_next_scheduler(room: Room, gated: RunSpec) -> None:
    """RUN-3: a datagram on the wake socket, besides the supervisor's own end."""
    first = room.scheduler(gated)
    wait_for_file(room.path("pid"))
    first.kill()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        folder = os.open(room.folder, os.O_PATH)
        wake.bind(f"/proc/self/fd/{folder}/wake.sock")  # the path itself may be too long
        os.close(folder)
        wake.settimeout(30)
        room.path("gate").write_text("go\n")
        assert wake.recv(16) == b"e"


def test_an_adopted_run_can_be_stopped(room: Room, gated: RunSpec) -> None:
    """OPS-1."""
    first = room.scheduler(gated)
    pid = int(wait_for_file(room.path("pid")))
    first.kill()
    executor = room.executor()
    executor.adopt([gated.ref])
    executor.stop(gated.ref)
    (end,) = collect(executor, 1)
    assert end.outcome == "stopped"
    assert not is_alive(pid)
    assert list((room.runs / "stops").iterdir()) == []


def test_adopted_runs_time_out(room: Room) -> None:
    """RUN-4: the supervisor needs no scheduler for that."""
    spec = room.spec(f"echo $$ >{room.path('pid')}; sleep 1000", timeout_seconds=1)
    first = room.scheduler(spec)
    pid = int(wait_for_file(room.path("pid")))
    first.kill()
    executor = room.executor()
    ends = executor.adopt([spec.ref]) or collect(executor, 1)
    assert [end.outcome for end in ends] == ["timeout"]
    assert not is_alive(pid)


def test_a_killed_supervisor_takes_its_run_along(room: Room) -> None:
    """RUN-3: what had been done is not known: lost, and every process with our mark is ended."""
    code = "setsid sleep 1000 & (sleep 1000 &) ; echo $$ $! >{pid}; sleep 1000; true"
    spec = room.spec(code.format(pid=room.path("pid")))
    executor = room.executor()
    executor.start([spec])
    pids = [int(word) for word in wait_for_file(room.path("pid")).split()]
    (supervisor,) = room.supervisors()
    os.kill(supervisor, signal.SIGKILL)
    (end,) = collect(executor, 1)
    assert (end.outcome, end.exit_code) == ("lost", None)
    assert not any(map(is_alive, pids))
    assert marked_processes(spec) == []


def test_a_supervisor_that_died_with_its_scheduler(room: Room, gated: RunSpec) -> None:
    """RUN-3: adoption ends its processes before it calls the run lost."""
    first = room.scheduler(gated)
    pid = int(wait_for_file(room.path("pid")))
    supervisors = room.supervisors()
    first.kill()
    for supervisor in supervisors:
        kill(supervisor)
    assert is_alive(pid)
    executor = room.executor()
    ends = executor.adopt([gated.ref]) or collect(executor, 1)
    assert [end.outcome for end in ends] == ["lost"]
    assert not is_alive(pid)
    assert not room.path("ends").exists()


def test_a_supervisor_that_dies_while_adopted(room: Room, gated: RunSpec) -> None:
    """RUN-3."""
    first = room.scheduler(gated)
    pid = int(wait_for_file(room.path("pid")))
    first.kill()
    executor = room.executor()
    assert executor.adopt([gated.ref]) == []
    for supervisor in room.supervisors():
        kill(supervisor)
    assert [end.outcome for end in collect(executor, 1)] == ["lost"]
    assert not is_alive(pid)


def test_a_strangers_process_is_left_alone(room: Room, gated: RunSpec) -> None:
    """RUN-3: only processes with the run's very mark are ended, not those of another run."""
    other = room.spec(f"echo $$ >{room.path('other')}; sleep 1000")
    executor = room.executor()
    executor.start([gated, other])
    pid, stranger = int(wait_for_file(room.path("pid"))), int(wait_for_file(room.path("other")))
    os.kill(parent_of(pid), signal.SIGKILL)
    (end,) = collect(executor, 1)
    assert end.ref == gated.ref
    assert is_alive(stranger)


def test_a_killed_launcher_is_replaced(room: Room, gated: RunSpec) -> None:
    executor = room.executor()
    executor.start([gated])
    wait_for_file(room.path("pid"))
    (launcher,) = room.launchers()
    kill(launcher)
    specs = [room.spec("true") for _ in range(5)]
    executor.start(specs)
    ends = finish(room, executor, specs)
    assert {end.exit_code for end in ends.values()} == {0}
    assert room.launchers() != [launcher]
    room.path("gate").write_text("go\n")
    assert collect(executor, 1)[0].exit_code == 9


def test_a_killed_idle_supervisor_is_replaced(room: Room) -> None:
    executor = room.executor()
    executor.start([room.spec("true")])
    collect(executor, 1)
    (supervisor,) = room.supervisors()
    kill(supervisor)
    executor.start([room.spec("exit 2")])
    assert [end.exit_code for end in collect(executor, 1)] == [2]


def test_supervisors_serve_one_run_after_another(room: Room) -> None:
    executor = room.executor()
    for _ in range(20):
        executor.start([room.spec("true"), room.spec("true")])
        collect(executor, 2)
    assert len(room.supervisors()) == 2
    assert len(room.journals()) == 2


def test_nothing_of_ours_stays_behind(room: Room) -> None:
    executor = room.executor()
    executor.start([room.spec("true") for _ in range(3)])
    collect(executor, 3)
    pids = room.supervisors() + room.launchers()
    assert len(pids) == 4
    executor.close()
    wait_for_end(pids)
    other = room.executor()
    other.adopt([])
    assert room.journals() == []


def test_idle_supervisors_are_let_go(room: Room) -> None:
    executor = room.executor(idle_seconds=0.0)
    executor.start([room.spec("true") for _ in range(3)])
    collect(executor, 3)
    executor.poll()
    wait_until(lambda: not room.supervisors(), "the supervisors' end")


def test_files_are_ours_alone(room: Room) -> None:
    """SEC-2: logs may show what not everybody may see."""
    room.run("true")
    for folder, _, names in os.walk(room.runs):
        assert os.stat(folder).st_mode & 0o077 == 0
        for name in names:
            assert os.stat(os.path.join(folder, name)).st_mode & 0o077 == 0


def test_a_terminals_interrupt_reaches_no_task(room: Room, gated: RunSpec) -> None:
    """The scheduler's process group gets SIGINT; launcher, supervisor and task are in others."""
    first = room.scheduler(gated)
    pid = int(wait_for_file(room.path("pid")))
    groups = {os.getpgid(process) for process in (pid, *room.supervisors(), *room.launchers())}
    assert len(groups) == 3
    assert os.getpgid(first.process.pid) not in groups
    first.process.send_signal(signal.SIGINT)
    first.process.wait()
    assert is_alive(pid)


_OUTCOMES = {
    "launcher.received": "not_started",
    "launcher.forked": "exited",
    "claim.before": "not_started",
    "claim.written": "not_started",
    "claim.logged": "lost",
    "spawned": "lost",
    "ended": "lost",
    "exit.written": "exited",
    "exit.sent": "exited",
    "exit.synced": "exited",
}


@pytest.mark.parametrize("point", _OUTCOMES)
def test_death_at_a_boundary(room: Room, point: str) -> None:
    """RUN-3: the scheduler hears what is known, and only what is known."""
    spec = room.spec(f"echo s >>{room.path('starts')}; exit 9")
    scheduler = room.scheduler(spec, fail_points=f"{point}@1")
    scheduler.wait_until_started()
    assert scheduler.process.stdout is not None
    assert scheduler.process.stdout.readline().split()[1] == _OUTCOMES[point]
    assert starts(room) <= ["s"]
    assert (starts(room) == ["s"]) >= (_OUTCOMES[point] == "exited")
    assert marked_processes(spec) == []


@pytest.mark.parametrize("point", _OUTCOMES)
def test_death_at_a_boundary_and_of_the_scheduler(room: Room, point: str) -> None:
    """RUN-3: the next scheduler finds a verdict that fits what has been done."""
    spec = room.spec(f"echo s >>{room.path('starts')}; exit 9")
    first = room.scheduler(spec, fail_points=f"{point}@1")
    first.wait_until_started()
    first.kill()
    executor = room.executor()
    (end,) = executor.adopt([spec.ref]) or collect(executor, 1)
    assert marked_processes(spec) == []
    if end.outcome == "not_started":
        assert starts(room) == []
    elif end.outcome == "exited":
        assert (starts(room), end.exit_code) == (["s"], 9)
    else:
        assert end.outcome == "lost"
        assert _OUTCOMES[point] == "lost"
        assert starts(room) <= ["s"]


@pytest.mark.parametrize("point", ["tombstone.before", "tombstone.after"])
def test_death_at_a_tombstone(room: Room, point: str) -> None:
    """RUN-3: whether or not it is there, the next one finds the same verdict."""
    spec = room.spec("true")
    room.executor()
    code = (
        "import sys\nfrom retrofill.executors.local import adoption\nfrom retrofill.executors.logs.paths import RunPaths\n"
        f"adoption.put_tombstone(RunPaths({str(room.runs)!r}).log({adoption.name_of(spec.ref)!r}))"
    )
    died = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "RETROFILL_FAIL_POINTS": f"{point}@1"}, check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert room.log_path(spec).exists() == (point == "tombstone.after")
    assert [end.outcome for end in room.executor().adopt([spec.ref])] == ["not_started"]


def test_many_deaths(room: Room) -> None:
    """RUN-3: schedulers and supervisors die at random points, 12 runs, each starts at most once."""
    specs = [room.spec(f"echo {number} >>{room.path('starts')}; exit 3") for number in range(12)]
    first = room.scheduler(*specs, fail_points="claim.*%0.1 exit.*%0.1 spawned%0.1 ended%0.1 launcher.*%0.1")
    first.wait_until_started()
    first.kill()
    executor = room.executor()
    ends = finish(room, executor, specs, executor.adopt([spec.ref for spec in specs]))
    started = starts(room)
    assert len(started) == len(set(started))
    for number, spec in enumerate(specs):
        if ends[spec.ref].outcome == "exited":
            assert ends[spec.ref].exit_code == 3
            assert str(number) in started
        if ends[spec.ref].outcome == "not_started":
            assert str(number) not in started


def test_a_folder_that_cannot_be_written_to(room: Room) -> None:
    """RUN-3: a run that cannot be claimed was not started, and says why."""
    executor = room.executor()
    (room.runs / "journals").rmdir()
    (room.runs / "journals").write_text("")
    executor.start([room.spec(f"touch {room.path('ran')}")])
    (end,) = collect(executor, 1)
    assert (end.outcome, end.exit_code) == ("not_started", None)
    assert end.message == f"cannot write to {room.runs}: Not a directory"
    assert not room.path("ran").exists()


def test_a_launcher_that_does_not_start(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-3: the run says why it was not started; nothing is tried for ever."""
    monkeypatch.setattr("retrofill.executors.local.launching.CODE", "raise SystemExit('no way')")
    executor = room.executor()
    ends: list[RunEnd] = []
    while not ends or "stay alive" not in ends[-1].message:
        executor.start([room.spec("true")])
        ends += collect(executor, 1)
        assert len(ends) < 100
    assert {end.outcome for end in ends} == {"not_started"}
    assert ends[-1].message.endswith("the launcher of tasks does not stay alive: no way")


# Looking around


def finish(
    room: Room, executor: LocalExecutor, specs: list[RunSpec], ends: Sequence[RunEnd] = ()
) -> dict[RunRef, RunEnd]:
    """The ends of these runs, one each."""
    found = [*ends, *collect(executor, len(specs) - len(ends))]
    assert len(found) == len({end.ref for end in found}) == len(specs)
    return {end.ref: end for end in found}


def starts(room: Room) -> list[str]:
    return room.path("starts").read_text().split() if room.path("starts").exists() else []


def test_a_folder_that_is_swapped_between_two_runs(room: Room) -> None:
    """CAT-10: a run enters the folder to which its path leads when it starts, whoever supervises it."""
    for name in ("one", "two"):
        room.path(name).mkdir()
    link = room.path("link")
    link.symlink_to("one")
    executor = room.executor()
    seen = []
    for target in ("one", "two", "one"):
        link.unlink()
        link.symlink_to(target)
        spec = room.spec("pwd -P", working_directory=str(link))
        executor.start([spec])
        collect(executor, 1)
        seen.append(room.log(spec).strip().rpartition("/")[2])
        assert {os.readlink(f"/proc/{pid}/cwd") for pid in room.supervisors()} == {"/"}
    assert seen == ["one", "two", "one"]
    assert len(room.supervisors()) == 1


_HIDDEN = "exec env -i PATH=$PATH sh -c 'echo $$ >{pid}; read x <{gate}'"
_ESCAPED = "env -i PATH=$PATH setsid sh -c 'echo $$ >{pid}; exec <{gate} >/dev/null 2>&1; read x' & wait"
_LOGGING = "env -i PATH=$PATH setsid sh -c 'echo $$ >{pid}; read x <{gate}' & wait"


def hidden(room: Room, code: str) -> RunSpec:
    os.mkfifo(room.path("gate"))
    return room.spec(code.format(pid=room.path("pid"), gate=room.path("gate")))


@pytest.mark.parametrize("code", [_HIDDEN, _ESCAPED, _LOGGING])
def test_a_process_without_the_mark_ends_with_a_lost_run(room: Room, code: str) -> None:
    """RUN-3: whatever it has cleared and left, the launcher gets it when its supervisor dies."""
    spec = hidden(room, code)
    executor = room.executor()
    executor.start([spec])
    pid = int(wait_for_file(room.path("pid")))
    (supervisor,) = room.supervisors()
    kill(supervisor)
    (end,) = collect(executor, 1)
    assert (end.outcome, end.message) == ("lost", adoption.SUPERVISOR_DIED)
    assert not is_alive(pid)


@pytest.mark.parametrize("code", [_HIDDEN, _LOGGING])
@pytest.mark.parametrize("by_command", [True, False])
def test_a_process_without_the_mark_after_the_schedulers_death(
    room: Room, code: str, by_command: bool
) -> None:
    """RUN-3: without its launcher it is known by its session or its log; that others may go on is said."""
    spec = hidden(room, code)
    first = room.scheduler(spec)
    pid = int(wait_for_file(room.path("pid")))
    first.kill()
    wait_for_end(room.launchers())
    (supervisor,) = room.supervisors()
    kill(supervisor)
    if by_command:
        end = stopping.stop_run(room.runs, spec.ref)
    else:
        executor = room.executor()
        (end,) = executor.adopt([spec.ref]) or collect(executor, 1)
    assert (end.outcome, end.message) == ("lost", adoption.SUPERVISOR_DIED_UNSEEN)
    assert not is_alive(pid)


def test_pids_in_a_copied_journal_mean_nothing(room: Room) -> None:
    """RUN-3: whoever they name is a stranger; a run of the copy is lost without touching it."""
    spec = hidden(room, _HIDDEN)
    executor = room.executor()
    executor.start([spec])
    pid = int(wait_for_file(room.path("pid")))
    wait_until(lambda: any("spawned" in path.read_text() for path in room.journals()), "the record")
    copy = room.path("copy")
    shutil.copytree(room.runs, copy)
    assert stopping.stop_run(copy, spec.ref).outcome == "lost"
    assert is_alive(pid)
    executor.stop(spec.ref)  # else it would outlive the test: it carries no mark
    collect(executor, 1)
