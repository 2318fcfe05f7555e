"""A server on a socket, and clients that read its streams, each event as it comes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from executors.rooms import wait_until

PATIENCE_SECONDS = 30.0  # of a test that hangs; none waits so long


@dataclass(frozen=True)
class Event:
    kind: str
    id: str
    data: Any


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The address of the application, served by a thread on a free port."""
    config = uvicorn.Config(app, port=0, log_level="warning", lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to listen")
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "it has stopped"
        socket.close()


class Stream:
    """One open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def next(self) -> Event:
        """The next event; what is no event, such as a sign of life, is passed over.

        Raises:
            StopIteration: the server has ended the stream.
        """
        fields: dict[str, str] = {}
        while True:
            line = next(self._lines)
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                return Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            else:
                fields = {}

    def rest(self) -> list[Event]:
        """All that is still told before it ends."""
        found = []
        try:
            while True:
                found.append(self.next())
        except StopIteration:
            return found


@contextmanager
def opened(url: str, token: str, since: str | None = None) -> Iterator[Stream]:
    """A stream of one user."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if since is not None:
        headers["Last-Event-ID"] = since
    # Certificates are not needed here, and to load them takes most of the time of a test with many streams.
    with (
        httpx.Client(verify=False, timeout=PATIENCE_SECONDS) as client,  # noqa: S501
        client.stream("GET", url, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)
