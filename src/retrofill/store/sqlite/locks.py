"""Who creates what in a store right now: flocks that die with their process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CREATING_PATIENCE_SECONDS = 60.0


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
            if not is_at(descriptor, path):
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
        if is_at(descriptor, path):  # else it is another's by now
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one at this path; only who has locked it may remove it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _creating_path(directory: Path, what: int | str) -> Path:
    return directory / f"creating.{what}.lock"
