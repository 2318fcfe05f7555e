"""A mail server and a web server that keep what they are sent; real ones, on loopback."""

from __future__ import annotations

import email.policy
import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

PATIENCE = 30.0


class _AnyPort(Controller):
    """A controller that takes a free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailServer:
    """Accepts mails; `refuses` makes it answer 451 to every one."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[list[str], EmailMessage]] = queue.Queue()
        self.refuses = False
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0)

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=retrofill@example.com"

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        if self.refuses:
            return "451 the mailbox is locked"
        mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(envelope.content)
        self.received.put((envelope.rcpt_tos, mail))
        return "250 OK"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        if not self._controller.loop.is_closed():
            self._controller.stop()

    def mail(self) -> tuple[list[str], str, str]:
        """Recipients, subject and text of the next mail."""
        recipients, mail = self.received.get(timeout=PATIENCE)
        return recipients, str(mail["Subject"]), mail.get_content()


class Sink:
    """Accepts JSON posts. `answer` is asked for the status and the headers of each answer."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.answer: Callable[[], tuple[int, dict[str, str]]] = lambda: (200, {})
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.received.put((self.path, json.loads(body)))
                status, headers = sink.answer()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def post(self) -> tuple[str, Any]:
        """Path and document of the next post."""
        return self.received.get(timeout=PATIENCE)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def sink() -> Iterator[Sink]:
    server = Sink()
    server.start()
    try:
        yield server
    finally:
        server.stop()
