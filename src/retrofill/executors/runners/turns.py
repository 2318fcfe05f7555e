"""Taking turns at a DuckDB file, which only one process can have open.

Whoever wants to open it waits at a lock file beside it, first come, first served. Programs
that do not know the lock are met by trying again.
"""

from __future__ import annotations

import fcntl
import os

RETRY_SECONDS = (0.005, 0.1)  # the first and the longest pause between two tries
_TAKEN = "Could not set lock on file"


def take_turn(path: str) -> int:
    """Wait for the lock of a database file; a descriptor that holds it until it is closed.

    Returns:
        -1 where no lock file can be made, as in a folder that cannot be written to.
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:
        descriptor = os.open(f"{folder}/.{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return -1
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def is_taken(error: Exception) -> bool:
    """Whether another process has the file open."""
    return _TAKEN in str(error)
