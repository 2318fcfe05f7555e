"""Logs that are pushed to a server: whoever follows one until its run has ended has read all of it."""

from __future__ import annotations

import json
import select
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from checks.servers import Server, raw, serving
from executors.rooms import PATIENCE_SECONDS, Room
from retrofill.client.far_logs import LogsFirst, PushedLogs
from retrofill.client.transport import Transport
from retrofill.services.ports import Executor, RunEnd


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()


class Slow:
    """A server that takes logs once a test says so."""

    def __init__(self) -> None:
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.is_asked.set()
        self.may_answer.wait(PATIENCE_SECONDS)
        raw(json.dumps({"size": 1 << 30}).encode())(handler)


def pushed(room: Room, server: Server) -> Executor:
    logs = PushedLogs(Transport(server.url(""), "retrofill_token", connections=8))
    return logs.pushed(room.executor(), room.runs)


def ends_of(executor: Executor) -> list[RunEnd]:
    """The next ones."""
    while not (ends := executor.poll()):
        assert select.select([executor.fileno()], [], [], PATIENCE_SECONDS)[0]
    return ends


def test_an_end_is_told_after_its_log(room: Room) -> None:
    """OPS-10: it wakes its worker then; a run that has printed nothing waits for nobody."""
    slow = Slow()
    with serving(slow) as server:
        executor = pushed(room, server)
        silent, loud = room.spec("true"), room.spec("echo hello")
        executor.start([loud])
        assert select.select([executor.fileno()], [], [], PATIENCE_SECONDS)[0]
        while not slow.is_asked.is_set():
            assert executor.poll() == []
        executor.start([silent])
        assert [end.ref for end in ends_of(executor)] == [silent.ref]
        assert executor.poll() == []
        slow.may_answer.set()
        assert [end.ref for end in ends_of(executor)] == [loud.ref]
        assert isinstance(executor, LogsFirst)
        executor.close()


def test_an_end_does_not_wait_for_a_log_that_is_not_taken(room: Room) -> None:
    """RUN-3: the log comes later."""
    with serving(raw(b"{}", 503)) as server:
        executor = pushed(room, server)
        spec = room.spec("echo hello")
        executor.start([spec])
        assert [end.ref for end in ends_of(executor)] == [spec.ref]
        executor.close()
