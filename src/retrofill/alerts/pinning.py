"""Connections that go to the addresses that were judged, whatever a name stands for a moment later.

Apprise opens its connections itself, in threads of its own. While it sends to a host that was
judged, that name is looked up here and has the addresses that were judged; and it is reached
without a proxy of the environment, which would look the name up once more. Other names are
looked up as ever.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

_pins: dict[str, tuple[str, ...]] = {}
_one = threading.Lock()
_look_up = socket.getaddrinfo
_WITHOUT_PROXY = ("no_proxy", "NO_PROXY")


@contextmanager
def pinned(host: str, addresses: Sequence[str]) -> Iterator[None]:
    """Let `host` stand for these addresses only; one host at a time."""
    with _one:
        names = _names(host)
        before = {name: os.environ.get(name) for name in _WITHOUT_PROXY}
        direct = ",".join(sorted({*names, *addresses}))
        socket.getaddrinfo = _getaddrinfo
        _pins.update(dict.fromkeys(names, tuple(addresses)))
        for name, value in before.items():
            os.environ[name] = f"{value},{direct}" if value else direct
        try:
            yield
        finally:
            socket.getaddrinfo = _look_up
            _pins.clear()
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    addresses = _pins.get(_plain(name))
    if addresses is None:
        return _look_up(host, port, *args, **kwargs)
    return [found for address in addresses for found in _look_up(address, port, *args, **kwargs)]


def _names(host: str) -> set[str]:
    """A host as it is written, and as it is asked for."""
    names = {_plain(host)}
    with suppress(UnicodeError):
        names.add(_plain(host.encode("idna").decode("ascii")))
    return names


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()
