"""The server as a process: where it listens, how long it goes on, and what it puts up with."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from retrofill.api.connections import Connection, LimitedState, Limits

_RESERVED_FILES = 512  # of the store, logs, and what answering needs
_LEAVE_SECONDS = 5
# That answer requests. Each holds some 3 MB, and more than two that compute only wait for each other; the others are for
# what takes long.
_THREADS = 12


def serve(
    app: FastAPI,
    listener: socket.socket,
    on_ready: Callable[[], None],
    limits: Limits | None = None,
) -> None:
    """Answer requests until TERM or an interrupt; what is being answered is seen through, for some seconds.

    Args:
        app: what answers them.
        on_ready: called when requests are answered.
    """
    server = Server(app, on_ready, limits or Limits(most_connections=_affordable()))
    server.run([listener])


class Server(uvicorn.Server):
    """Uvicorn with limits, and an end that is no death by a signal."""

    def __init__(self, app: FastAPI, on_ready: Callable[[], None], limits: Limits) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # what strangers send fills no log
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # what a client claims of itself; the public address is a setting
                timeout_graceful_shutdown=_LEAVE_SECONDS,
            )
        )
        self.server_state = app.state.connections = LimitedState(limits)
        self._on_ready = on_ready
        self._hub, self._workers = app.state.hub, app.state.workers

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        current_default_thread_limiter().total_tokens = _THREADS
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.close()  # else those who listen would be waited for
        self._workers.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the base does, but whoever is asked to leave has ended well."""
        if threading.current_thread() is not threading.main_thread():
            yield  # no signal comes there
            return
        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _affordable() -> int:
    """How many connections there are file descriptors for; raises the limit as far as may be."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    usual = Limits().most_connections
    files = usual + _RESERVED_FILES if hard == resource.RLIM_INFINITY else min(usual + _RESERVED_FILES, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - _RESERVED_FILES, files // 2)
