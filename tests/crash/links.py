"""A link between a process and its server that can be cut and healed: a port of the loopback that hands everything on."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65_536


class Link:
    """To the server that a URL names.

    A link that is cut either refuses whoever comes and has ended what there was, as a machine does whose server is gone,
    or swallows all, as a firewall does.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0))
        user = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self._listening.getsockname()[1]}"))
        self._open = threading.Event()  # what comes is handed on
        self._open.set()
        self._refuses = False
        self._ends: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, *, silently: bool) -> None:
        if silently:
            self._open.clear()
        else:
            self._refuses = True
            self._end_all()

    def heal(self) -> None:
        """What was swallowed meanwhile is gone, and its connections with it."""
        if not self._open.is_set():
            self._end_all()
        self._refuses = False
        self._open.set()

    def close(self) -> None:
        self._refuses = True
        self._open.set()
        self._listening.close()
        self._end_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self._refuses:
                    client.close()
                else:
                    threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._server, 5)
        except OSError:
            client.close()
            return
        self._ends |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        self._ends -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if not self._open.is_set():
                    break
                target.sendall(data)
        if self._open.wait():
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _end_all(self) -> None:
        for end in [*self._ends]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
