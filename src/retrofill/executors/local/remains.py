"""What is left of a run whose supervisor has died, found by more than its mark, which a process can clear.

A process is of the run if it carries the mark, is the main process that the journal names, may write to the
log, is in the session of one of the first two, is below any of these, or is an orphan that the launcher
has got: the launcher is the reaper of its supervisors' descendants, so that nothing of theirs escapes while it lives.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from retrofill.executors.local import processes
from retrofill.executors.local.processes import Process

_OURS = (b"retrofill-start", b"retrofill-run")  # names of launchers and supervisors
_WRITES = os.O_WRONLY | os.O_APPEND


class Main(NamedTuple):
    """A run's main process, as its supervisor noted it."""

    pid: int
    start_time: int


class Remains:
    """The processes of one run. Looks may be repeated: what was recognised once stays so.

    Args:
        name: of the run.
        log: path of its log.
        launcher: pid of the launcher that has reaped the supervisor; 0 where none of ours has.
    """

    def __init__(self, name: str, log: str, main: Main | None, launcher: int = 0) -> None:
        self._name = name
        self._log = log
        self._main = main
        self._launcher = launcher
        self._sessions: set[int] = set()

    @property
    def is_everything(self) -> bool:
        """Whether no process of the run can have escaped: the launcher lives, and has got all orphans."""
        launcher = processes.look_at(self._launcher) if self._launcher else None
        return launcher is not None and launcher.parent == os.getpid() and not launcher.is_zombie

    def look(self) -> list[Process]:
        """Those that live now."""
        everybody = {process.pid: process for process in processes.list_processes()}
        sure = {process.pid for process in processes.marked_with([self._name])[self._name]}
        main = everybody.get(self._main.pid) if self._main else None
        if main is not None and self._main is not None and main.start_time == self._main.start_time:
            sure.add(main.pid)
        self._sessions |= {everybody[pid].session for pid in sure if pid in everybody}
        sure |= {pid for pid, process in everybody.items() if process.session in self._sessions}
        sure |= set(_writers(self._log, everybody))
        if self.is_everything:  # else the pid may be anybody's by now
            orphans = (process for process in everybody.values() if process.parent == self._launcher)
            sure |= {process.pid for process in orphans if _name_of(process.pid) not in _OURS}
        found = [everybody[pid] for pid in sure if pid in everybody and not everybody[pid].is_zombie]
        found += processes.below(everybody.values(), sure)
        return [*dict.fromkeys(process for process in found if process.pid != os.getpid())]

    def kill(self) -> list[Process]:
        """End those that live now; which those were."""
        found = self.look()
        for process in found:
            processes.send_signal(process, signal.SIGKILL)
        return found


def _writers(log: str, pids: Iterable[int]) -> Iterator[int]:
    """Processes that hold the log open as a run's own processes do; nobody else opens it so."""
    try:
        wanted = os.stat(log, follow_symlinks=False)
    except OSError:
        return
    for pid in pids:
        try:
            with os.scandir(f"/proc/{pid}/fd") as entries:
                if any(_is_written(entry, pid, wanted) for entry in entries):
                    yield pid
        except OSError:
            continue  # gone, or another user's


def _is_written(entry: os.DirEntry[str], pid: int, wanted: os.stat_result) -> bool:
    try:
        if not os.path.samestat(os.stat(entry.path), wanted):
            return False
        with open(f"/proc/{pid}/fdinfo/{entry.name}", encoding="ascii") as file:
            flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
    except (OSError, StopIteration):
        return False
    return flags & (os.O_ACCMODE | os.O_APPEND) == _WRITES


def _name_of(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            return file.read().strip()
    except OSError:
        return b""
