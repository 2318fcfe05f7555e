"""Finding and ending processes through /proc; a process is known by its pid and start time.

A pid alone proves nothing, because the kernel reuses it: signals go through a pidfd whose
process was looked at again after opening it.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

MARK = "RETROFILL_RUN"  # the variable that a run's processes carry; its value is the run's name
MARK_BYTES = 256  # room for a value in a process that is forked, not executed


class Process(NamedTuple):
    """One look at a process. `start_time` is in clock ticks since boot; `session` is its first process's pid."""

    pid: int
    parent: int
    start_time: int
    is_zombie: bool
    session: int = 0
    is_stopped: bool = False  # by a signal, or a debugger


def look_at(pid: int) -> Process | None:
    """The process of this pid, None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()  # the name before may hold anything
    return Process(
        pid,
        int(fields[1]),
        int(fields[19]),
        fields[0] in (b"Z", b"X"),
        int(fields[3]),
        fields[0] in (b"T", b"t"),
    )


def list_processes() -> list[Process]:
    """All processes that this one can see."""
    found = (look_at(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def descendants_of(pid: int) -> list[Process]:
    """Living processes below `pid`, parents first."""
    return below(list_processes(), [pid])


def below(processes: Iterable[Process], pids: Iterable[int]) -> list[Process]:
    """Of these processes the living ones below some, parents first."""
    children: defaultdict[int, list[Process]] = defaultdict(list)
    for process in processes:
        children[process.parent].append(process)
    found: list[Process] = []
    parents = [*pids]
    while parents:
        next_ones = [process for parent in parents for process in children[parent]]
        found += [process for process in next_ones if not process.is_zombie]
        parents = [process.pid for process in next_ones]
    return found


def marked_with(names: Iterable[str]) -> dict[str, list[Process]]:
    """Living processes by the name of the run that they belong to, whoever their parents are."""
    wanted = {f"{MARK}={name}".encode(): name for name in names}
    found: dict[str, list[Process]] = {name: [] for name in wanted.values()}
    own = os.getpid()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == own:
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = file.read()
        except OSError:
            continue  # gone, or another user's
        if MARK.encode() not in variables:
            continue
        for variable in variables.split(b"\0"):
            process = look_at(int(entry)) if variable in wanted else None
            if process is not None and not process.is_zombie:
                found[wanted[variable]].append(process)
    return found


def send_signal(process: Process, number: int) -> bool:
    """Signal exactly this process; False if it has gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    except OSError:  # refused, or no descriptor is free: what follows is nearly as exact
        return _is_there(process) and _kill(process.pid, number)
    try:
        if not _is_there(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_there(process: Process) -> bool:
    now = look_at(process.pid)
    return now is not None and now.start_time == process.start_time


def _kill(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def open_pidfd(process: Process) -> int | None:
    """A descriptor of exactly this process, readable once it has ended; None if it has gone, or there can be none."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return None
    if not _is_there(process):
        os.close(descriptor)
        return None
    return descriptor
