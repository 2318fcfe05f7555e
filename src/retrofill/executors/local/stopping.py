"""Stopping a run and learning its end without being its scheduler.

A wish is a file that asks for the end of a run; its supervisor looks at it on SIGUSR1.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path

from retrofill.executors.local import adoption
from retrofill.executors.local.adoption import Verdict, name_of
from retrofill.executors.local.remains import Remains
from retrofill.executors.logs.paths import RunPaths
from retrofill.failpoints import fail_point
from retrofill.services.ports import RunEnd, RunRef

_LOOK_MS = 50


def put_wish(places: RunPaths, ref: RunRef, grace_seconds: float) -> None:
    """Ask for the end of a run; whoever signals its supervisor then makes it look."""
    fail_point("fault.wish")
    path = places.wish(name_of(ref))
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(str(grace_seconds))


def remove_wish(places: RunPaths, ref: RunRef) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(places.wish(name_of(ref)))


def find_end(runs_directory: Path, ref: RunRef) -> RunEnd | None:
    """How a run ended, as its supervisor durably said; None if it has not said so (yet).

    Changes nothing, unlike `LocalExecutor.adopt`.
    """
    places = RunPaths(str(runs_directory.absolute()))
    return adoption.find_exit(places, ref)


def stop_run(runs_directory: Path, ref: RunRef, grace_seconds: float = 10.0) -> RunEnd:
    """End a run's whole process tree and wait until it has ended (OPS-1).

    Works beside a scheduler and without one: the run's own supervisor ends the tree. A run
    that nobody has claimed will never start; one whose supervisor has died is ended here.
    """
    places = RunPaths(str(runs_directory.absolute()))
    places.make()
    try:
        while True:
            judged = adoption.judge(places, [ref], adoption.boot_id())[ref]
            if judged.end is not None:
                return judged.end
            if judged.verdict is Verdict.DEAD:
                remains = adoption.remains_of(places, ref, judged.entry)
                _end(remains)
                return adoption.lost_with(ref, remains)
            assert judged.entry is not None
            put_wish(places, ref, grace_seconds)
            _signal_supervisor(judged)
    finally:
        remove_wish(places, ref)


def _signal_supervisor(judged: adoption.Judged) -> None:
    """Make it look at its wishes, and wait a little for its end."""
    assert judged.entry is not None
    pidfd = adoption.supervisor_pidfd(judged.entry)
    if pidfd is None:
        time.sleep(_LOOK_MS / 1000)
        return
    try:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(pidfd, signal.SIGUSR1)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll(_LOOK_MS)
    finally:
        os.close(pidfd)


def _end(remains: Remains) -> None:
    clean_looks = 0
    while clean_looks < 2:
        left = remains.kill()
        clean_looks = 0 if left else clean_looks + 1
        if left:
            time.sleep(0.005)
