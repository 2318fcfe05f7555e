"""One request to a server: what is tried again, what is said where nobody answers, where the token goes."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from checks.servers import CERTIFICATE, Server, hangs_up, raw, serving
from retrofill.client import ServerUnreachableError
from retrofill.client.transport import ACT_SECONDS, Transport
from retrofill.domain.errors import (
    Kind,
    LimitError,
    NotPermittedError,
    NotSignedInError,
    RetrofillError,
    StoreUnavailableError,
    UnknownNameError,
    UsageError,
    WrongStateError,
)
from retrofill.domain.texts import Step

TOKEN = "retrofill_do-not-tell-anybody"
Answer = Callable[[BaseHTTPRequestHandler], None]


def fine(document: object) -> Answer:
    return raw(json.dumps(document).encode())


def problem(status: int, **members: object) -> Answer:
    document = {"title": "No", "detail": "it cannot be", "code": "odd", "hint": "Do it.", **members}
    return raw(json.dumps(document).encode(), status, **{"Content-Type": "application/problem+json"})


class Pauses(list[float]):
    """Waits not at all, and notes how long it would have."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)

    def now(self) -> float:
        return sum(self)


def asking(url: str, pauses: Pauses | None = None) -> Transport:
    pauses = Pauses() if pauses is None else pauses
    return Transport(url, TOKEN, pauses, pauses.now)


def refusal(url: str) -> RetrofillError:
    with pytest.raises(RetrofillError) as caught:
        asking(url).get("backfills")
    return caught.value


# Questions and acts


def test_a_question_carries_the_token_and_asks_for_sentences_in_parts() -> None:
    with serving(fine({"items": []})) as server:
        assert asking(server.url("/")).get("backfills", {"limit": 3, "name": None, "auto": True}) == {
            "items": []
        }
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/api/v1/backfills?limit=3&auto=true")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Retrofill-Texts"] == "parts"


def test_a_server_may_answer_below_a_path() -> None:
    with serving(fine(None)) as server:
        asking(server.url("/team/")).get("me")
    assert server.asked[0].path == "/team/api/v1/me"


def test_sentences_come_with_their_steps() -> None:
    told = {"$text": ["See ", {"$step": "backfill.show", "arguments": {"id": 7}}, "."]}
    with serving(fine({"text": told})) as server:
        text = asking(server.url()).get("instances/1/why")["text"]
    assert text.steps == (Step("backfill.show", id=7),)
    assert str(text) == "See backfill show 7."


# Trying again


@pytest.mark.parametrize("trouble", [hangs_up, problem(503, kind="unavailable"), raw(b"busy", 502)])
def test_a_question_is_asked_again_with_growing_pauses(trouble: Answer) -> None:
    pauses = Pauses()
    with serving(trouble, trouble, trouble, fine([1])) as server:
        assert asking(server.url(), pauses).get("tasks") == [1]
    assert len(server.asked) == 4
    assert pauses == sorted(pauses)
    assert len(pauses) == 3


def test_a_question_is_asked_five_times_at_most() -> None:
    with serving(hangs_up) as server, pytest.raises(ServerUnreachableError, match="broke off the connection"):
        asking(server.url()).get("tasks")
    assert len(server.asked) == 5


def test_the_server_says_how_long_to_wait() -> None:
    pauses = Pauses()
    busy = raw(b"{}", 429, **{"Retry-After": "7"})
    with serving(busy, fine(1)) as server:
        asking(server.url(), pauses).get("tasks")
    assert pauses == [7]


@pytest.mark.parametrize("trouble", [hangs_up, problem(503, kind="unavailable")])
def test_an_act_that_may_have_arrived_is_not_sent_again(trouble: Answer) -> None:
    with serving(trouble) as server, pytest.raises(RetrofillError):
        asking(server.url()).act("POST", "backfills/1/stop", {"comment": ""})
    assert len(server.asked) == 1


