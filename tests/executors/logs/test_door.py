"""The log door lets in who has the key, to one run of one host for a short time; who asks bears with what may go wrong."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from retrofill.domain.people.server_keys import ServerKey
from retrofill.executors.local.adoption import name_of
from retrofill.executors.logs import door
from retrofill.executors.logs.door import LogDoor, LogDoorError, signed
from retrofill.executors.logs.fetching import LogDoors
from retrofill.executors.logs.paths import RunPaths
from retrofill.executors.logs.reading import LogFolder
from retrofill.executors.logs.routing import RoutedLogs
from retrofill.services.ports import RunRef
from retrofill.services.ports.logs import LogAwayError, NoLogError

KEY, OTHER = ServerKey(b"k" * 32), ServerKey(b"x" * 32)
REF = RunRef(7, 1, "0a1b2c3d4e5f", "boot")
NAME = name_of(REF)
HOUR = 3600
T = 1_800_000_000


class There:
    """Another host with one log, and its door."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        RunPaths(str(runs)).make()
        self.write(b"hello\n")
        self.door: LogDoor | None = None

    def write(self, data: bytes) -> None:
        Path(RunPaths(str(self.runs)).log(NAME)).write_bytes(data)

    def open(self, address: str = "127.0.0.1:0", now: Callable[[], float] = lambda: T) -> LogDoor:
        self.door = LogDoor(address, LogFolder(self.runs), KEY, "there", now)
        return self.door

    def close(self) -> None:
        if self.door is not None:
            self.door.close()
            self.door = None


@pytest.fixture
def there(tmp_path: Path) -> Iterator[There]:
    made = There(tmp_path / "there")
    yield made
    made.close()


def ask(url: str, path: str, signature: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={door.SIGNATURE: signature})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def path_of(run: str = NAME, until: int = T + 60, more: str = "&limit=100") -> str:
    return f"/logs/{run}?until={until}{more}"


def test_who_is_let_in(there: There) -> None:
    """SEC-2: only with a signature for this host, this run and this time."""
    url = there.open().url
    assert ask(url, path_of(), signed(KEY, "there", NAME, T + 60)) == (200, b"hello\n")


@pytest.mark.parametrize(
    ("signature", "path"),
    [
        ("", path_of()),
        ("0" * 64, path_of()),
        (signed(OTHER, "there", NAME, T + 60), path_of()),
        (signed(KEY, "elsewhere", NAME, T + 60), path_of()),
        (signed(KEY, "there", "8.1.0a1b2c3d4e5f", T + 60), path_of()),
        (signed(KEY, "there", NAME, T + 61), path_of()),
        (signed(KEY, "there", NAME, T - 1), path_of(until=T - 1)),
        (signed(KEY, "there", NAME, T + HOUR), path_of(until=T + HOUR)),
        (signed(KEY, "there", NAME, T + 60), f"/logs/{NAME}?until=later"),
        (signed(KEY, "there", NAME, T + 60), f"/logs/{NAME}"),
    ],
)
def test_who_is_not(there: There, signature: str, path: str) -> None:
    """SEC-2: another key, host, run or time, or none."""
    assert ask(there.open().url, path, signature) == (403, b"")


@pytest.mark.parametrize("path", ["/", "/logs/", "/logs/../../etc/passwd", "/logs/7.1.a%2Fb", "/metrics"])
def test_there_is_nothing_else(there: There, path: str) -> None:
    """SEC-2: one kind of path, and no file by its name."""
    assert ask(there.open().url, path, signed(KEY, "there", NAME, T + 60)) == (404, b"")


@pytest.mark.parametrize(
    "more", ["&ask=write", "&limit=-1", "&limit=1e3", "&offset=x", "&offset=" + "9" * 30]
)
def test_what_is_asked_wrongly(there: There, more: str) -> None:
    status, data = ask(there.open().url, path_of(more=more), signed(KEY, "there", NAME, T + 60))
    assert (status, data) == (400, b"")


def test_one_answer_is_not_long(there: There) -> None:
    """OPS-10: a log of any size is read piece by piece, whatever limit is named."""
    there.write(b"x" * (door.MOST_BYTES + 5))
    doors = LogDoors(lambda: KEY)
    url = there.open().url
    part = doors.read("there", url, REF, 0, 10**9)
    assert (len(part.data), part.size) == (door.MOST_BYTES, door.MOST_BYTES + 5)
    assert doors.read("there", url, REF, part.next_offset, 10**9).data == b"x" * 5


@pytest.mark.parametrize("away", [-HOUR, 0, HOUR])
def test_a_clock_that_is_an_hour_off(there: There, away: int) -> None:
    """TIME-8: the door's own clock counts, and it says what it shows."""
    import time

    url = there.open(now=lambda: time.time() + away).url
    doors = LogDoors(lambda: KEY)
    assert [doors.read("there", url, REF, 0, 100).data for _ in range(2)] == [b"hello\n"] * 2


