"""Who does what with a store right now: flocks that die with their process, and the wake-up call."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WAKE = "wake.sock"
CREATING_PATIENCE_SECONDS = 60.0


class SchedulerLock:
    """Held by the one scheduler of a store, for as long as it lives; tells the holder's pid and what it starts."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "scheduler.lock"
        self._descriptor: int | None = None

    def acquire(self, auto: bool = False) -> bool:
        """Take the lock if nobody has it.

        Args:
            auto: whether this scheduler starts auto triggered instances too.
        """
        while not self._take(auto):
            if self.holder() is not None:
                return False
            # Somebody has only looked who holds it, and has let go by now.
        return True

    def _take(self, auto: bool) -> bool:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}{' auto' if auto else ''}".encode(), 0)
        self._descriptor = descriptor
        return True

    def holder(self) -> int | None:
        """The pid of the process that holds the lock, None if nobody does."""
        words = self._holder()
        if words is None:
            return None
        return int(words[0]) if words and words[0].isdigit() else 0

    def starts(self, auto: bool) -> bool:
        """Whether a scheduler runs that starts backfill instances, or auto triggered ones if `auto`."""
        words = self._holder()
        return words is not None and (not auto or "auto" in words)

    def _holder(self) -> list[str] | None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.pread(descriptor, 32, 0).decode("ascii", "replace").split()
        finally:
            os.close(descriptor)
        return None

    def is_in_place(self) -> bool:
        """Whether the lock that is held is still the one of the folder at that path: it may have been moved (RUN-8)."""
        return self._descriptor is not None and _is_at(self._descriptor, self._path)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class WakeSocket:
    """Where the scheduler hears that something has changed. What is sent does not matter."""

    def __init__(self, directory: Path) -> None:
        self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        import socket  # looking at the store needs none

        self._socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_WAKE, dir_fd=self._directory)
        # Through the descriptor, because a socket's path may have only 107 bytes.
        self._socket.bind(f"/proc/self/fd/{self._directory}/{_WAKE}")

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> None:
        """Forget what was sent."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(64)

    def close(self) -> None:
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_WAKE, dir_fd=self._directory)
        os.close(self._directory)


def wake(directory: Path) -> None:
    """Wake the scheduler if one listens; nothing is lost if none does."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            import socket

            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(b"w", f"/proc/self/fd/{descriptor}/{_WAKE}")
        finally:
            os.close(descriptor)


@contextmanager
def creating(
    directory: Path, what: int | str, patience_seconds: float = CREATING_PATIENCE_SECONDS
) -> Iterator[None]:
    """Show others that this process is creating a backfill (by id) or a generation; one after the other.

    Raises:
        StoreBusyError: somebody else has created it for so long; names who.
    """
    path = _creating_path(directory, what)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            descriptor = _locked(descriptor, patience_seconds)
            if not _is_at(descriptor, path):
                continue  # while this one waited, who had the lock removed the file
            yield
            path.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def _locked(descriptor: int, patience_seconds: float) -> int:
    """The descriptor, or where it had to be waited for another one of the same file, which holds the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        from retrofill.store.sqlite.waiting import wait_for_turn

        turn = wait_for_turn(descriptor, patience_seconds, "creating instances")
        os.close(descriptor)
        return turn
    return descriptor


def is_being_created(directory: Path, what: int | str) -> bool:
    """Whether the process that creates it is alive."""
    path = _creating_path(directory, what)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(descriptor, path):  # else it is another's by now
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one at this path; only who has locked it may remove it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _creating_path(directory: Path, what: int | str) -> Path:
    return directory / f"creating.{what}.lock"
