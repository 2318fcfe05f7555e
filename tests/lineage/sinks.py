"""A lineage service on this machine that keeps what is posted to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 30.0


class Sink:
    """`events` in the order in which they came; `answers` are statuses to give first, 201 afterwards."""

    def __init__(self, answers: list[int]) -> None:
        self.events: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.attempts = 0
        self._answers = answers
        self._changed = threading.Condition()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = sink.take(self.path, json.loads(body), self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, event: dict[str, Any], key: str | None) -> int:
        with self._changed:
            self.attempts += 1
            status = self._answers.pop(0) if self._answers else 201
            if status < 300:
                assert path == "/api/v1/lineage"
                self.events.append(event)
                self.keys.append(key)
            self._changed.notify_all()
            return status

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """The events, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, PATIENCE), self.events
            return list(self.events)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def sink(*answers: int) -> Iterator[Sink]:
    made = Sink(list(answers))
    try:
        yield made
    finally:
        made.close()
