"""Locks that are waited for in a queue, but not for ever, and by name: above all that of every writer of a store.

A flock queues who waits for it, which is fair, and cannot be given a time limit. So where it is taken,
a thread of its own waits, on an open file of its own: if it comes too late, nobody else is concerned.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from retrofill.domain.errors import StoreBusyError, shown

PATIENCE_SECONDS = 30.0
_WORDS = 3  # of a command line
_LONGEST_WORD = 40


class WriteLock:
    """Held by one transaction at a time, over all processes."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            OSError: the file cannot be made or opened.
        """
        self.path = path
        self._own = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._held = -1

    def acquire(self, seconds: float | None = None) -> None:
        """Wait for the lock.

        Raises:
            StoreBusyError: somebody has held it for all that time; names who.
        """
        try:
            fcntl.flock(self._own, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._held = self._own
        except BlockingIOError:
            patience = PATIENCE_SECONDS if seconds is None else seconds
            self._held = wait_for_turn(self._own, patience, "writing to the store")

    def release(self) -> None:
        if self._held == self._own:
            fcntl.flock(self._own, fcntl.LOCK_UN)
        else:
            os.close(self._held)
        self._held = -1

    def does_lock(self) -> bool:
        """Whether the lock, which is held, keeps others out: some file systems only say so."""
        other = _reopened(self._own)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(other)
        return False

    def close(self) -> None:
        os.close(self._own)


def wait_for_turn(descriptor: int, seconds: float, doing: str) -> int:
    """Wait for the flock of an open file; another descriptor of it, which holds the lock.

    Args:
        doing: what its holder does, for the sentence.

    Raises:
        StoreBusyError: somebody has held it for all that time; names who.
    """
    turn = _Turn(_reopened(descriptor))
    if not turn.wait(seconds):
        raise StoreBusyError(f"{holder_in_words(descriptor)} has been {doing} for {seconds:.0f} seconds")
    return turn.descriptor


def _reopened(descriptor: int) -> int:
    """The same file, opened once more, wherever it is called by now."""
    return os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_CLOEXEC)


class _Turn:
    """A thread's place in the queue; `descriptor` holds the lock once the turn has come."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._lock = threading.Lock()
        self._is_given_up = False
        self._has_come = threading.Event()
        threading.Thread(target=self._queue, name="lock", daemon=True).start()

    def _queue(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        with self._lock:
            if self._is_given_up:
                os.close(self.descriptor)
            else:
                self._has_come.set()

    def wait(self, seconds: float) -> bool:
        try:
            self._has_come.wait(seconds)
        except BaseException:
            self._give_up()
            raise
        return self._has_come.is_set() or not self._give_up()

    def _give_up(self) -> bool:
        """False if the turn has come after all; who gives up then lets go."""
        with self._lock:
            self._is_given_up = not self._has_come.is_set()
            return self._is_given_up


def holder_of(descriptor: int) -> int | None:
    """The process that holds the flock of a file, as the kernel lists it; None where nobody can tell."""
    wanted = str(os.fstat(descriptor).st_ino)
    try:
        with open("/proc/locks", encoding="ascii", errors="replace") as locks:
            for line in locks:
                fields = line.split()
                if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == wanted:
                    return int(fields[4]) if fields[4].isdigit() and fields[4] != "0" else None
    except OSError:
        pass
    return None


def holder_in_words(descriptor: int) -> str:
    """Who holds the flock of a file, for a sentence."""
    pid = holder_of(descriptor)
    if pid is None:
        return "another process"
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            arguments = file.read().decode("utf-8", "replace").split("\0")
        with open(f"/proc/{pid}/stat", "rb") as file:
            state = file.read().rpartition(b") ")[2][:1]
    except OSError:
        return f"process {pid}"
    names = [os.path.basename(word) for word in arguments if word and not word.startswith("-")]
    if len(names) > 1 and names[0].startswith("python"):
        names = names[1:]
    name = shown(" ".join(word[:_LONGEST_WORD] for word in names[:_WORDS]))
    stands = ", which is stopped (`kill -CONT` lets it go on)," if state in (b"T", b"t") else ""
    return f"process {pid} ({name}){stands}"
