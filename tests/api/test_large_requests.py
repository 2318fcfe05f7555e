"""Requests that cost their sender little: what they make the server do, and what it answers and notes, is bounded."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from api.servers import Server, problem
from retrofill.api.faults import FaultLog
from retrofill.api.guarding import MOST_BYTES
from retrofill.api.intake import LARGE, MOST_LEVELS, JsonRequest, texts_of
from retrofill.api.links import PREFIX
from retrofill.api.requests import MOST_IDS
from retrofill.api.routes import versions
from retrofill.bootstrap.bringing import BroughtFile, read_files
from retrofill.domain.errors import LimitError, UnknownNameError
from retrofill.project.problems import ProjectError, Report
from retrofill.project.yaml_nodes import MAX_EVENTS, compose
from retrofill.services.catalogs.deploy import find_past_task, find_task
from work import calls

PLAN = f"{PREFIX}/backfills/plan"


def nested(levels: int) -> Any:
    found: Any = "open.first"
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize("levels", [MOST_LEVELS, 900])
def test_what_is_nested_deeply_is_refused(
    shared_server: Server, levels: int, caplog: pytest.LogCaptureFixture
) -> None:
    """With a problem, and no word in the log."""
    refused = problem(shared_server.by("dave").post(PLAN, json={"task": nested(levels)}), 400)
    assert "50 levels" in refused["detail"]
    assert not caplog.records


def test_what_is_nested_a_little_is_told_where_it_is_wrong(shared_server: Server) -> None:
    refused = problem(shared_server.by("dave").post(PLAN, json={"task": nested(MOST_LEVELS - 1)}), 422)
    assert refused["errors"][0]["at"] == "body.task.0"


def test_texts_are_found_with_work_that_grows_with_them() -> None:
    """The same number of texts costs the same, however deep they lie."""
    flat, deep = ["x"] * 4_000, [nested(MOST_LEVELS - 5)] * 100
    assert calls(lambda: list(texts_of(flat))) < 20 * len(flat)
    assert calls(lambda: list(texts_of(deep))) < 20 * 100 * MOST_LEVELS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fall(levels: int, words: str) -> None:
    if levels:
        fall(levels - 1, words)
    raise RuntimeError(words)


def test_a_bug_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Its last frames, ten times a minute; then how many were left out."""
    clock = Clock()
    faults = FaultLog(logging.getLogger("test"), clock)
    for _ in range(50):
        with pytest.raises(RuntimeError) as raised:
            fall(400, "x" * 100_000)
        faults.note("POST /x", raised.value)
    assert len(caplog.records) == 10
    text = caplog.records[0].getMessage()
    assert text.startswith("POST /x\n")
    assert "in fall" in text
    assert "RuntimeError: xxx" in text
    assert text.count('File "') <= 20
    assert len(text) < 10_000
    clock.now = 60
    faults.note("GET /y", raised.value)
    assert caplog.records[-1].getMessage().startswith("GET /y (40 like it")


