"""Connections that nobody can hold open for nothing: the limits that uvicorn does not have.

Everything that is waited for from a client has a time: the head of a request, its body, the next request, and that an
answer is read. Where there are too many connections, the one that has been waited for longest goes; a request that is
being answered never does.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.events import TimerHandle
from dataclasses import dataclass
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server puts up with; seconds and bytes."""

    most_connections: int = 4096
    head_seconds: float = 10.0
    body_seconds: float = 120.0
    idle_seconds: float = 75.0  # longer than proxies keep connections, so that these end them
    reading_seconds: float = 60.0  # in which a client has to read on
    head_bytes: int = 64 * 1024


class LimitedState(ServerState):
    """What all connections of a server share."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.waited_for: dict[Connection, None] = {}  # longest first

    def make_room(self) -> None:
        """End what has been waited for longest, as long as there are too many."""
        while len(self.connections) > self.limits.most_connections and self.waited_for:
            connection = next(iter(self.waited_for))
            connection.drop()


class Connection(HttpToolsProtocol):
    """One connection of one client."""

    server_state: LimitedState

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limits = self.server_state.limits
        self._waiting: TimerHandle | None = None
        self._reading: TimerHandle | None = None
        self._head_bytes = 0  # of a head that is not complete
        self._is_in_request = False
        self._refusal = HTTPStatus.BAD_REQUEST
        self._wait(self._limits.head_seconds)
        self.server_state.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        self._stop_reading_timer()
        super().connection_lost(exc)

    def drop(self) -> None:
        """End it at once, whatever was on its way."""
        self._settle()
        self.connections.discard(self)
        self.transport.abort()

    # What is waited for

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_request and self._head_bytes >= 0:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes and not self.transport.is_closing():
                self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_request, self._head_bytes = True, 0
        self._wait(self._limits.head_seconds)

    def on_headers_complete(self) -> None:
        self._head_bytes = -1
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self._limits.head_bytes:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError("the head of a request is too large")
        super().on_headers_complete()
        self._wait(self._limits.body_seconds)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_request = False
        self._settle()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()  # it would end with the first byte of whatever comes
        if not self._is_in_request and not self.pipeline and not self.transport.is_closing():
            self._wait(self._limits.idle_seconds)

    def _wait(self, seconds: float) -> None:
        self._settle()
        self.server_state.waited_for[self] = None
        self._waiting = self.loop.call_later(seconds, self._give_up)

    def _settle(self) -> None:
        """Nothing is waited for any more."""
        self.server_state.waited_for.pop(self, None)
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if self._is_in_request and (self.cycle is None or self.cycle.response_complete):
            self._refusal = HTTPStatus.REQUEST_TIMEOUT
            self.send_400_response("")
        else:
            self.drop()

    # Answers

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self.loop.call_later(self._limits.reading_seconds, self.drop)

    def resume_writing(self) -> None:
        self._stop_reading_timer()
        super().resume_writing()

    def _stop_reading_timer(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request: also here an answer is JSON."""
        status = self._refusal
        body = json.dumps(
            {
                "type": f"urn:retrofill:error:{status.name.lower()}",
                "title": status.phrase,
                "status": status.value,
                "detail": "this is no request that can be read",
                "code": status.name.lower(),
            }
        ).encode()
        self._settle()
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (status.value, status.phrase.encode(), len(body), body)
        )
        self.transport.close()
