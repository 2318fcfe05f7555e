"""Waking who waits on this machine: a datagram to a socket in the store's folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_WAKE = "wake.sock"
ANYTHING, ENDED = b"w", b"e"  # what may have changed: anything; only that runs have ended elsewhere


class WakeSocket:
    """Where the scheduler hears that something has changed."""

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

    def drain(self) -> bool:
        """Forget what was sent; whether it was anything but `ENDED`."""
        has_news = False
        with contextlib.suppress(BlockingIOError):
            while True:
                has_news = self._socket.recv(64) != ENDED or has_news
        return has_news

    def close(self) -> None:
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_WAKE, dir_fd=self._directory)
        os.close(self._directory)


def wake(directory: Path, what: bytes = ANYTHING) -> None:
    """Wake the scheduler if one listens; nothing is lost if none does."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            import socket

            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(what, f"/proc/self/fd/{descriptor}/{_WAKE}")
        finally:
            os.close(descriptor)
