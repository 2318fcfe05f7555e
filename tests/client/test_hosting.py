"""A worker asks a server: what it takes for passing, what for the last word, and how it is called."""

from __future__ import annotations

import json
import select
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from checks.servers import Asked, Server, hangs_up, raw, serving
from retrofill.client.hosting import HttpEar, HttpHosting, HttpLogs
from retrofill.client.transport import Transport
from retrofill.domain.errors import StoreUnavailableError
from retrofill.executors.logs.keeping import KeptLogs
from retrofill.executors.logs.paths import RunPaths
from retrofill.executors.logs.reading import LogFolder
from retrofill.services.ports import RunEnd, RunRef
from retrofill.services.ports.hosting import Exchange, HostRefusedError, HostStatus
from retrofill.services.ports.logs import LogPart, NoLogError

STATUS = HostStatus("etl-1", "boot", "etl-1", "pull", ("etl",), 4, "1", "/srv", "python3")
REF = RunRef(7, 1, "token", "boot")
EMPTY = {"starts": [], "stops": [], "over": [], "is_draining": False, "lost_after_ms": 1, "left": 0}
Answer = Callable[[BaseHTTPRequestHandler], None]


def fine(document: object) -> Answer:
    return raw(json.dumps(document).encode())


def problem(status: int, kind: str, code: str = "odd") -> Answer:
    document = {"title": "No", "detail": "it cannot be", "code": code, "kind": kind, "hint": "Do it."}
    return raw(json.dumps(document).encode(), status)


def asking(server: Server) -> Transport:
    return Transport(server.url(""), "retrofill_token")


@pytest.mark.parametrize(
    "answer",
    [
        problem(503, "unavailable"),
        problem(503, "unreachable"),
        problem(429, "too_often"),
        problem(500, "broken"),
        raw(b"<html>Bad Gateway", 502),
        raw(b"no JSON"),
        hangs_up,
    ],
)
def test_what_may_pass(answer: Answer) -> None:
    """RUN-3: the worker goes on, asks again by itself, and is asked once meanwhile: an exchange is not repeated."""
    with serving(answer) as server:
        with pytest.raises(StoreUnavailableError):
            HttpHosting(asking(server)).exchange(STATUS, Exchange(0))
        assert len(server.asked) == 1
    with pytest.raises(StoreUnavailableError, match="nothing listens there"):
        HttpHosting(asking(server)).own(STATUS)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (problem(401, "not_signed_in", "token_ended"), "it cannot be"),
        (problem(403, "not_permitted", "scope_too_small"), "it cannot be"),
        (problem(409, "wrong_state", "host_refused"), "it cannot be"),
        (
            problem(404, "unknown", "not_found"),
            "the server does not understand this worker, which is of Retrofill",
        ),
        (
            problem(422, "usage", "bad_request"),
            "the server does not understand this worker, which is of Retrofill",
        ),
    ],
)
def test_what_is_refused_for_good(answer: Answer, said: str) -> None:
    """RUN-9: a token that was revoked, another one's host, a server of another version."""
    with serving(answer) as server, pytest.raises(HostRefusedError, match=said):
        HttpHosting(asking(server)).exchange(STATUS, Exchange(0))


def test_ends_can_be_told_whatever_they_say() -> None:
    """A message may hold what no JSON and no store takes, or go on and on."""
    end = RunEnd(REF, "not_started", None, None, None, 1.5, "no file \udcff\0" + "x" * 20_000)
    with serving(fine(EMPTY)) as server:
        HttpHosting(asking(server)).exchange(STATUS, Exchange(0, ends=[end]))
        sent = json.loads(server.asked[0].body)["ends"][0]["message"]
    assert sent.startswith("no file ?\ufffdxxx")
    assert len(sent) == 10_000


def test_a_file_of_a_version_is_what_it_should_be() -> None:
    """CAT-9."""
    sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    with serving(raw(b"hello"), raw(b"hellx"), problem(404, "unknown")) as server:
        hosting = HttpHosting(asking(server))
        assert hosting.content(sha256) == b"hello"
        with pytest.raises(StoreUnavailableError, match="broken"):
            hosting.content(sha256)
        with pytest.raises(KeyError):
            hosting.content(sha256)