def test_what_is_made_is_sent_again_with_the_same_key() -> None:
    """A server that knows the key answers what it has made already."""
    with serving(hangs_up, problem(503, kind="unavailable"), fine({"id": 4})) as server:
        asking(server.url()).create("backfills", {"name": "a"})
        asking(server.url()).create("backfills", {"name": "a"})
    keys = [asked.headers["Idempotency-Key"] for asked in server.asked]
    assert keys[0] == keys[1] == keys[2] != keys[3]


LOST = [
    hangs_up,
    raw(b"<html>Bad Gateway</html>", 502),
    raw(b"<html>Gateway Timeout</html>", 504),
    problem(503, kind="unavailable", code="still_creating"),
]


@pytest.mark.parametrize("lost", LOST)
def test_what_may_be_made_is_asked_for_until_there_is_an_answer(lost: Answer) -> None:
    """Whoever gives up forgets the key, and who then repeats the command makes a second backfill."""
    busy = problem(503, kind="unavailable")  # a server that has just come up again
    with serving(*[lost] * 9, *[busy] * 9, fine({"id": 4})) as server:
        assert asking(server.url()).create("backfills", {"name": "a"}) == {"id": 4}
    assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 1
    assert len(server.asked) == 19


@pytest.mark.parametrize("lost", LOST)
def test_even_what_may_be_made_is_not_asked_for_without_end(lost: Answer) -> None:
    pauses = Pauses()
    with serving(lost) as server, pytest.raises(RetrofillError):
        asking(server.url(), pauses).create("backfills", {"name": "a"})
    assert sum(pauses[:-1]) < ACT_SECONDS <= sum(pauses)
    assert max(pauses) < 15


def test_what_cannot_be_made_yet_is_asked_for_five_times() -> None:
    """A server that says that it has done nothing is believed."""
    with serving(problem(503, kind="unavailable")) as server, pytest.raises(StoreUnavailableError):
        asking(server.url()).create("backfills", {"name": "a"})
    assert len(server.asked) == 5


def test_a_refusal_is_final() -> None:
    with serving(problem(409, kind="wrong_state")) as server, pytest.raises(WrongStateError):
        asking(server.url()).get("tasks")
    assert len(server.asked) == 1


# Refusals


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (422, "usage", UsageError),
        (422, "limit", LimitError),
        (401, "not_signed_in", NotSignedInError),
        (403, "not_permitted", NotPermittedError),
        (404, "unknown", UnknownNameError),
        (409, "wrong_state", WrongStateError),
        (503, "unavailable", StoreUnavailableError),
    ],
)
def test_a_problem_is_the_error_that_it_was(status: int, kind: str, error: type[RetrofillError]) -> None:
    hint = {"$text": ["Try ", {"$step": "task.list", "arguments": {}}, "."]}
    with serving(problem(status, kind=kind, hint=hint)) as server:
        found = refusal(server.url())
    assert type(found) is error
    assert (found.code, found.kind, found.message) == ("odd", Kind(kind), "it cannot be")
    assert found.hint.steps == (Step("task.list"),)


def test_a_kind_that_only_a_newer_server_knows_is_a_failure() -> None:
    with serving(problem(418, kind="teapot")) as server:
        found = refusal(server.url())
    assert (found.code, found.kind) == ("odd", Kind.FAILED)


def test_an_error_of_one_refusal_leaves_its_class_as_it_was() -> None:
    with serving(problem(404, kind="unknown")) as server:
        refusal(server.url())
    assert UnknownNameError("x").code == "unknown"


# Nobody answers


def test_nothing_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        found = refusal(url)
    assert found.kind is Kind.UNREACHABLE
    assert found.message == f"{url} cannot be reached: nothing listens there"


def test_an_act_is_sent_again_where_nothing_listened() -> None:
    pauses = Pauses()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(ServerUnreachableError):
            asking(f"http://127.0.0.1:{held.getsockname()[1]}", pauses).act("POST", "schedule/pause")
    assert len(pauses) == 4


