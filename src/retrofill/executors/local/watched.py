"""What an executor watches: its own supervisors, others' runs, and what dead supervisors have left."""

from __future__ import annotations

import socket

from retrofill.executors.local.remains import Remains
from retrofill.services.ports import RunRef

_ANSWER_BYTES = 8192


class Supervised:
    """A supervisor of our own, and the run that it carries out."""

    __slots__ = ("idle_since", "kind", "launcher", "pid", "ref", "socket")

    def __init__(self, connection: socket.socket, kind: str, launcher: int) -> None:
        self.socket = connection
        self.kind = kind  # of runs that it carries out itself
        self.launcher = launcher  # pid of the one that forks it
        self.pid = 0  # until it has been born
        self.ref: RunRef | None = None
        self.idle_since = 0.0


class Adopted:
    """A run whose supervisor is an earlier scheduler's. Readable when that one has ended.

    Without a pidfd, because the supervisor lives in another container, only its lock tells.
    """

    __slots__ = ("journal", "pid", "pidfd", "ref")

    def __init__(self, ref: RunRef, pid: int, pidfd: int | None, journal: str) -> None:
        self.ref = ref
        self.pid = pid
        self.pidfd = pidfd
        self.journal = journal


class Sweep:
    """A run whose supervisor died: its processes are being ended. Readable when one of them has."""

    __slots__ = ("clean_looks", "pidfd", "ref", "remains")

    def __init__(self, ref: RunRef, remains: Remains) -> None:
        self.ref = ref
        self.remains = remains
        self.pidfd = -1
        self.clean_looks = 0


def receive_answer(connection: socket.socket) -> bytes | None:
    """An answer; empty at the end, None where there is none yet.

    An order that its reader left unread is an error at the end, which comes before the last answer.
    """
    for _ in range(2):
        try:
            return connection.recv(_ANSWER_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            continue
    return b""
