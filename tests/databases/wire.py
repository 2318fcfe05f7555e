"""A wire between a store and its server: it counts what goes over it, and can be cut at a statement.

It reads the protocol as libpq speaks it without encryption: what a client sends are messages of a letter, a length
and a content, after a first one without a letter.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_PARSE, _BIND, _QUERY = b"P", b"B", b"Q"
_WAITS = (b"S", b"H", b"Q")  # sync, flush, a simple query: after these a client waits for an answer
_ANSWERED = b"COMMIT\0"  # the tag of what was done


@dataclass
class Wire:
    """What has gone over it since it was last `counted`.

    Args:
        url: of the database, as clients name it.
    """

    url: str
    waits: int = 0
    statements: list[str] = field(default_factory=list)
    cut_before: str | None = None  # the statement that does not reach the server any more, once
    swallows_commit: bool = False  # the server commits, and nobody hears of it, once

    def counted(self) -> tuple[int, list[str]]:
        """How often a client waited, and the statements, since this was asked last."""
        found = self.waits, self.statements
        self.waits, self.statements = 0, []
        return found


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    """A wire to the server of this URL."""
    parts = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@127.0.0.1:{listening.getsockname()[1]}"
        wire = Wire(urlunsplit(parts._replace(netloc=netloc, query="sslmode=disable&gssencmode=disable")))
        server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        accepting = threading.Thread(target=_accept, args=(listening, server, wire))
        accepting.start()
        try:
            yield wire
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listening: socket.socket, server: tuple[str, int], wire: Wire) -> None:
    ends: list[socket.socket] = []
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            ends += [client, socket.create_connection(server)]
            line = _Line(*ends[-2:], wire)
            for pump in (line.forth, line.back):
                threading.Thread(target=pump, daemon=True).start()
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


class _Line:
    """One connection of a client."""

    def __init__(self, client: socket.socket, server: socket.socket, wire: Wire) -> None:
        self._client, self._server, self._wire = client, server, wire
        self._texts: dict[bytes, str] = {}  # by the name of what was prepared
        self._has_asked = False  # since the client waited last
        self._is_committing = False

    def forth(self) -> None:
        with suppress(OSError), self._client.makefile("rb") as messages:
            length = messages.read(4)
            self._server.sendall(length + messages.read(int.from_bytes(length) - 4))
            while letter := messages.read(1):
                length = messages.read(4)
                content = messages.read(int.from_bytes(length) - 4)
                if self._note(letter, content):
                    break
                self._server.sendall(letter + length + content)
        self._cut()

    def _note(self, letter: bytes, content: bytes) -> bool:
        """Count a message; whether the wire is cut before it."""
        wire = self._wire
        text = self._text(letter, content)
        if letter in _WAITS and (self._has_asked or letter == _QUERY):
            wire.waits += 1
            self._has_asked = False
        if text is None:
            return False
        if letter != _PARSE:
            wire.statements.append(text)
            self._has_asked = letter == _BIND
        self._is_committing = text == "COMMIT" and wire.swallows_commit
        is_cut, wire.cut_before = (
            text == wire.cut_before,
            None if text == wire.cut_before else wire.cut_before,
        )
        return is_cut

    def _text(self, letter: bytes, content: bytes) -> str | None:
        if letter == _PARSE:
            name, text, _ = content.split(b"\0", 2)
            self._texts[name] = text.decode()
            return self._texts[name]
        if letter == _BIND:
            return self._texts[content.split(b"\0", 2)[1]]
        return content.rstrip(b"\0").decode() if letter == _QUERY else None

    def back(self) -> None:
        heard = b""
        with suppress(OSError):
            while data := self._server.recv(65_536):
                heard = (heard + data)[-100:]
                if self._is_committing:
                    if _ANSWERED in heard:
                        self._wire.swallows_commit = False
                        break
                    continue
                self._client.sendall(data)
        self._cut()

    def _cut(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
