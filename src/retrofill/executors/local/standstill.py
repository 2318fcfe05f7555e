"""Own processes that stand still: stopped by a signal (SIGSTOP, Ctrl-Z, a debugger), alive and doing nothing.

What they hold, a lock or a run, nobody else takes from them: so it is said which one it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from retrofill.executors.local import adoption, journals, processes
from retrofill.executors.local.adoption import name_of
from retrofill.executors.local.folder import RunsFolder
from retrofill.executors.local.stopping import put_wish
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports import RunRef

_LAUNCHER = "retrofill-start"


class Standstill(NamedTuple):
    """One process that stands still. `part`: scheduler, launcher or supervisor; `run`: the name of its run, or empty."""

    part: str
    pid: int
    run: str = ""

    @property
    def instance_id(self) -> int | None:
        """Whose supervisor it is."""
        return int(self.run.partition(".")[0]) if self.run else None

    def words(self, names_instance: bool = True) -> str:
        """A clause that names it and says what lets it go on."""
        whose = f" of instance {self.instance_id}" if self.run and names_instance else ""
        return (
            f"the {self.part}{whose} (process {self.pid}) stands still: somebody has stopped that process; "
            f"`kill -CONT {self.pid}` lets it go on"
        )


def find_standstills(runs_directory: Path, scheduler: int | None) -> list[Standstill]:
    """All that stand still now.

    Args:
        scheduler: pid of the one that holds the lock, if any.
    """
    found = []
    if scheduler:
        if _is_stopped(scheduler):
            found.append(Standstill("scheduler", scheduler))
        found += [
            Standstill("launcher", pid)
            for pid in _children(scheduler)
            if _name(pid) == _LAUNCHER and _is_stopped(pid)
        ]
    supervisors = RunsFolder(runs_directory).living_supervisors()
    return found + [Standstill("supervisor", pid, run) for pid, run in supervisors if _is_stopped(pid)]


def ask_to_end(runs_directory: Path, refs: Iterable[RunRef], grace_seconds: float) -> None:
    """Ask the supervisors of these runs themselves, without the scheduler that they serve; waits for nothing."""
    places = RunPaths(str(runs_directory.absolute()))
    names = {name_of(ref): ref for ref in refs}
    for name, entry in journals.find_runs(places.journals, set(names)).items():
        pidfd = adoption.supervisor_pidfd(entry)
        if pidfd is not None:
            put_wish(places, names[name], grace_seconds)
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(pidfd, signal.SIGUSR1)
            os.close(pidfd)


def _children(pid: int) -> list[int]:
    """Of a process's main thread; all processes are looked at only where the kernel keeps no list of them."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return [process.pid for process in processes.list_processes() if process.parent == pid]


def _is_stopped(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return False
    return text[text.rindex(b")") + 2 :][:1] in (b"T", b"t")


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
