"""What is refused before anybody looks at a request, and what every answer carries."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from api.servers import Server, problem
from retrofill.api.guarding import MOST_BYTES

PLAN = "/api/v1/backfills/plan"


@pytest.mark.parametrize(
    "path", ["/api/v1/backfills", "/api/v1/openapi.json", "/nothing", "/api/v1/backfills/%00"]
)
def test_every_answer_says_what_browsers_may_do_with_it(shared_server: Server, path: str) -> None:
    headers = shared_server.anybody.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


class Endless:
    """A body that goes on as long as somebody takes it; counts what was taken."""

    def __init__(self, most: int) -> None:
        self.taken = 0
        self._most = most

    def __iter__(self) -> Iterator[bytes]:
        while self.taken < self._most:
            self.taken += 100_000
            yield b" " * 100_000


def test_a_body_that_is_said_to_be_large_is_not_read(shared_server: Server) -> None:
    """100 MB: refused by its length."""
    answer = shared_server.by("alice").post(PLAN, content=b" " * 100_000_000)
    assert problem(answer, 413)["code"] == "request_entity_too_large"


def test_a_body_of_unknown_length_is_counted(shared_server: Server) -> None:
    """Sent piece by piece, it is refused as soon as it is too large."""
    problem(shared_server.by("alice").post(PLAN, content=iter(Endless(3 * MOST_BYTES))), 413)


@pytest.mark.parametrize("path", ["/api/v1/backfills", "/api/v1/versions"])
def test_nobody_makes_the_server_read_a_body(shared_server: Server, path: str) -> None:
    """SEC-1: who asks is known before anything of it is read."""
    read = []

    async def receive() -> dict[str, Any]:
        read.append(1)
        return {"type": "http.request", "body": b" " * 1_000, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    asyncio.run(shared_server.app(scope, receive, send))
    assert (sent[0]["status"], read) == (401, [])


def test_a_compressed_body_is_refused(shared_server: Server) -> None:
    """A bomb of a thousandth of its size."""
    bomb = gzip.compress(b" " * 2 * MOST_BYTES)
    assert len(bomb) < MOST_BYTES
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    problem(shared_server.by("alice").post(PLAN, content=bomb, headers=headers), 415)


@pytest.mark.parametrize(
    "path",
    ["/backfills/%ff", "/backfills?name=%ff", "/backfills?name=%00", "/backfills?%c3=1", "/backfills/%00"],
)
def test_an_address_that_is_no_text(shared_server: Server, path: str) -> None:
    problem(shared_server.by("alice").get(f"/api/v1{path}"), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"task": ["\xff"]}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 5_000,
        b'{"groups": ' + b"9" * 5_000 + b"}",
        b'{"name": "\\ud800", "task": ["open.first"], "bizdate": ["2026-01-05"]}',
        b'{"groups": NaN}',
        b'{"groups": 1e999}',
        b"null",
        b'"text"',
    ],
)
def test_a_body_that_cannot_be_read(shared_server: Server, body: bytes) -> None:
    """Whatever is sent, the answer is a problem that tells whose mistake it is."""
    headers = {"Content-Type": "application/json"}
    answer = shared_server.by("alice").post(PLAN, content=body, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert problem(answer, answer.status_code)["kind"] == "usage"


def test_a_body_that_is_no_json(shared_server: Server) -> None:
    answer = shared_server.by("alice").post(PLAN, content=b"a=1", headers={"Content-Type": "text/plain"})
    assert answer.status_code in (415, 422)
    problem(answer, answer.status_code)
