"""Clients that send slowly, too much, or nothing: nobody holds a connection open for nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.servers import write_project
from retrofill.api.connections import Limits
from retrofill.api.serving import Server
from retrofill.bootstrap.deployment import open_deployment
from retrofill.bootstrap.listening import listen
from retrofill.web.app import make_site

PATIENCE = 60.0
SOON = 0.05  # seconds that a server waits here; what it then does is what is looked at
FOR_LONG = 600.0
PATIENT = Limits(
    head_seconds=FOR_LONG, body_seconds=FOR_LONG, idle_seconds=FOR_LONG, reading_seconds=FOR_LONG
)
ASK = b"GET /api/v1/backfills HTTP/1.1\r\nHost: x\r\n\r\n"

Connect = Callable[[], socket.socket]


@contextmanager
def served(home: Path, limits: Limits) -> Iterator[Connect]:
    """A server on a port of this machine, in a thread."""
    write_project(home)
    deployment = open_deployment(str(home), {})
    _ = deployment.store
    listener = listen("127.0.0.1", 0)
    address = listener.getsockname()
    ready = threading.Event()
    server = Server(make_site(deployment), ready.set, limits)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.create_connection(address, PATIENCE))
        return opened[-1]

    try:
        assert ready.wait(PATIENCE)
        yield connect
    finally:
        for one in opened:
            one.close()
        server.should_exit = True
        thread.join(PATIENCE)
        deployment.close()
    assert not thread.is_alive()


def to_end(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    found = b""
    try:
        while chunk := connection.recv(65536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def answered(connection: socket.socket) -> int:
    """The status of an answer to a request that is sent now."""
    connection.sendall(ASK)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    return status_of(answer)


def problem_of(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    found: dict[str, object] = json.loads(body)
    return found


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_who_says_nothing(tmp_path: Path, sent: bytes) -> None:
    """The connection is closed after a while."""
    with served(tmp_path, Limits(head_seconds=SOON)) as connect:
        connection = connect()
        connection.sendall(sent)
        assert to_end(connection) == b""


def test_a_head_that_does_not_come_to_an_end(tmp_path: Path) -> None:
    """Slow loris: a request begins and goes on for ever; it is answered with 408 in JSON."""
    with served(tmp_path, Limits(head_seconds=SOON)) as connect:
        connection = connect()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        assert problem_of(to_end(connection))["code"] == "request_timeout"


def test_a_head_that_drips(tmp_path: Path) -> None:
    """Slow loris: each byte buys no more time."""
    with served(tmp_path, Limits(head_seconds=SOON)) as connect:
        connection = connect()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        refused = b""
        connection.settimeout(SOON / 10)
        while not refused:
            try:
                connection.sendall(b"x")
                refused = connection.recv(65536)
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                refused = b"reset"
        assert refused == b"reset" or status_of(refused) == 408


def test_a_head_that_is_too_large(tmp_path: Path) -> None:
    """The parser itself would take a gigabyte."""
    with served(tmp_path, PATIENT) as connect:
        connection = connect()
        fields = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 1000) for number in range(100))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
        assert status_of(to_end(connection)) == 431


def test_a_head_that_grows_without_end(tmp_path: Path) -> None:
    """It is cut off long before it has come to an end."""
    with served(tmp_path, PATIENT) as connect:
        connection = connect()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        fields = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 1000) for number in range(100_000))
        with pytest.raises(OSError, match=r"(reset|[Bb]roken)"):
            connection.sendall(fields)


def test_a_body_that_does_not_come(tmp_path: Path) -> None:
    """The connection ends; its place is free."""
    with served(tmp_path, Limits(body_seconds=SOON)) as connect:
        connection = connect()
        connection.sendall(
            b"POST /api/v1/backfills/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc"
        )
        to_end(connection)


def test_a_connection_that_is_kept_and_not_used(tmp_path: Path) -> None:
    """Blank lines between requests are no use either."""
    with served(tmp_path, Limits(idle_seconds=SOON)) as connect:
        connection = connect()
        assert answered(connection) == 401
        connection.sendall(b"\r\n")
        to_end(connection)


def test_what_is_no_request(tmp_path: Path) -> None:
    """Answered with 400 in JSON: clients that speak nothing else read every answer."""
    with served(tmp_path, PATIENT) as connect:
        connection = connect()
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert problem_of(to_end(connection))["status"] == 400


def test_a_connection_that_asks_to_become_another_one(tmp_path: Path) -> None:
    """No web sockets: the request is answered as any other."""
    with served(tmp_path, PATIENT) as connect:
        connection = connect()
        connection.sendall(ASK[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert status_of(connection.recv(65536)) == 401


def test_where_there_are_too_many_the_oldest_that_ask_nothing_go(tmp_path: Path) -> None:
    """However many are opened, who has a question is answered."""
    most = 8
    with served(tmp_path, Limits(most_connections=most, head_seconds=FOR_LONG)) as connect:
        silent = [connect() for _ in range(3 * most)]
        asking = connect()
        assert answered(asking) == 401
        for connection in silent[: 2 * most]:
            assert to_end(connection) == b""
        assert [answered(connection) for connection in silent[-2:]] == [401, 401]


def test_requests_behind_each_other_on_one_connection(tmp_path: Path) -> None:
    """Limits stand in the way of nobody who keeps to the protocol."""
    with served(tmp_path, PATIENT) as connect:
        connection = connect()
        connection.sendall(ASK * 3)
        found = b""
        while found.count(b"HTTP/1.1 401") < 3:
            found += connection.recv(65536)
        assert answered(connection) == 401