def test_a_call_wakes_and_is_heard_once_by_each_server() -> None:
    """RUN-9: answers carry marks, which are sent again; without a call nobody wakes; trouble is waited out."""
    with serving(
        fine({"mark": "aa.1", "is_called": False}),
        fine({"mark": "bb.7", "is_called": False}),
        fine({"mark": "aa.2", "is_called": True}),
        fine({"mark": "aa.2", "is_called": False}),
    ) as server:
        ear = HttpEar(asking(server), "etl-1", ["etl", "gpu"])
        assert select.select([ear.fileno()], [], [], 30)[0]
        ear.drain()
        assert not select.select([ear.fileno()], [], [], 0)[0]
        ear.close()
        first, second, third = (asked.path.partition("?")[2] for asked in server.asked[:3])
    assert first == "host=etl-1&group=etl&group=gpu&seconds=25.0"
    assert second == f"{first}&mark=aa.1"
    assert third == f"{first}&mark=aa.1&mark=bb.7"


# Logs


class Keeping:
    """A server that keeps logs."""

    def __init__(self, folder: Path) -> None:
        self.kept = KeptLogs(folder, lambda: 0)
        self.asked: list[Asked] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        body: dict[str, Any] = json.loads(self.asked[-1].body)
        run = body["run"]
        ref = RunRef(run["instance_id"], run["run_number"], run["token"], run["boot_id"])
        part = LogPart(body["offset"], b64decode(body["base64"]), body["missing"], 0)
        fine({"size": self.kept.keep(ref, part)})(handler)


@pytest.mark.parametrize("pushed", [None, 0, 5, 700_000])
def test_a_log_arrives_whole(tmp_path: Path, pushed: int | None) -> None:
    """OPS-10: however much was pushed while it grew, and by whom; pieces are as small as a server takes them."""
    there, here = tmp_path / "there", tmp_path / "here"
    RunPaths(str(there)).make()
    data = bytes(i % 253 for i in range(1_000_000))
    Path(RunPaths(str(there)).log("7.1.token")).write_bytes(data)
    source, keeping = LogFolder(there), Keeping(here)
    with serving(keeping) as server:
        keeping.asked = server.asked
        logs = HttpLogs(asking(server), "etl-1")
        if pushed is not None:
            logs.put(REF, source.read(REF, 0, pushed))
        logs.complete(REF, source, is_first=pushed is None)
        assert max(len(asked.body) for asked in server.asked) < 1_000_000
    assert LogFolder(here).read(REF, 0, 2_000_000).data == data


def test_an_empty_log_is_one(tmp_path: Path) -> None:
    """Who looks at it finds that nothing was printed, and not that nobody knows."""
    there, here = tmp_path / "there", tmp_path / "here"
    RunPaths(str(there)).make()
    Path(RunPaths(str(there)).log("7.1.token")).touch()
    keeping = Keeping(here)
    with serving(keeping) as server:
        keeping.asked = server.asked
        HttpLogs(asking(server), "etl-1").complete(REF, LogFolder(there), is_first=True)
    assert LogFolder(here).read(REF, 0, 1).size == 0


def test_a_log_that_cannot_be_pushed(tmp_path: Path) -> None:
    """RUN-9: later, where the server has no room or is away; never, where it knows no such run."""
    RunPaths(str(tmp_path)).make()
    Path(RunPaths(str(tmp_path)).log("7.1.token")).write_bytes(b"hello")
    with serving(problem(503, "unavailable"), problem(404, "unknown")) as server:
        logs = HttpLogs(asking(server), "etl-1")
        with pytest.raises(OSError, match="it cannot be"):
            logs.complete(REF, LogFolder(tmp_path), is_first=True)
        with pytest.raises(NoLogError):
            logs.complete(REF, LogFolder(tmp_path), is_first=True)