def test_a_name_that_nobody_knows() -> None:
    assert refusal("http://nowhere.invalid").message.endswith("nobody knows that name")


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"[1"])
def test_what_answers_is_no_retrofill(body: bytes) -> None:
    with serving(raw(body, 404)) as server:
        found = refusal(server.url())
    assert found.kind is Kind.UNREACHABLE
    assert "is no Retrofill server (HTTP 404)" in found.message


def test_a_page_in_place_of_a_document() -> None:
    with serving(raw(b"<html>Sign in</html>")) as server:
        assert "is no Retrofill server (HTTP 200)" in refusal(server.url()).message


def test_the_token_does_not_follow_a_redirect() -> None:
    with serving(fine(1)) as other, serving(raw(b"", 307, Location="http://other.example/api")) as server:
        found = refusal(server.url())
    assert "sends on to http://other.example/api" in found.message
    assert not other.asked
    assert len(server.asked) == 1


# TLS


def test_a_certificate_that_nobody_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with serving(fine(1), tls=True) as server:
        found = refusal(server.url("", "localhost", "https"))
    assert found.kind is Kind.UNREACHABLE
    assert "certificate of https://localhost" in found.message
    assert "self-signed certificate" in found.message
    assert "SSL_CERT_FILE" in str(found.hint)
    assert not server.asked


def test_a_certificate_of_a_known_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with serving(fine([2]), tls=True) as server:
        assert asking(server.url("", "localhost", "https")).get("tasks") == [2]
        other = refusal(server.url("", "127.0.0.1", "https"))
    assert "IP address mismatch" in other.message


def test_no_tls_where_tls_is_spoken_to() -> None:
    with serving(fine(1)) as server:
        assert refusal(server.url("", scheme="https")).message.endswith("does not speak TLS")


# Addresses and tokens


@pytest.mark.parametrize(
    "url",
    [
        "retrofill.example",
        "ftp://retrofill.example",
        "https://",
        "http://[::1",
        "http://host:port",
        "http://host:0",
        "http://host?x=1",
        "http://host/\nX: y",
        "http://a b",
        "http://ретро.example",
        "",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(UsageError, match="RETROFILL_URL"):
        Transport(url, TOKEN)


@pytest.mark.parametrize("url", ["http://host/api/v1", "https://host/team/api/v1/"])
def test_what_is_added_to_the_address_is_not_in_it(url: str) -> None:
    with pytest.raises(UsageError, match="ends in /api/v1, which is added to it"):
        Transport(url, TOKEN)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="holds a user or a password") as caught:
        Transport("https://alice:hush@retrofill.example", TOKEN)
    assert "hush" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("token", ["", " ", "two words", "a\nX-Evil: 1", "t\u00e9"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        Transport("http://127.0.0.1:1", token)
    assert not token.strip() or token not in caught.value.message


@pytest.mark.parametrize("answer", [hangs_up, raw(b"no", 404), problem(401), raw(b"", 302), raw(b"x")])
def test_no_message_holds_the_token(answer: Answer) -> None:
    """SEC-3."""
    with serving(answer) as server:
        transport = asking(server.url())
        with pytest.raises(RetrofillError) as caught:
            transport.get("tasks")
    told = f"{caught.value!r} {caught.value.message} {caught.value.hint} {transport!r}"
    assert not re.search("do-not-tell", told)
    assert caught.value.__cause__ is None


def test_a_path_holds_whatever_a_name_holds(tmp_path: Path) -> None:
    from retrofill.client.groups import GroupDesk

    with serving(fine({})) as server:
        GroupDesk(asking(server.url())).show("a/../b?c#d é")
    assert server.asked[0].path == "/api/v1/resource-groups/a%2F..%2Fb%3Fc%23d%20%C3%A9?limit=20"


def test_a_server_of_the_test_counts_what_it_was_asked() -> None:
    """The measure itself works."""
    server: Server
    with serving(fine(1)) as server:
        asking(server.url()).get("a")
        asking(server.url()).get("b")
    assert [one.path for one in server.asked] == ["/api/v1/a", "/api/v1/b"]
