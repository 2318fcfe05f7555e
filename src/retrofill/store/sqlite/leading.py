"""Who schedules a store that one machine has: a flock in its folder, which dies with its process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.services.ports.leadership import Leader, NotLeadingError
from retrofill.store.sqlite.locks import is_at

if TYPE_CHECKING:
    from retrofill.services.ports.ledger import Ledger

_AUTO, _BACKFILLS = "auto", "backfills"
_LONGEST = 128  # bytes that the file says


class FlockLeadership:
    """By `scheduler.lock` in a folder; the file says who holds it, since when, and what that one starts."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "scheduler.lock"
        self._descriptor: int | None = None

    def lead(self, auto: bool = False) -> bool:
        while not self._take(auto):
            if self.leader() is not None:
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
        what = _AUTO if auto else _BACKFILLS
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {what} {time.time_ns() // 1_000_000}".encode(), 0)
        self._descriptor = descriptor
        return True

    def renew(self) -> int | None:
        """The kernel sees to it."""
        return None

    def lost(self) -> str | None:
        """Where the folder was moved, the lock that is held is not that of the folder at this path (RUN-8)."""
        if self._descriptor is not None and is_at(self._descriptor, self._path):
            return None
        return f"the project is no longer at {self._path.parent.parent}"

    def check(self, tx: Ledger) -> None:
        why = self.lost()
        if why is not None:
            raise NotLeadingError(why)

    def leader(self) -> Leader | None:
        words = self._words()
        if words is None:
            return None
        pid, what, since = (*words, "", "", "")[:3]
        return Leader(
            host=os.uname().nodename,
            pid=int(pid) if pid.isdigit() else 0,
            since_ms=int(since) if since.isdigit() else None,
            starts_auto=what == _AUTO,
        )

    def _words(self) -> list[str] | None:
        """What the file says while somebody holds it."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.pread(descriptor, _LONGEST, 0).decode("ascii", "replace").split()
        finally:
            os.close(descriptor)
        return None

    def wish(self) -> None:
        """Of no effect: who waits here for a backfill leaves when it has ended, and a second scheduler does not wait."""

    def resign(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def serve(self) -> bool:
        """Whoever sees to the runs of the one machine leads."""
        return self._descriptor is not None

    def step_down(self) -> None:
        self.resign()
