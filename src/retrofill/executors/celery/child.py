"""Celery beside a worker: started by it, watched, started again when it dies, ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from retrofill.executors.celery.program import HOME, PARENT

_CONCURRENCY = 4  # tasks at once: offers that one exchange names
_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 1.0, 30.0
_LONG_SECONDS = 60.0  # one that has lived so long was no failure of starting
_AS_ROOT = (
    "ignore:You're running the worker with superuser privileges"  # that is about pickle, which it refuses
)
_LEAVE_SECONDS, _LOOK_SECONDS = 5.0, 0.02


class CeleryChild:
    """One Celery worker, in a session of its own so that all of it can be ended.

    Args:
        home: of the worker, where its socket is.
        groups: resource groups whose queues it consumes.
        say: tells people.
    """

    def __init__(self, home: Path, groups: Sequence[str], say: Callable[[str], None]) -> None:
        self._home = home
        self._groups = groups
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = 0.0
        self._is_ending = False

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def see_to(self, *, is_wanted: bool) -> None:
        """Called again and again: start it, start it again, or let it end, without waiting."""
        if self._process is not None and _has_ended(self._process.pid):
            self._bury(self._process)
        if self._process is None:
            if is_wanted and time.monotonic() >= self._started_at + self._pause:
                self._start()
        elif not is_wanted and not self._is_ending:
            self._is_ending = True
            self._process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """End it now, with its pool."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _LEAVE_SECONDS
        while not _has_ended(process.pid) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        _kill_all(process)

    def _start(self) -> None:
        self._started_at, self._is_ending = time.monotonic(), False
        environment = {
            **os.environ,
            HOME: str(self._home),
            PARENT: str(os.getpid()),
            "PYTHONWARNINGS": _AS_ROOT,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "celery", "-A", "retrofill.executors.celery", "--quiet", "worker",
             "--queues", ",".join(self._groups), "--concurrency", str(_CONCURRENCY), "--loglevel", "WARNING",
             "--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", f"retrofill-{os.getpid()}@%h"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, start_new_session=True,
        )  # fmt: skip

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        """It is dead; what is left of its pool is ended, so that it does not go on beside the next one's."""
        status = _kill_all(process)
        self._process = None
        lived = time.monotonic() - self._started_at
        longer = min(max(2 * self._pause, _RETRY_SECONDS), _LONGEST_RETRY_SECONDS)
        self._pause = _RETRY_SECONDS if lived > _LONG_SECONDS else longer
        if not self._is_ending:
            self._say(f"Celery has ended ({status}) and starts again; offers are found without it meanwhile.")


def _has_ended(pid: int) -> bool:
    """Without taking note of it: its number, which names the group, is nobody else's until then."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_all(process: subprocess.Popen[bytes]) -> int:
    """End a session's processes; how its first one ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