def test_a_bug_is_noted_once(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing beneath the application is told of it, which would note all of it."""

    @server.app.get("/falls")
    def falls() -> None:
        fall(400, "x")

    server.app.router.routes.insert(0, server.app.router.routes.pop())
    found = TestClient(server.app, raise_server_exceptions=True).get("/falls")
    assert (found.status_code, found.json()["code"]) == (500, "bug")
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage().count('File "') <= 20


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/instances/states", {f"k{i}": 1 for i in range(70_000)}),
        ("/instances/states", {"ids": ["x"] * 90_000}),
        ("/instances/states", {"ids": [1], "x" * 900_000: 1}),
        ("/instances/stop", {"ids": [-1] * 9_000}),
        ("/backfills/plan", {"task": ["x" * 900_000]}),
        ("/backfills/plan", {"task": [1] * 90_000}),
        ("/backfills/plan", {"descendants": "x" * 900_000, "task": ["open.first"]}),
        ("/backfills/plan", {"name": "x" * 900_000, "task": ["open.first"], "bizdate": ["x"]}),
        ("/tasks/freeze", {"tasks": ["x" * 900_000]}),
        ("/versions/plan", {"files": [{"path": 1}] * 9_000}),
    ],
)
def test_an_answer_is_small_whatever_was_sent(shared_server: Server, path: str, body: dict[str, Any]) -> None:
    """Some problems are told, and nothing that was sent is sent back at length."""
    answer = shared_server.by("alice").post(PREFIX + path, json=body)
    refused = problem(answer, 422)
    assert len(refused.get("errors", [])) <= 20
    assert len(answer.content) < 20_000


def test_a_body_is_small_unless_a_route_takes_more(shared_server: Server) -> None:
    """A megabyte; as many ids as a question takes find room in it."""
    assert MOST_BYTES <= 1_000_000
    states = f"{PREFIX}/instances/states"
    found = shared_server.by("dave").post(states, content=json.dumps({"ids": [*range(100_000)]}))
    assert found.status_code == 422  # its type is missing
    headers = {"Content-Type": "application/json"}
    ids = json.dumps({"ids": [*range(100_000)]}, separators=(",", ":"))
    assert shared_server.by("dave").post(states, content=ids, headers=headers).json()["items"] == []
    problem(shared_server.by("dave").post(states, content=b" " * (MOST_BYTES + 1), headers=headers), 413)


def bodies_read(server: Server, user: str, path: str) -> tuple[int, int]:
    """The status of a POST, and how often its body was asked for."""
    read = []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        read.append(1)
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    token = server.by(user).headers["Authorization"].encode()
    headers = [(b"content-type", b"application/json"), (b"authorization", token)]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode()}
    asyncio.run(server.app({**scope, "query_string": b"", "headers": headers}, receive, send))
    return sent[0]["status"], len(read)


@pytest.mark.parametrize("path", ["/versions", "/versions/plan"])
@pytest.mark.parametrize("user", ["bob", "carol", "dave"])
def test_who_may_deploy_nothing_brings_nothing(shared_server: Server, path: str, user: str) -> None:
    """SEC-4: no file of theirs is read; a workspace's administrator is asked for more."""
    assert bodies_read(shared_server, user, PREFIX + path) == (403, 0)
    assert bodies_read(shared_server, "greta", PREFIX + path) == (422, 1)


@pytest.mark.parametrize("path", ["/versions", "/versions/plan"])
def test_files_of_few_are_read_at_the_same_time(shared_server: Server, path: str) -> None:
    """Others are told to come back, before anything of theirs is in memory; a turn ends with its request."""
    for _ in range(5):
        assert bodies_read(shared_server, "alice", PREFIX + path) == (422, 1)
    with versions.TURNS, versions.TURNS:
        assert bodies_read(shared_server, "alice", PREFIX + path) == (503, 0)
        refused = shared_server.by("alice").post(PREFIX + path, json={})
        assert problem(refused, 503)["code"] == "server_busy"
        assert int(refused.headers["Retry-After"]) > 0
    assert bodies_read(shared_server, "alice", PREFIX + path) == (422, 1)


PROJECT = [BroughtFile("retrofill.yaml", b"project: test\n")]


@pytest.mark.parametrize(
    "files",
    [
        [BroughtFile("workspaces/open/" + "a/" * 900 + "x", b"")],
        [BroughtFile("workspaces/open/" + "x" * 1_200, b"")],
        [BroughtFile(f"workspaces/open/{i}/{'a/' * 20}x", b"") for i in range(1_000)],
        [BroughtFile(f"workspaces/w{i}/workspace.yaml", b" " * 3_000_000) for i in range(4)],
    ],
)
def test_a_project_makes_few_folders_and_little_yaml(files: list[BroughtFile]) -> None:
    """Nothing is written before all of it is seen to fit."""
    with pytest.raises(LimitError):
        read_files(PROJECT + files, None)


def test_a_yaml_file_is_read_up_to_so_many_values() -> None:
    """What comes behind is not looked at: it would be told to be no YAML."""
    report = Report()
    assert compose("w.yaml", b"x: [" + b"a," * MAX_EVENTS + b"@", report) is None
    with pytest.raises(ProjectError, match="more than 800,000 keys and values"):
        report.raise_if_any()


def test_a_batch_takes_so_many_ids(shared_server: Server) -> None:
    body = {"ids": [*range(MOST_IDS + 1)]}
    problem(shared_server.by("alice").post(f"{PREFIX}/instances/stop", json=body), 422)


@pytest.mark.parametrize(("size", "is_beside"), [(10, False), (LARGE + 1, True)])
def test_large_bodies_are_read_beside_the_event_loop(size: int, is_beside: bool) -> None:
    """And judged there: who sends one holds up nobody else."""
    threads = []

    def judge(data: Any) -> tuple[Any, list[Any]]:
        threads.append(threading.current_thread())
        return data, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"[" + b" " * size + b"1]", "more_body": False}

    async def read() -> Any:
        return await JsonRequest(Request({"type": "http"}, receive), judge).json()

    assert asyncio.run(read()) == [1]
    assert [thread is not threading.main_thread() for thread in threads] == [is_beside]


def test_who_may_operate_nothing_is_refused_at_once(shared_server: Server) -> None:
    """SEC-4: whatever ids they send, none is read, and so nothing is told of what there is (SEC-2)."""
    assert bodies_read(shared_server, "dave", f"{PREFIX}/instances/stop") == (403, 0)
    assert bodies_read(shared_server, "carol", f"{PREFIX}/instances/stop") == (422, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"now": "0001-01-01T00:00:00+14:00"},
        {"now": "9999-12-31T23:59:59-12:00"},
        {"now": "9999-12-31T00:00:00Z"},
    ],
)
def test_a_moment_outside_of_calendars(shared_server: Server, body: dict[str, Any]) -> None:
    """Is a mistake of who asks."""
    asked = {"task": ["open.first"], "bizdate": ["2026-01-05"], **body}
    assert problem(shared_server.by("alice").post(PLAN, json=asked), 422)["errors"][0]["at"] == "body.now"


@pytest.mark.parametrize("bizdate", ["0001-01-01", "9999-12-30", "9999-12-31"])
def test_the_last_date_of_calendars_is_not_rendered(shared_server: Server, bizdate: str) -> None:
    path = f"{PREFIX}/tasks/open.first/render"
    refused = problem(shared_server.by("alice").get(path, params={"bizdate": bizdate}), 422)
    assert "calendars" in refused["detail"]


@pytest.mark.parametrize("find", [find_task, find_past_task])
@pytest.mark.parametrize("digits", [20, 5_000])
def test_a_task_of_many_digits_is_unknown(shared_server: Server, find: Any, digits: int) -> None:
    """SEL-5: as any other that there is not; Python reads no number of so many."""
    with pytest.raises(UnknownNameError) as refused:
        find(shared_server.deployment.in_force(), {"a.b": 7}, "9" * digits)
    assert len(refused.value.message) < 60


def test_an_id_is_the_same_with_zeros_before_it(shared_server: Server) -> None:
    asked = shared_server.by("alice")
    assert asked.get(f"{PREFIX}/tasks/0001").json() == asked.get(f"{PREFIX}/tasks/1").json()
    assert asked.get(f"{PREFIX}/tasks/1").status_code == 200