def test_another_key(there: There) -> None:
    """SEC-2: it is said what is wrong."""
    with pytest.raises(
        LogAwayError, match=r"lies on there, whose log door .* refuses, so it has another key"
    ):
        LogDoors(lambda: OTHER).read("there", there.open().url, REF, 0, 100)


def test_a_host_that_does_not_answer_is_left_alone_for_a_moment(there: There) -> None:
    """OPS-10: a page with many of its logs waits once; afterwards it is asked again."""
    now = 1000.0
    doors = LogDoors(lambda: KEY, lambda: now)
    opened = there.open()
    url, address = opened.url, urlsplit(opened.url).netloc
    there.close()
    with pytest.raises(LogAwayError, match="does not answer: Connection refused"):
        doors.read("there", url, REF, 0, 100)
    there.open(address)
    with pytest.raises(LogAwayError, match="does not answer: Connection refused"):
        doors.read("there", url, REF, 0, 100)
    now += 60
    assert doors.read("there", url, REF, 0, 100).data == b"hello\n"


def test_a_door_that_was_opened_anew(there: There) -> None:
    """OPS-10: a connection that was kept is made anew, without a word."""
    doors = LogDoors(lambda: KEY)
    opened = there.open()
    url, address = opened.url, urlsplit(opened.url).netloc
    assert doors.read("there", url, REF, 0, 100).data == b"hello\n"
    there.close()
    there.open(address)
    assert doors.read("there", url, REF, 0, 100).data == b"hello\n"


class Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_another_server_at_its_address() -> None:
    """SEC-2: what answers as no door is believed in nothing."""
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(LogAwayError, match=r"answers as no log door does \(status 200\)"):
            LogDoors(lambda: KEY).read("there", url, REF, 0, 100)
        with pytest.raises(LogAwayError, match=r"answers as no log door does \(status 200\)"):
            LogDoors(lambda: KEY).gaps("there", url, REF)
        server.shutdown()


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:x", "127.0.0.1:70000", "203.0.113.7:1"])
def test_an_address_at_which_nothing_can_listen(there: There, address: str) -> None:
    with pytest.raises(LogDoorError):
        there.open(address)


def test_a_port_that_is_taken(there: There) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LogDoorError, match=f"at 127.0.0.1:{port}: Address already in use"):
            there.open(f"127.0.0.1:{port}")


# Where a log is looked for


class Shelf:
    """Logs that have this text, or none, or cannot be asked."""

    def __init__(self, text: bytes | Exception) -> None:
        self.text = text

    def read(self, ref: RunRef, *where: int) -> object:
        if isinstance(self.text, Exception):
            raise self.text
        return self.text

    read_tail = gaps = read


class Known:
    """What the ledger says of runs and hosts."""

    def __init__(self, host: str | None, logs_at: str) -> None:
        self.host, self.logs_at, self.asked = host, logs_at, 0

    def host_of(self, ref: RunRef) -> str | None:
        self.asked += 1
        return self.host

    def door_of(self, host: str) -> str:
        return self.logs_at


NOTHING, AWAY = NoLogError("nothing here"), LogAwayError("the storage cannot be reached")
CLOSED = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("own", "host", "logs_at", "storage", "found"),
    [
        (b"own", "there", CLOSED, b"stored", b"own"),
        (NOTHING, "there", CLOSED, b"stored", b"stored"),
        (NOTHING, "there", "", b"stored", b"stored"),
        (NOTHING, "here", "", b"stored", b"stored"),
        (NOTHING, None, "", None, "nothing here"),
        (NOTHING, "here", "", NOTHING, "nothing here"),
        (NOTHING, "there", CLOSED, NOTHING, "does not answer"),
        (NOTHING, "there", CLOSED, None, "does not answer"),
        (NOTHING, "there", "", None, "the log lies on there, which serves none"),
        (NOTHING, "there", "", AWAY, "the storage cannot be reached"),
    ],
)
def test_who_is_asked_in_which_order(
    own: object, host: str | None, logs_at: str, storage: object, found: object
) -> None:
    """OPS-10: beside the reader, the host, the storage; of those that have none, who could not be asked says why."""
    shelf = None if storage is None else Shelf(storage)
    logs = RoutedLogs(Shelf(own), "here", Known(host, logs_at), LogDoors(lambda: KEY), shelf)  # type: ignore[arg-type]
    for asked in (lambda: logs.read(REF, 0, 10), lambda: logs.read_tail(REF, 10), lambda: logs.gaps(REF)):
        if isinstance(found, bytes):
            assert asked() == found
        else:
            with pytest.raises(NoLogError, match=str(found)):
                asked()


def test_where_a_run_lives_is_asked_until_it_is_known() -> None:
    """RUN-2: a run that nobody has claimed lives nowhere; one that was claimed stays where it is."""
    places = Known(None, "")
    logs = RoutedLogs(Shelf(NOTHING), "here", places, LogDoors(lambda: KEY), Shelf(b"stored"))  # type: ignore[arg-type]
    for _ in range(2):
        logs.read(REF, 0, 10)
    assert places.asked == 2
    places.host = "there"
    for _ in range(3):
        logs.read(REF, 0, 10)
    assert places.asked == 3
