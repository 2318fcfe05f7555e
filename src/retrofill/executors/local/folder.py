"""The folder of runs as retention sees it: logs that may go or be cut, journals of the dead.

A log's existence is the claim of its run (see `adoption`), so whoever removes one must know from
the ledger that the run has ended, or that the ledger has no such run: then nobody asks for it,
and its token is never used again.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from retrofill.executors.local import journals
from retrofill.executors.logs.capping import cap_log, cut_middle
from retrofill.executors.logs.names import parse_name, run_name
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports.retention import LogFile, LogPiece, RunName

_LOG = ".log"
_COMPLAINTS_BYTES = 1 << 20
_MARK_BYTES = 4096
_PIECE = 1 << 20


class RunsFolder:
    """The folder of one store's runs; it may not be there yet."""

    def __init__(self, directory: Path) -> None:
        self._places = RunPaths(str(directory.absolute()))

    def scan(self) -> Iterator[LogFile]:
        """All logs, in no order; looks at each when it is asked for."""
        with contextlib.suppress(FileNotFoundError), os.scandir(f"{self._places.directory}/logs") as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    if not stat.S_ISDIR(status.st_mode):
                        run = _run_of(entry.name)
                        yield LogFile(entry.name, run, status.st_mtime_ns // 1_000_000, _held(status))

    def size(self, run: RunName) -> int:
        """Bytes that a log holds, without what was cut out; 0 where there is none."""
        try:
            return _held(os.lstat(self._log(run)))
        except FileNotFoundError:
            return 0

    def remove(self, names: Iterable[str]) -> None:
        """By the names that `scan` gives."""
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self._places.directory}/logs/{name}")

    def remove_of(self, runs: Iterable[RunName]) -> tuple[int, int]:
        """How many there were, and their bytes."""
        sizes = []
        for run in runs:
            with contextlib.suppress(FileNotFoundError):
                path = self._log(run)
                size = _held(os.lstat(path))
                os.unlink(path)
                sizes.append(size)
        return len(sizes), sum(sizes)

    def shorten(self, run: RunName, keep_bytes: int) -> None:
        """Keep only the first and the last bytes of a log, with a gap between (RET-2)."""
        path = self._log(run)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return  # it has gone, or a task has put something else in its place
        try:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                _cut(descriptor, path, keep_bytes)
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # its age does not change
        finally:
            os.close(descriptor)

    def dead_journals(self) -> Iterator[tuple[str, Collection[RunName]]]:
        """Journals of supervisors that have ended: path, and the runs that it tells of."""
        for path in journals.list_journals(self._places.journals):
            if not journals.is_locked(path):
                _, records = journals.read_journal(path)
                runs = (parse_name(record[1]) for record in records)
                yield path, {run for run in runs if run is not None}

    def remove_journal(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def tidy(self, before_seconds: float) -> None:
        """Bound what supervisors say about themselves, and forget wishes that nobody saw before that instant."""
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(self._places.complaints, os.O_RDWR | os.O_CLOEXEC)
            try:
                cap_log(descriptor, _COMPLAINTS_BYTES)
            finally:
                os.close(descriptor)
        with contextlib.suppress(FileNotFoundError), os.scandir(f"{self._places.directory}/stops") as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < before_seconds:
                        os.unlink(entry.path)

    def pieces(self) -> Iterator[LogPiece]:
        """The data of all logs, as of the moment at which each is reached; gaps are left out."""
        for file in self.scan():
            if file.run is None:
                continue
            try:
                log = os.open(self._log(file.run), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                status = os.fstat(log)
                if stat.S_ISREG(status.st_mode):
                    for start, end in _data_of(log, status.st_size):
                        yield LogPiece(file.name, start, _read(log, start, end))
                    mode = stat.S_IMODE(status.st_mode)
                    yield LogPiece(file.name, None, (), status.st_size, mode, status.st_mtime_ns)
            finally:
                os.close(log)

    def put_back(self, pieces: Iterable[LogPiece]) -> int:
        """Write logs of a backup, except those that are there; how many."""
        self._places.make()
        folder = f"{self._places.directory}/logs"
        present = set(os.listdir(folder))
        count = 0
        for piece in pieces:
            if piece.name in present or _run_of(piece.name) is None:
                continue
            path = f"{folder}/{piece.name}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            log = os.open(path, flags, journals.CLAIMED_MODE)
            try:
                offset = piece.offset or 0
                for data in piece.data:
                    offset += os.pwrite(log, data, offset)
                if piece.offset is None:
                    os.ftruncate(log, piece.size)
                    os.fchmod(log, piece.mode & 0o600)
                    os.utime(log, ns=(piece.mtime_ns, piece.mtime_ns))
                    count += 1
            finally:
                os.close(log)
        return count

    def strangers(self) -> list[str]:
        """Names among the journals of what is no file, as a FIFO or a link."""
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self._places.journals) as entries:
            for entry in entries:
                if not entry.is_file(follow_symlinks=False):
                    found.append(entry.name)
        return sorted(found)

    def living_supervisors(self) -> list[tuple[int, str]]:
        """Supervisors that carry out a run now: pid (0: of another container) and the run's name."""
        found = []
        for path in journals.list_journals(self._places.journals):
            if journals.is_locked(path):
                pid, records = journals.read_journal(path)
                last = records[-1] if records else []
                if last and last[0] in ("claim", "spawned"):
                    found.append((pid, last[1]))
        return found

    def _log(self, run: RunName) -> str:
        return self._places.log(run_name(*run))


def _data_of(log: int, size: int) -> Iterator[tuple[int, int]]:
    """Beginning and end of each stretch of data before `size`."""
    end = 0
    while end < size:
        try:
            start = os.lseek(log, end, os.SEEK_DATA)
        except OSError:
            return  # nothing but a gap until the end
        if start >= size:
            return
        end = min(os.lseek(log, start, os.SEEK_HOLE), size)
        yield start, end


def _read(log: int, start: int, end: int) -> Iterator[bytes]:
    while start < end and (data := os.pread(log, min(_PIECE, end - start), start)):
        start += len(data)
        yield data


def _run_of(file_name: str) -> RunName | None:
    return parse_name(file_name.removesuffix(_LOG)) if file_name.endswith(_LOG) else None


def _held(status: os.stat_result) -> int:
    """Bytes of data: a short file takes a whole block, one with a gap takes less than its size."""
    return min(status.st_size, status.st_blocks * 512)


def _cut(descriptor: int, path: str, keep: int) -> None:
    try:
        cut_middle(descriptor, keep, keep)
    except OSError:
        _rewrite(descriptor, path, keep)  # this file system has no holes


def _rewrite(descriptor: int, path: str, keep: int) -> None:
    """Put a short file in the log's place; a line says what is missing."""
    size = os.fstat(descriptor).st_size
    if size <= 2 * keep + _MARK_BYTES:
        return
    gap = f"\n[{size - 2 * keep} bytes of the log were cut out here]\n".encode()
    short = f"{path}.{time.time_ns()}"
    with open(short, "xb", opener=lambda name, flags: os.open(name, flags, journals.CLAIMED_MODE)) as file:
        file.write(os.pread(descriptor, keep, 0) + gap + os.pread(descriptor, keep, size - keep))
    os.rename(short, path)
