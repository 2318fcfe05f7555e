"""A request that cannot be read is told in words of people, not of a validator."""

from __future__ import annotations

from typing import Any

import pytest

from api.servers import Server, problem

PLAN, STOP = "/api/v1/backfills/plan", "/api/v1/instances/stop"


@pytest.mark.parametrize(
    ("path", "body", "at", "message"),
    [
        (
            PLAN,
            {"bizdates": ["2026-01-05"]},
            "body.bizdates",
            'there is no "bizdates" here; did you mean "bizdate"?',
        ),
        (PLAN, {"bizdate": "2026-01-05"}, "body.bizdate", "write a list"),
        (PLAN, {"groups": {}}, "body.groups", "write a text, or write a whole number"),
        (PLAN, ["x"], "body", "write an object"),
        (PLAN, {"name": 3}, "body.name", "write a text"),
        (STOP, {}, "body.ids", "it is missing"),
        (STOP, {"ids": []}, "body.ids", "it is empty"),
        (STOP, {"ids": ["7"]}, "body.ids.0", "write a whole number"),
        (STOP, {"ids": [-1]}, "body.ids.0", "write 0 or more"),
        (
            STOP,
            {"ids": [7], "coment": ""},
            "body.coment",
            'there is no "coment" here; did you mean "comment"?',
        ),
        (STOP, {"ids": [7], "comment": "x" * 20_000}, "body.comment", "it is longer than 10,000 characters"),
    ],
)
def test_a_body(shared_server: Server, path: str, body: Any, at: str, message: str) -> None:
    """Each field by itself: where it stands, and what to write there."""
    found = problem(shared_server.by("alice").post(path, json=body), 422)
    assert found["errors"] == [{"at": at, "message": message}]
    assert found["detail"] == f"{at}: {message}"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limits=3", 'query.limits: there is no "limits" here; did you mean "limit"?'),
        ("limit=3.5", "query.limit: write a whole number in digits"),
        ("limit=100000", "query.limit: write 1,000 or less"),
    ],
)
def test_a_query(shared_server: Server, query: str, detail: str) -> None:
    assert problem(shared_server.by("alice").get(f"/api/v1/backfills?{query}"), 422)["detail"] == detail


@pytest.mark.parametrize("given", ["0", "86400", "-0", "2026-01-05T00:00:00", "20260105", "2026-02-30"])
def test_a_date_is_written_as_one(shared_server: Server, given: str) -> None:
    """Seconds since 1970 are none, whatever a validator makes of them."""
    problem(shared_server.by("alice").get(f"/api/v1/schedule/nights?cursor={given}"), 422)
    assert shared_server.by("alice").get("/api/v1/schedule/nights?cursor=2026-01-05").status_code == 200


def test_an_address_that_nothing_answers(shared_server: Server) -> None:
    """It is said which, as it was read."""
    found = problem(shared_server.by("alice").get("/api/v1/backfils/%1b%5b2J"), 404)
    assert found["detail"] == "nothing answers GET /api/v1/backfils/\\x1b[2J"
    found = problem(shared_server.by("alice").put("/api/v1/backfills"), 405)
    assert found["detail"] == "nothing here takes PUT /api/v1/backfills"
