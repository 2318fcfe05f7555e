"""Logs of runs: one file per run, written by the command itself, read by offset.

The middle of a log that has grown too large is given back to the file system: offsets stay
as they are, and what is missing is a gap. Control characters are left as the command wrote them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from retrofill.executors.logs.capping import cut_middle
from retrofill.executors.logs.names import run_name
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports.logs import LogPart as Part
from retrofill.services.ports.logs import NoLogError

if TYPE_CHECKING:
    from retrofill.services.ports import RunRef


class LogFolder:
    """The logs of a folder of runs."""

    def __init__(self, runs_directory: Path) -> None:
        self._runs = runs_directory

    def read(self, ref: RunRef, offset: int, limit: int) -> Part:
        return read(self._runs, ref, offset, limit)

    def read_tail(self, ref: RunRef, limit: int) -> Part:
        return read_tail(self._runs, ref, limit)

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        return gaps(self._runs, ref)


def read(runs_directory: Path, ref: RunRef, offset: int = 0, limit: int = 256 << 10) -> Part:
    """Up to `limit` bytes of a run's log from `offset` on, as they are in the file (OPS-10).

    A part ends where a gap begins; the next one tells how much is missing. Reading at the end
    gives no data; later, what came since.

    Raises:
        NoLogError: there is none: the run never began, or its log has expired.
    """
    with _open(runs_directory, ref) as file:
        descriptor = file.fileno()
        size = os.fstat(descriptor).st_size
        if offset >= size or limit <= 0:
            return Part(min(offset, size), b"", 0, size)
        start = _seek(descriptor, offset, os.SEEK_DATA, size)
        end = min(_seek(descriptor, start, os.SEEK_HOLE, size), start + limit) if start < size else size
        return Part(start, os.pread(descriptor, end - start, start), start - offset, size)


def read_tail(runs_directory: Path, ref: RunRef, limit: int = 64 << 10) -> Part:
    """The last bytes of a log, at most `limit`.

    Raises:
        NoLogError: there is none.
    """
    with _open(runs_directory, ref) as file:
        size = os.fstat(file.fileno()).st_size
    return read(runs_directory, ref, max(0, size - limit), limit)


def gaps(runs_directory: Path, ref: RunRef) -> tuple[tuple[int, int], ...]:
    """Begin and end of each part that was cut out, in order (OPS-10).

    Raises:
        NoLogError: there is none.
    """
    found, at = [], 0
    with _open(runs_directory, ref) as file:
        descriptor = file.fileno()
        size = os.fstat(descriptor).st_size
        while at < size:
            hole = _seek(descriptor, at, os.SEEK_HOLE, size)
            at = _seek(descriptor, hole, os.SEEK_DATA, size) if hole < size else size
            if hole < at:
                found.append((hole, at))
    return tuple(found)


def shorten(runs_directory: Path, ref: RunRef, head: int = 32 << 10, tail: int = 32 << 10) -> None:
    """Leave only the first and last bytes of a log, with a gap between them (RET-2).

    Raises:
        NoLogError: there is none.
    """
    with _open(runs_directory, ref, os.O_RDWR) as file:
        cut_middle(file.fileno(), head, tail)


def disk_usage(runs_directory: Path, ref: RunRef) -> int:
    """Bytes that a log takes on the disk, 0 where there is none."""
    try:
        return os.lstat(_path(runs_directory, ref)).st_blocks * 512
    except FileNotFoundError:
        return 0


def remove(runs_directory: Path, ref: RunRef) -> None:
    """Remove the log of a run that has ended (RET-1)."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_path(runs_directory, ref))


def _path(runs_directory: Path, ref: RunRef) -> str:
    name = run_name(ref.instance_id, ref.run_number, ref.token)
    return RunPaths(str(runs_directory)).log(name)


def _open(runs_directory: Path, ref: RunRef, flags: int = os.O_RDONLY) -> BinaryIO:
    """The log's file; never a link, a pipe or a folder that a task has put in its place."""
    missing = NoLogError(f"run {ref.run_number} of instance {ref.instance_id} has no log")
    try:
        path = _path(runs_directory, ref)
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        raise missing from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise missing
    return open(descriptor, "rb" if flags == os.O_RDONLY else "r+b", buffering=0)


def _seek(descriptor: int, offset: int, whence: int, size: int) -> int:
    """The next data or hole from `offset` on; the end where there is none."""
    try:
        return os.lseek(descriptor, offset, whence)
    except OSError:
        return size
