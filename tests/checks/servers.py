"""HTTP servers on loopback that answer as a test says, and note what they were asked."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from retrofill.checks.webhooks import WebhookCheck, WebhookSurroundings

CERTIFICATE = Path(__file__).with_name("localhost.pem")  # for the name localhost, signed by itself
LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass
class Server:
    """A running server; `answers` are given one after the other, the last one again and again."""

    answers: list[Callable[[BaseHTTPRequestHandler], None]]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"] or 0))
        self.asked.append(Asked(handler.path, dict(handler.headers), body, handler.command))
        self.answers[min(len(self.asked), len(self.answers)) - 1](handler)


@contextmanager
def serving(*answers: Callable[[BaseHTTPRequestHandler], None], tls: bool = False) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    server = Server(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.handle(self)

        do_GET = do_PATCH = do_DELETE = do_POST

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.block_on_close = False
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        http.socket = context.wrap_socket(http.socket, server_side=True)
    server.port = http.server_port
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


# Answers


def says(result: object, message: object = "", status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    return raw(json.dumps({"result": result, "message": message}).encode(), status)


def raw(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """Closes the connection without a word."""
    handler.close_connection = True


def never_answers(handler: BaseHTTPRequestHandler) -> None:
    """Holds the connection until the other side closes it."""
    handler.connection.recv(1)
    handler.close_connection = True


def _drip(handler: BaseHTTPRequestHandler, start: bytes) -> None:
    handler.close_connection = True
    try:
        handler.wfile.write(start)
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        pass  # the other side has had enough


def drips_headers(handler: BaseHTTPRequestHandler) -> None:
    """One byte of a header at a time, so that no single read takes long."""
    _drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: ")


def drips_body(handler: BaseHTTPRequestHandler) -> None:
    """One byte of a body at a time."""
    _drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")


def floods(handler: BaseHTTPRequestHandler) -> None:
    """A body without an end."""
    handler.close_connection = True
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            handler.wfile.write(b" " * 65_536)
    except OSError:
        pass


class Clock:
    """Stands still."""

    def now_ms(self) -> int:
        return 1_700_000_000_123


def webhook(
    url: str,
    secret: str = "",
    timeout: float = 10,
    retries: int = 0,
    allow: tuple[str, ...] = LOOPBACK,
    secrets: Mapping[str, str] | None = None,
    pauses: list[float] | None = None,
) -> WebhookCheck:
    """A check that asks this address; notes pauses between attempts instead of making them."""
    noted: list[float] = [] if pauses is None else pauses
    around = WebhookSurroundings((secrets or {}).get, allow, Clock(), noted.append)
    return WebhookCheck("gate", url, secret, timeout, retries, around)
