"""Waking who waits on this machine: a datagram to a socket in the store's folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_WAKE = "wake.sock"


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
