"""Taking turns at a DuckDB file, which only one process can have open.

Whoever wants to open it waits at a lock file beside it, first come, first served. Programs
that do not know the lock are met by trying again. The runner of python tasks imports this file by itself,
so it needs nothing of ours.
"""

from __future__ import annotations

import fcntl
import functools
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

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


def waiting(connect: Callable[..., Any]) -> Callable[..., Any]:
    """DuckDB's `connect`, which waits where it would say that another process has the file open.

    The first try takes no turn: whoever waits at the lock file may be waiting for this very process.
    """

    @functools.wraps(connect)
    def connect_in_turn(*args: Any, **keywords: Any) -> Any:
        turn = -1
        pause = RETRY_SECONDS[0]
        try:
            while True:
                try:
                    return connect(*args, **keywords)
                except Exception as error:
                    if not is_taken(error):
                        raise
                if turn < 0:
                    turn = take_turn(str(keywords.get("database", args[0] if args else "")))
                else:
                    time.sleep(pause)
                    pause = min(pause * 1.5, RETRY_SECONDS[1])
        finally:
            if turn >= 0:
                os.close(turn)

    return connect_in_turn
