"""What open streams cost: 500 of them on one backfill that changes four times a second.

The clients are sockets of this process that count events; the server's processor time is read from the kernel.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from measuring import Line

_STREAMS, _SECONDS, _A_USER = 500, 20.0, 150
_TICKS = os.sysconf("SC_CLK_TCK")


def run(url: str, backfill: int, tokens: list[str], server: int) -> list[Line]:
    """While `pulse` ticks.

    Args:
        backfill: one of which something runs.
        tokens: of several users, because one may have only so many streams.
        server: its process.
    """
    with _open_all(f"{url}/api/v1/backfills/{backfill}/events", tokens) as clients:
        _read(clients, 2.0)  # the first events
        before, began = processor_seconds(server), time.perf_counter()
        events = _read(clients, _SECONDS)
        taken = time.perf_counter() - began
        busy = (processor_seconds(server) - before) / taken
    rate = events / _STREAMS / taken
    return [
        Line(
            f"{_STREAMS} streams, {rate:.1f} events a second each: share of a processor",
            f"{busy:.0%}",
            "at most 33 %",
            None,
            {"share": busy, "events": events, "us_an_event": 1e6 * busy * taken / max(events, 1)},
        )
    ]


def processor_seconds(pid: int) -> float:
    """What a process has used so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def _open_all(url: str, tokens: list[str]) -> Iterator[list[socket.socket]]:
    address = urlsplit(url)
    clients = []
    try:
        for number in range(_STREAMS):
            client = socket.create_connection((address.hostname, address.port or 80))
            client.sendall(
                f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Authorization: Bearer {tokens[number // _A_USER]}\r\nAccept: text/event-stream\r\n\r\n".encode()
            )
            clients.append(client)
        yield clients
    finally:
        for client in clients:
            client.close()


def _read(clients: list[socket.socket], seconds: float) -> int:
    """Events that came."""
    poll = select.epoll()
    by_number = {client.fileno(): client for client in clients}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    until, found = time.monotonic() + seconds, 0
    while (left := until - time.monotonic()) > 0:
        for number, _ in poll.poll(left):
            found += by_number[number].recv(1 << 16).count(b"event: change")
    poll.close()
    return found
