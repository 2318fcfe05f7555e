"""Stopping a run, and learning its end, from a process that is not its scheduler."""

from __future__ import annotations

import os

import pytest

from executors.rooms import Room, collect, is_alive, kill, marked_processes, wait_for_end, wait_for_file
from retrofill.executors.local.stopping import find_end, put_wish, stop_run
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports import RunSpec


@pytest.fixture
def endless(room: Room) -> RunSpec:
    return room.spec(f"sleep 1000 & echo $$ $! >{room.path('pids')}; wait")


def pids_of(room: Room) -> list[int]:
    return [int(word) for word in wait_for_file(room.path("pids")).split()]


def test_without_a_scheduler(room: Room, endless: RunSpec) -> None:
    """OPS-1: the command itself signals the supervisor and waits for the tree's end."""
    first = room.scheduler(endless)
    pids = pids_of(room)
    first.kill()
    end = stop_run(room.runs, endless.ref)
    assert (end.outcome, end.signal) == ("stopped", 15)
    assert not any(map(is_alive, pids))
    assert find_end(room.runs, endless.ref) == end
    assert list((room.runs / "stops").iterdir()) == []


def test_beside_a_scheduler(room: Room, endless: RunSpec) -> None:
    """OPS-1: the scheduler hears of it, and its supervisor serves on."""
    executor = room.executor()
    executor.start([endless])
    pids = pids_of(room)
    assert stop_run(room.runs, endless.ref).outcome == "stopped"
    assert not any(map(is_alive, pids))
    assert [end.outcome for end in collect(executor, 1)] == ["stopped"]
    executor.start([room.spec("exit 4")])
    assert [end.exit_code for end in collect(executor, 1)] == [4]


def test_the_grace_is_the_wishs_own(room: Room) -> None:
    """OPS-1."""
    spec = room.spec(f"trap '' TERM; echo $$ >{room.path('pids')}; while :; do sleep 1; done")
    first = room.scheduler(spec)
    pids_of(room)
    first.kill()
    end = stop_run(room.runs, spec.ref, grace_seconds=0.2)
    assert (end.outcome, end.signal) == ("stopped", 9)


def test_a_wish_whose_signal_got_lost(room: Room, endless: RunSpec) -> None:
    """OPS-1: the supervisor sees it when it next looks by itself, as from another container."""
    executor = room.executor()
    executor.start([endless])
    pids = pids_of(room)
    put_wish(RunPaths(str(room.runs)), endless.ref, 1)
    assert [end.outcome for end in collect(executor, 1)] == ["stopped"]
    assert not any(map(is_alive, pids))


def test_without_a_supervisor(room: Room, endless: RunSpec) -> None:
    """OPS-1, RUN-3: what it left is ended here."""
    first = room.scheduler(endless)
    pids = pids_of(room)
    supervisors = room.supervisors()
    first.kill()
    for supervisor in supervisors:
        kill(supervisor)
    assert stop_run(room.runs, endless.ref).outcome == "lost"
    assert not any(map(is_alive, pids))
    assert marked_processes(endless) == []


def test_what_has_ended(room: Room) -> None:
    """OPS-1: its own end is told."""
    spec = room.spec("exit 3")
    executor = room.executor()
    executor.start([spec])
    (end,) = collect(executor, 1)
    assert stop_run(room.runs, spec.ref) == end
    assert find_end(room.runs, spec.ref) == end


def test_what_was_never_started(room: Room) -> None:
    """RUN-3: then it never will be; finding out about it changes nothing."""
    spec = room.spec(f"touch {room.path('ran')}")
    assert find_end(room.runs, spec.ref) is None
    assert not room.runs.exists()
    assert stop_run(room.runs, spec.ref).outcome == "not_started"
    executor = room.executor()
    executor.start([spec])
    assert [end.outcome for end in collect(executor, 1)] == ["not_started"]
    assert not room.path("ran").exists()


def test_a_wish_for_one_run_ends_no_other(room: Room, endless: RunSpec) -> None:
    """OPS-1: the supervisor ends only the run that the wish names."""
    executor = room.executor()
    done = room.spec("true")
    executor.start([done])
    collect(executor, 1)
    os.mkfifo(room.path("gate"))
    spec = room.spec(f"echo $$ >{room.path('pid')}; read x <{room.path('gate')}; exit 8")
    executor.start([spec])
    pid = int(wait_for_file(room.path("pid")))
    assert stop_run(room.runs, done.ref).outcome == "exited"
    (supervisor,) = room.supervisors()
    (room.runs / "stops" / "1.1.stranger").write_text("0")
    kill(supervisor, 10)  # SIGUSR1
    room.path("gate").write_text("go\n")
    assert [end.exit_code for end in collect(executor, 1)] == [8]
    wait_for_end([pid])
