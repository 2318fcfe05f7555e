"""Requests as attackers and broken programs send them: nothing breaks, nothing is told, nothing is done."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.matrix import DECISIONS, HERE, Target
from api.servers import Server, problem
from api.test_matrix import ROUTES, ask, target
from retrofill.api.links import PREFIX
from retrofill.domain.people.scopes import Scope

TRICKS = [
    "//api/v1/backfills",
    "/api/v1//backfills",
    "/api/v1/backfills/",
    "/api/v1/backfills/.",
    "/api/v1/backfills/configs",
    "/api/v1/backfills;jsessionid=1",
    "/api/v1/healthz/../backfills",
    "/healthz/../api/v1/backfills",
    "/api/v1/%2e%2e/api/v1/backfills",
    "/api/v1/backfills%2f1",
    "/API/V1/backfills",
    "/api/v1/backfills.json",
    "/api/v1/openapi.json/../backfills",
]


@pytest.mark.parametrize("path", TRICKS)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "TRACE"])
def test_no_other_spelling_of_an_address_opens_it(server: Server, path: str, method: str) -> None:
    """SEC-1: whoever has not signed in gets in nowhere, however they write where they want to go."""
    server.create(name="goldmine")
    answer = server.anybody.request(method, f"http://testserver{path}")
    assert answer.status_code in (400, 401, 404, 405), answer.text
    assert "goldmine" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/api/v1/openapi.json"},
        {"X-Rewrite-URL": "/healthz"},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-User": "admin", "Remote-User": "admin"},
        {"Authorization": "Bearer null"},
        {"Authorization": "Bearer undefined"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."},
        {"Authorization": "Bearer " + "x" * 7_000},
    ],
)
def test_no_header_says_who_somebody_is_but_a_token(shared_server: Server, headers: dict[str, str]) -> None:
    """SEC-1."""
    problem(shared_server.anybody.get("/api/v1/backfills", headers=headers), 401)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_origin_may_read(shared_server: Server, origin: str) -> None:
    """No page from elsewhere is told anything by a browser."""
    asked = shared_server.by("alice")
    for answer in (
        asked.get("/api/v1/backfills", headers={"Origin": origin}),
        asked.options(
            "/api/v1/backfills", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        ),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "text",
    [
        "1 OR 1=1",
        "-1",
        "0",
        "1.0",
        "01x",
        "+1",
        " 1",
        "1_0",
        "١",
        "9" * 30,
        "1e3",
        "0x1",
        "null",
        "{}",
        "[1]",
        "true",
    ],
)
def test_what_is_no_id_is_none(shared_server: Server, text: str) -> None:
    """Ids are whole numbers in digits, and are read as nothing else."""
    asked = shared_server.by("alice")
    for path in (f"/backfills/{text}", f"/instances/{text}", f"/backfills/{text}/pause"):
        method = "POST" if path.endswith("pause") else "GET"
        answer = asked.request(method, PREFIX + path, **({"json": {}} if method == "POST" else {}))
        assert answer.status_code in (404, 422), (path, answer.text)
    for query in (f"/backfills?limit={text}", f"/backfills?cursor={text}", f"/instances?backfill={text}"):
        problem(asked.get(PREFIX + query.replace("+", "%2B")), 422)


@pytest.mark.parametrize(
    "text", ["' OR 1=1--", "%", "_", ".*(a+)+$", '"; DROP TABLE backfill; --', "x" * 5_000, "😀", "\u202e"]
)
def test_a_search_is_taken_as_it_is_written(server: Server, text: str) -> None:
    """No word of a search is one of the store's."""
    number = server.create(name="plain")
    asked = server.by("alice")
    answer = asked.get("/api/v1/backfills", params={"name": text})
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})
    for name in ("task", "creator", "workspace"):
        problem(asked.get("/api/v1/backfills", params={name: text}), 404)
    for name in ("status", "check_status", "bizdate", "task_type", "created"):
        problem(asked.get("/api/v1/backfills", params={name: text}), 422)
    assert [row["id"] for row in asked.get("/api/v1/backfills").json()["items"]] == [number]


def test_what_takes_one_value_is_given_once(shared_server: Server) -> None:
    """BF-1: of two values of a filter, none is overlooked; those that may be several are either."""
    person, worker = shared_server.by("admin"), of_a_worker(shared_server)
    for path, operations in person.get("/api/v1/openapi.json").json()["paths"].items():
        asked = worker if "/hosting/" in path else person
        for parameter in operations.get("get", {}).get("parameters", ()):
            if parameter["in"] != "query" or parameter["schema"].get("type") == "array":
                continue
            at = re.sub(r"{.*?}", "1", path)
            found = problem(asked.get(at, params=[(parameter["name"], "1"), (parameter["name"], "1")]), 422)
            errors = {one["at"]: one["message"] for one in found["errors"]}
            assert "given 2 times" in errors[f"query.{parameter['name']}"]
    assert person.get("/api/v1/instances?state=failed&state=running").status_code == 200


def of_a_worker(server: Server) -> TestClient:
    """A client with a worker's token."""
    people, client = server.center("admin").people, server.anybody
    secret = people.create_token("admin", scope=Scope.WORKER, resource_groups=["default"])["token"]
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


@pytest.mark.parametrize(
    "more",
    [
        {"admin": True},
        {"created_by": "greta"},
        {"state": "succeeded"},
        {"user": "admin"},
        {"id": 7},
        {"__class__": "x"},
    ],
)
def test_nobody_sets_what_is_not_theirs_to_set(shared_server: Server, more: dict[str, Any]) -> None:
    """What a body does not know is refused, whatever it holds."""
    body = {"task": ["open.first"], "bizdate": ["2026-01-05"], **more}
    for path in ("/backfills", "/backfills/plan"):
        problem(shared_server.by("alice").post(PREFIX + path, json=body), 422)


def test_questions_change_nothing(server: Server) -> None:
    """SEC-1: a link that somebody is made to open asks, and does nothing."""
    made: Target = target(server, HERE, "S", DECISIONS["backfills.show"])
    with server.deployment.store.read() as reader:
        before = reader.revisions.last()
    for name, (method, _, operation) in ROUTES.items():
        if method == "GET" and operation.scope is not None:
            assert ask(name, server.by("admin"), DECISIONS[name], made).status_code < 500
    with server.deployment.store.read() as reader:
        assert reader.revisions.last() == before
    assert all(
        method != "GET" or not re.search(r"stop|rerun|deploy$|/run$", path)
        for method, path, _ in ROUTES.values()
    )
