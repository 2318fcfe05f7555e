"""Journals: what a supervisor has durably said about its runs, one line per record.

Fields are separated by tabs. `claim` is written before the log is created, and the log is
created with O_EXCL: so a run may have started only where there are both a claim and a log
that is no tombstone. `spawned` names the main process. `exit` comes last; what it says is final. The header names
the file itself, so that the pids in a copy of it mean nothing. A supervisor holds a flock on
its journal for as long as it lives (and its command, until it has been executed).

    supervisor  1  BOOT_ID  PID  PID_NAMESPACE  DEVICE:INODE
    claim       NAME  STARTED
    spawned     NAME  PID  START_TIME
    refused     NAME
    exit        NAME  OUTCOME  EXIT_CODE|-  SIGNAL|-  STARTED|-  ENDED  MESSAGE
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from typing import NamedTuple

SUFFIX = ".journal"
ROLL_BYTES = 1 << 20
CLAIMED_MODE = 0o600  # of the log that a supervisor has created
TOMBSTONE_MODE = 0o400  # of a log that was created so that no supervisor can start the run any more
_LONGEST_MESSAGE = 500
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO in its place holds nobody up


class Exit(NamedTuple):
    """How a run ended; see RunEnd for the meaning of the fields."""

    name: str
    outcome: str
    exit_code: int | None
    signal: int | None
    started_at: float | None
    ended_at: float
    message: str


class Entry(NamedTuple):
    """What the journals know of one run."""

    path: str
    pid: int
    is_locked: bool
    exit: Exit | None
    main: tuple[int, int] | None = None  # the main process's pid and start time


def format_exit(record: Exit) -> bytes:
    """The `exit` line; a message becomes one line of bounded length."""
    message = " ".join(record.message.split())[:_LONGEST_MESSAGE] if record.message else ""
    exit_code = "-" if record.exit_code is None else record.exit_code
    number = "-" if record.signal is None else record.signal
    started = "-" if record.started_at is None else f"{record.started_at:.6f}"
    line = f"exit\t{record.name}\t{record.outcome}\t{exit_code}\t{number}\t{started}\t{record.ended_at:.6f}\t{message}\n"
    return line.encode("utf-8", "backslashreplace")


def parse_exit(line: str) -> Exit | None:
    """The record of an `exit` line without its line break, None for any other line."""
    fields = line.split("\t")
    if fields[0] != "exit" or len(fields) != 8:
        return None
    _, name, outcome, exit_code, number, started, ended, message = fields
    return Exit(
        name,
        outcome,
        None if exit_code == "-" else int(exit_code),
        None if number == "-" else int(number),
        None if started == "-" else float(started),
        float(ended),
        message,
    )


class Journal:
    """A supervisor's own journal; its file is made with the first record. All methods raise OSError."""

    def __init__(self, directory: str, boot_id: str) -> None:
        self._directory = directory
        self._boot_id = boot_id
        self._descriptor = -1
        self._size = 0
        self._is_torn = False  # the last record is not whole
        self.is_dirty = False  # something was written since the last sync

    def claim(self, name: bytes, started_at: float) -> None:
        if self._size > ROLL_BYTES:
            self.sync()
            self._open()
        self._append(b"claim\t%b\t%.6f\n" % (name, started_at))

    def spawned(self, name: bytes, pid: int, start_time: int) -> None:
        self._append(b"spawned\t%b\t%d\t%d\n" % (name, pid, start_time))

    def refuse(self, name: bytes) -> bytes:
        """Note that somebody else has the claim; the line."""
        line = b"refused\t%b\n" % name
        self._append(line)
        return line

    def exit(self, line: bytes) -> None:
        self._append(line)

    def sync(self) -> None:
        """Let what was written survive a crash of the machine; one of a process it survives anyway."""
        if self.is_dirty:
            os.fdatasync(self._descriptor)
            self.is_dirty = False

    def _append(self, line: bytes) -> None:
        if self._descriptor < 0:
            self._open()
        if self._is_torn:
            line = b"\n" + line
        written = os.write(self._descriptor, line)
        self._size += written
        self.is_dirty = True
        self._is_torn = written != len(line)
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _open(self) -> None:
        """Begin a file. It is locked before it gets its name, and the one before stays locked until then."""
        path = os.path.join(self._directory, f"{time.time_ns()}.{os.getpid()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            own = _identity(os.fstat(descriptor))
            header = f"supervisor\t1\t{self._boot_id}\t{os.getpid()}\t{pid_namespace()}\t{own}\n".encode()
            if os.write(descriptor, header) != len(header):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.rename(path, path + SUFFIX)
            _sync_directory(self._directory)
        except OSError:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._size = len(header)
        self._is_torn = False


def _identity(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}"


def pid_namespace() -> int:
    """Which numbering of processes this one lives in."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def list_journals(directory: str) -> list[str]:
    """Paths of the journals, oldest first; whatever else lies there under such a name is left alone."""
    names = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
    except FileNotFoundError:
        return []
    return [os.path.join(directory, name) for name in sorted(names)]


def is_locked(path: str) -> bool:
    """Whether the supervisor of a journal lives, or its command is about to be executed."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read_journal(path: str) -> tuple[int, list[list[str]]]:
    """The supervisor's pid (0: not of this numbering of processes, or a copied file) and the whole records."""
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, _READ)) as file:
            text = file.read()
            own = _identity(os.fstat(file.fileno()))
    except FileNotFoundError:
        return 0, []
    lines = text[: text.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")
    records = [line.split("\t") for line in lines]
    header = records[0] if records else []
    known = len(header) == 6 and header[0] == "supervisor" and header[4:] == [str(pid_namespace()), own]
    return (int(header[3]) if known else 0), [r for r in records[1:] if len(r) > 1]


def find_runs(directory: str, names: set[str]) -> dict[str, Entry]:
    """What the journals say about these runs; runs without a claim are left out.

    The lock is looked at before the file is read, so an entry that is neither locked nor
    has an exit will never get one.
    """
    found: dict[str, Entry] = {}
    for path in list_journals(directory):
        locked = is_locked(path)
        pid, records = read_journal(path)
        for name, entry in _entries(path, pid, locked, records):
            if name in names and (name not in found or found[name].exit is None):
                found[name] = entry
    return found


def _entries(path: str, pid: int, locked: bool, records: list[list[str]]) -> Iterator[tuple[str, Entry]]:
    claimed: dict[str, Entry] = {}
    for record in records:
        kind, name = record[0], record[1]
        if kind == "claim":
            claimed[name] = Entry(path, pid, locked, None)
        elif kind == "spawned" and name in claimed and pid and len(record) == 4:
            claimed[name] = claimed[name]._replace(main=(int(record[2]), int(record[3])))
        elif kind == "refused":
            claimed.pop(name, None)
        elif kind == "exit":
            claimed[name] = Entry(path, pid, locked, parse_exit("\t".join(record)))
    yield from claimed.items()


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
