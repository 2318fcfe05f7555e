"""What workers ask of a server with tokens of their own (decision 0039), and what these do not open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.servers import Server, problem, serving
from databases import postgres
from retrofill.api.workers import Workers
from retrofill.bootstrap.engine import Engine
from retrofill.domain.people.scopes import Scope

AT = "/api/v1/hosting/1"
GROUPS = "{}\nresource_groups: {etl: {slots: 4, executor: pull}, default: {slots: 4, executor: pull}}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres.rows() as url:
        home = tmp_path_factory.mktemp("hosting")
        with serving(home, GROUPS, {"RETROFILL_STORE": url}) as server:
            yield server


@pytest.fixture
def worker(served: Server) -> TestClient:
    """With a token for the groups of this deployment."""
    return of_groups(served, "default", "etl")


def of_groups(served: Server, *groups: str) -> TestClient:
    people = served.center("admin").people
    client = served.anybody
    secret = people.create_token("admin", scope=Scope.WORKER, resource_groups=groups)["token"]
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def status(name: str = "far-1", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "boot_id": "boot",
        "label": "far",
        "executor": "pull",
        "groups": ["default"],
        "slots": 4,
        "version": "0.1.0",
        "folder": "/srv/project",
        "interpreter": "python3",
    } | changes


def offer(served: Server, **given: Any) -> int:
    """The id of a backfill of which something is offered now."""
    backfill_id = served.create(**given)
    leadership = served.deployment.leadership()
    assert leadership.lead()
    Engine(served.deployment, leadership).run(lambda _: is_offered(served))
    leadership.resign()
    return backfill_id


def is_offered(served: Server) -> bool:
    with served.deployment.store.read() as reader:
        return bool(reader.hosting.waiting())


def test_a_round(served: Server, worker: TestClient) -> None:
    """RUN-9: claims, and reports; a request that comes again does nothing more."""
    offer(served, bizdate=("2026-01-05",))
    asked = {"status": status(), "now_ms": 0, "free": 4}
    (start,) = worker.post(f"{AT}/exchange", json=asked).json()["starts"]
    assert (start["name"], start["code"]) == ("open.first", "true")
    assert start["working_directory"] == "/srv/project/workspaces/open"
    assert start["environment"]["day"] == "20260105"
    assert worker.post(f"{AT}/exchange", json=asked).json()["starts"] == []
    assert worker.post(f"{AT}/own", json={"status": status()}).json()["items"] == [
        {"run": start["run"], "on_lost": False}
    ]
    piece = {"host": "far-1", "run": start["run"], "offset": 0, "base64": "aGVsbG8K"}
    assert worker.post(f"{AT}/log", json=piece).json() == {"size": 6}
    end = {"run": start["run"], "outcome": "exited", "exit_code": 0, "ended_at": 1.0}
    for _ in range(2):
        assert worker.post(f"{AT}/exchange", json={**asked, "ends": [end]}).status_code == 200
    with served.deployment.store.transaction() as tx:
        (report,) = tx.hosting.take_reports()
    assert (report.instance_id, report.outcome, report.exit_code) == (
        start["run"]["instance_id"],
        "exited",
        0,
    )
    log = served.center("admin").instances.log(start["run"]["instance_id"])
    assert not isinstance(log, str)
    assert [data for _, _, data in log.pieces()] == [b"hello\n"]


def test_who_asks_in_anothers_name(served: Server, worker: TestClient) -> None:
    """SEC-1: refused, and nothing of it is done."""
    worker.post(f"{AT}/exchange", json={"status": status("mine"), "now_ms": 0})
    other = of_groups(served, "default", "etl")
    for path, body in (
        ("exchange", {"status": status("mine"), "now_ms": 0}),
        ("own", {"status": status("mine")}),
        ("leave", {"status": status("mine")}),
        (
            "log",
            {
                "host": "mine",
                "run": {"instance_id": 1, "run_number": 1, "token": "x"},
                "offset": 0,
                "base64": "",
            },
        ),
    ):
        assert problem(other.post(f"{AT}/{path}", json=body), 409)["code"] == "host_refused"
    refused = other.get(f"{AT}/call", params={"host": "mine", "group": "default", "seconds": 0})
    assert problem(refused, 409)["code"] == "host_refused"
    narrow = of_groups(served, "etl")
    assert (
        "not for default" in problem(narrow.post(f"{AT}/own", json={"status": status("new")}), 409)["detail"]
    )


def test_a_workers_token_opens_nothing_else(served: Server, worker: TestClient) -> None:
    """SEC-1: no operation, no page, no form, no numbers; what nobody need sign in for is open to it as well."""
    for path in ("/api/v1/me", "/api/v1/backfills", "/api/v1/tokens", "/metrics"):
        assert problem(worker.get(path), 403)["code"] == "worker_token"
    page = worker.get("/backfills", follow_redirects=False)
    assert (page.status_code, "/sign-in" in page.headers.get("location", "")) == (303, True)
    assert worker.get("/healthz").status_code == 200
    assert problem(served.by("admin").get(f"{AT}/rules"), 403)["code"] == "scope_too_small"
    assert worker.get(f"{AT}/rules").json()["resource_groups"] == ["default", "etl"]


def test_a_token_that_was_revoked(served: Server) -> None:
    """SEC-1: at once."""
    client = of_groups(served, "etl")
    assert client.get(f"{AT}/rules").status_code == 200
    people = served.center("admin").people
    people.revoke_token(people.tokens()[0]["id"])
    assert problem(client.get(f"{AT}/rules"), 401)["code"] == "token_ended"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 201},
        {"groups": []},
        {"slots": 0},
        {"slots": 10**9},
        {"folder": "relative"},
        {"logs_at": "http://169.254.169.254/"},
        {"more": 1},
    ],
)
def test_what_no_host_is(worker: TestClient, changes: dict[str, Any]) -> None:
    body = {"status": status(**changes), "now_ms": 0}
    assert problem(worker.post(f"{AT}/exchange", json=body), 422)["code"] == "bad_request"


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("exchange", {"ends": [{"run": {}, "outcome": "exited", "ended_at": 1}]}, 422),
        ("exchange", {"ends": [{"outcome": "exploded", "ended_at": 1}]}, 422),
        ("exchange", {"free": -1}, 422),
        ("exchange", {"holds": [{"instance_id": 2**60, "run_number": 1, "token": "x"}]}, 422),
        ("log", {"offset": -1}, 422),
        ("log", {"base64": "x" * 900_000}, 422),
        ("log", {"base64": "x" * 1_100_000}, 413),
    ],
)
def test_what_no_round_is(worker: TestClient, path: str, body: dict[str, Any], expected: int) -> None:
    """Refused before anything of it is done."""
    run = {"instance_id": 1, "run_number": 1, "token": "x"}
    whole = {
        "exchange": {"status": status(), "now_ms": 0},
        "log": {"host": "far-1", "run": run, "offset": 0, "base64": ""},
    }
    problem(worker.post(f"{AT}/{path}", json=whole[path] | body), expected)


def test_there_is_no_other_machine_for_an_embedded_store(server: Server) -> None:
    """RUN-9: the token is good, and what it is for is not there."""
    found = problem(server.scoped(Scope.WORKER).get(f"{AT}/rules"), 422)
    assert found["code"] == "no_shared_store"


def test_who_waits_is_called(served: Server) -> None:
    """RUN-9: when something new is offered to a group of theirs; others sleep on, and a worker waits once."""

    async def wait() -> None:
        workers = Workers(served.deployment)
        mark = (await workers.wait("one", ["default"], [], 0))["mark"]
        again = await workers.wait("one", ["default"], ["other.3", mark], 0)
        assert again == {"mark": mark, "is_called": False}
        given_up = asyncio.ensure_future(workers.wait("one", ["default"], [mark], 60))
        idle = asyncio.ensure_future(workers.wait("two", ["etl"], [mark], 60))
        await asyncio.sleep(0)
        called = asyncio.ensure_future(workers.wait("one", ["default"], [mark], 60))
        assert not (await given_up)["is_called"], "its worker asks again"
        await asyncio.to_thread(lambda: offer(served, bizdate=("2026-02-01",)))
        first = await called
        assert first["is_called"]
        assert first["mark"] != mark
        assert (await workers.wait("three", ["default"], [mark], 60))["is_called"], "it was offered since"
        assert not idle.done()
        assert len(workers) == 1
        workers.close()
        assert not (await idle)["is_called"]

    asyncio.run(wait())
