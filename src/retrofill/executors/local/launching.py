"""The executor's side of the launcher: starting it, and asking it for supervisors."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import retrofill
from retrofill import failpoints
from retrofill.domain.errors import Kind, RetrofillError, shown
from retrofill.executors.local.processes import MARK, MARK_BYTES
from retrofill.executors.logs.paths import RunPaths

_CONTROL_DESCRIPTOR = 3
_QUICK_DEATH_SECONDS = 5.0
_QUICK_DEATHS = 5
CODE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from retrofill.executors.local.launcher import main; main()"
_unreaped: set[int] = set()  # launchers that have been told to end


class LauncherError(RetrofillError):
    """Look into `executor.log` in the runs' folder, and at what {deployment.examine} finds."""

    code = "launcher"
    kind = Kind.BROKEN


class Launching:
    """A launcher that is started when it is first needed, and again when it has died.

    Args:
        open_files: how many files a task may have open.
        kind: of runs that its supervisors are warm for; empty for none.
    """

    def __init__(
        self,
        places: RunPaths,
        wake_socket: str,
        boot_id: str,
        base: Mapping[str, str],
        open_files: int,
        kind: str = "",
    ) -> None:
        self._places = places
        self._arguments = (places.directory, wake_socket, boot_id, kind, str(open_files))
        self._environment = {**base, MARK: " " * MARK_BYTES}
        self.used_at = time.monotonic()
        for key in (failpoints.POINTS, failpoints.SEED):
            if key in os.environ:
                self._environment[key] = os.environ[key]
        self._control: socket.socket | None = None
        self._pid = 0
        self._started_at = 0.0
        self._quick_deaths = 0

    def start(self) -> None:
        """Start the launcher, without waiting for it; for whoever knows that one will be needed."""
        if self._control is None:
            self._control = self._launch()

    def new_supervisor(self) -> socket.socket:
        """The socket of a supervisor that is being made; what is sent to it waits there.

        Raises:
            LauncherError: the launcher dies again and again.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            while True:
                self.start()
                assert self._control is not None
                try:
                    socket.send_fds(self._control, [b"s"], [theirs.fileno()])
                except (BrokenPipeError, ConnectionError):
                    self._note_death()
                else:
                    return ours

    @property
    def pid(self) -> int:
        """The launcher's process, 0 when there is none yet."""
        return self._pid

    def close(self) -> None:
        """Let the launcher end by itself."""
        if self._control is not None:
            self._control.close()
            self._control = None
            _unreaped.add(self._pid)
        _reap()

    def _note_death(self) -> None:
        was_quick = time.monotonic() - self._started_at < _QUICK_DEATH_SECONDS
        self._quick_deaths = self._quick_deaths + 1 if was_quick else 0
        self.close()
        if self._quick_deaths >= _QUICK_DEATHS:
            raise LauncherError(
                f"the launcher of tasks does not stay alive: {_last_line(self._places.complaints)}"
            )

    def _launch(self) -> socket.socket:
        _reap()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = str(Path(retrofill.__file__).resolve().parent.parent)
        failpoints.fail_point("fault.launch")
        complaints = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with theirs:
            # 3 comes last: until then it may be the descriptor that is copied.
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", CODE, root, *self._arguments],
                self._environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_OPEN, 2, self._places.complaints, complaints, 0o600),
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), _CONTROL_DESCRIPTOR),
                ],
                setsid=True,
            )
        self._started_at = time.monotonic()
        return ours


def _reap() -> None:
    for pid in [*_unreaped]:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        _unreaped.discard(pid)


def _last_line(path: str) -> str:
    try:
        with open(path, "rb") as file:
            lines = file.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
    except OSError as error:
        return str(error)
    return shown(lines[-1]) if lines else "it says nothing"
