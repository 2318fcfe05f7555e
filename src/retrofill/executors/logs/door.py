"""The log door: over it the servers of a deployment read the logs that lie on a worker's machine, and nothing else.

`GET /logs/RUN?ask=read|tail|gaps&offset=&limit=&until=`, signed for that host, that run and a time by the door's own
clock with the key that the servers share: `until` (epoch seconds) may be a few minutes ahead at most. Each answer
says what the door's clock shows, so that one whose clock differs signs again. Contents are not encrypted: it belongs into a
network of the deployment's own.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from retrofill.domain.errors import UsageError, shown
from retrofill.executors.logs.names import parse_name
from retrofill.services.ports import RunRef
from retrofill.services.ports.logs import NoLogError

if TYPE_CHECKING:
    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.services.ports.logs import LogPart, Logs

PATH = "/logs/"
SIGNATURE, NOW = "Retrofill-Signature", "Retrofill-Now"
OFFSET, MISSING, SIZE = "Retrofill-Offset", "Retrofill-Missing", "Retrofill-Size"
MOST_BYTES = 1 << 20  # in one answer
AHEAD_SECONDS = 300  # that a signature may hold at most
_PURPOSE = "log-door"
_SILENT_SECONDS = 60  # after which a connection is closed
_AT_ONCE = 64  # connections


class LogDoorError(UsageError):
    """Name an address of this machine as HOST:PORT, with a port that is free."""

    code = "log_door"


def signed(key: ServerKey, host: str, run: str, until: int) -> str:
    """What lets a run's log be read on a host up to a time."""
    return key.sign(_PURPOSE, f"{host}\n{run}\n{until}")


class LogDoor:
    """Listens from when it is made until it is closed.

    Args:
        address: `HOST:PORT`, port 0 for any; without HOST: all addresses of this machine.
        host: the name that runs know this host by.
        now: epoch seconds.

    Raises:
        LogDoorError: it cannot listen there.
    """

    def __init__(
        self, address: str, logs: Logs, key: ServerKey, host: str, now: Callable[[], float] = time.time
    ) -> None:
        name, port = _parsed(address)
        self._server = _Server(name, port, logs, key, host, now)
        self._name = name
        self._thread = threading.Thread(target=self._server.serve_forever, name="log door", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where others reach it: the address that was named, or the machine's name."""
        name = self._name if self._name not in ("", "0.0.0.0", "::") else socket.gethostname()  # noqa: S104
        return f"http://{f'[{name}]' if ':' in name else name}:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a reader that stands still holds nobody up
    request_queue_size = 64

    def __init__(
        self, name: str, port: int, logs: Logs, key: ServerKey, host: str, now: Callable[[], float]
    ) -> None:
        self.logs, self.key, self.host, self.now = logs, key, host, now
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        if ":" in name:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((name, port), _Handler)
        except OSError as error:
            why = error.strerror or str(error)
            raise LogDoorError(f"logs cannot be served at {shown(f'{name}:{port}')}: {why}") from error

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that has gone is no trouble of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Retrofill", ""
    timeout = _SILENT_SECONDS
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name = parts.path.removeprefix(PATH)
        run = parse_name(name) if parts.path.startswith(PATH) else None
        asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if run is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif not self._may(name, asked.get("until", "")):
            self._refuse(HTTPStatus.FORBIDDEN)
        else:
            try:
                self._answer(RunRef(*run, ""), asked)
            except NoLogError:
                self._refuse(HTTPStatus.NOT_FOUND)
            except ValueError:
                self._refuse(HTTPStatus.BAD_REQUEST)

    def _may(self, name: str, until: str) -> bool:
        if not (until.isascii() and until.isdigit() and len(until) < 16):
            return False
        if not 0 <= int(until) - self.server.now() <= AHEAD_SECONDS:
            return False
        text = f"{self.server.host}\n{name}\n{int(until)}"
        return self.server.key.is_signed(_PURPOSE, text, self.headers.get(SIGNATURE, ""))

    def _answer(self, ref: RunRef, asked: dict[str, str]) -> None:
        """Raises ValueError where it is asked in a wrong form."""
        logs, ask = self.server.logs, asked.get("ask", "read")
        limit = min(_number(asked, "limit"), MOST_BYTES)
        if ask == "gaps":
            self._send(HTTPStatus.OK, json.dumps(logs.gaps(ref)).encode())
        elif ask == "tail":
            self._send_part(logs.read_tail(ref, limit))
        elif ask == "read":
            self._send_part(logs.read(ref, _number(asked, "offset"), limit))
        else:
            raise ValueError(ask)

    def _send_part(self, part: LogPart) -> None:
        about = {OFFSET: part.offset, MISSING: part.missing, SIZE: part.size}
        self._send(HTTPStatus.OK, part.data, {key: str(value) for key, value in about.items()})

    def _refuse(self, status: HTTPStatus) -> None:
        self._send(status, b"")

    def _send(self, status: HTTPStatus, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header(NOW, str(int(self.server.now())))
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(ConnectionError, TimeoutError):
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads of it."""


def _parsed(address: str) -> tuple[str, int]:
    name, colon, port = address.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise LogDoorError(f"{shown(address)} is no address of the form HOST:PORT")
    return name.removeprefix("[").removesuffix("]"), int(port)


def _number(asked: dict[str, str], key: str) -> int:
    text = asked.get(key, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(key)
    return int(text)
