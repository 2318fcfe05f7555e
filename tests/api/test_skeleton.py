"""Who may ask, and how what goes wrong is answered."""

from __future__ import annotations

from typing import Any

import pytest

from api.browsers import Browser
from api.dataworks.official import Signer
from api.servers import Server, problem
from retrofill.api.links import PREFIX, told
from retrofill.api.operations import Routes
from retrofill.domain.errors import StoreUnavailableError
from retrofill.domain.texts import Step, Text
from retrofill.services.people.reception import Reception


def test_a_list_is_what_the_center_answers(server: Server) -> None:
    """BF-1: newest first, page by page."""
    numbers = [server.create() for _ in range(3)]
    asked = server.by("alice")
    page = asked.get("/api/v1/backfills", params={"limit": 2}).json()
    assert [row["id"] for row in page["items"]] == numbers[:0:-1]
    rest = asked.get("/api/v1/backfills", params={"limit": 2, "cursor": page["next"]}).json()
    assert rest == {"items": [server.center("alice").backfills.row(numbers[0])], "next": None}


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic YWRtaW46YWRtaW4=", "retrofill_x"]
)
def test_nobody_is_told_anything(shared_server: Server, header: str | None) -> None:
    """SEC-1: without a token that opens something, whatever else is wrong with the request."""
    headers = {} if header is None else {"Authorization": header}
    answer = shared_server.anybody.get("/api/v1/backfills?limit=none", headers=headers)
    assert problem(answer, 401)["code"] == "not_signed_in"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_token_opens_nothing(server: Server) -> None:
    """SEC-1."""
    people = server.center("admin").people
    token = people.create_token("alice")
    headers = {"Authorization": f"Bearer {token['token']}"}
    assert server.anybody.get("/api/v1/backfills", headers=headers).status_code == 200
    people.revoke_token(token["id"])
    problem(server.anybody.get("/api/v1/backfills", headers=headers), 401)


def test_nobody_is_told_where_the_store_is(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """SEC-1: while it is away nobody is known; the log has the details."""

    class Away:
        def read(self) -> None:
            raise StoreUnavailableError("the database shop at localhost is away")

    deployment = server.deployment
    away: Any = Away()
    deployment.reception = Reception(
        away, deployment.clock, deployment.in_force, deployment.passwords, lambda: deployment.server_key
    )
    answer = server.anybody.get("/api/v1/backfills", headers={"Authorization": "Bearer retrofill_x"})
    assert problem(answer, 503)["detail"] == "the store cannot be used now"
    assert "localhost" not in answer.text
    assert "shop at localhost" in caplog.text
    browser = Browser(server.app)
    for page in (browser.sign_in("alice", "whatever it may be"), browser.get("/sign-in?link=x")):
        assert (page.status_code, "localhost" in page.text) == (503, False)
    signed = Signer("RF3854d8373c68c554ec95f510", "secret").sign("ListProjects")
    answer = server.anybody.post("/", headers=dict(signed.headers), content=signed.body)
    assert (answer.status_code, answer.json()["Message"]) == (503, "the store cannot be used now")


def test_what_is_foreign_is_answered_like_what_is_not_there(server: Server) -> None:
    """SEC-2: word by word."""
    foreign, absent = server.create("greta", task=("vault.goldmine",)), 7_777
    one, other = (
        problem(server.by("alice").get(f"/api/v1/backfills/{number}"), 404) for number in (foreign, absent)
    )
    assert one == {**other, "detail": f"there is no backfill {foreign}"}
    assert server.by("greta").get(f"/api/v1/backfills/{foreign}").status_code == 200


def test_a_problem_says_what_to_do_as_requests(shared_server: Server) -> None:
    """RFC 9457: steps are links."""
    found = problem(shared_server.by("alice").get("/api/v1/backfills/99"), 404)
    assert found["code"] == "unknown"
    assert found["steps"] == [
        {"step": "backfill.list", "arguments": {}, "method": "GET", "href": "/api/v1/backfills"}
    ]
    assert "`GET /api/v1/backfills`" in found["hint"]


def test_our_own_client_gets_sentences_in_parts(shared_server: Server) -> None:
    """It says them in the words of the command line."""
    headers = {"Retrofill-Texts": "parts"}
    found = problem(shared_server.by("alice").get("/api/v1/backfills/99", headers=headers), 404)
    assert found["detail"] == {"$text": ["there is no backfill 99"]}
    assert {"$step": "backfill.list", "arguments": {}} in found["hint"]["$text"]


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("/backfills?limit=0", "query.limit"),
        ("/backfills?limit=1001", "query.limit"),
        ("/backfills?cursor=9999999999999999999999", "query.cursor"),
        ("/backfills?nmae=x", "query.nmae"),
        ("/backfills/x", "path.backfill_id"),
    ],
)
def test_what_is_misread_is_named(shared_server: Server, path: str, at: str) -> None:
    """A filter that does not exist is refused, not overlooked."""
    found = problem(shared_server.by("alice").get(PREFIX + path), 422)
    assert [error["at"] for error in found["errors"]] == [at]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/api/v1/nothing", 404), ("PUT", "/api/v1/backfills", 405)],
)
def test_what_there_is_not_is_a_problem_too(
    shared_server: Server, method: str, path: str, status: int
) -> None:
    problem(shared_server.anybody.request(method, path), status)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/backfills",
        "/api/v1/backfills/99",
        "/api/v1/backfills/events",
        "/metrics",
        "/healthz",
        "/sign-in",
        "/",
    ],
)
@pytest.mark.parametrize("user", [None, "alice"])
def test_head_answers_as_get_without_a_body(shared_server: Server, path: str, user: str | None) -> None:
    """RFC 9110: the same rights, status and type; a stream ends with its head."""
    client = shared_server.anybody if user is None else shared_server.by(user)
    head = client.head(path, headers={"Accept": "text/event-stream"}, follow_redirects=False)
    assert head.content == b""
    assert head.status_code != 405
    if not head.headers.get("content-type", "").startswith("text/event-stream"):
        got = client.get(path, follow_redirects=False)
        assert (head.status_code, head.headers.get("content-length")) == (
            got.status_code,
            got.headers.get("content-length"),
        )


def test_head_is_no_way_to_act(shared_server: Server) -> None:
    assert shared_server.by("admin").head("/api/v1/schedule/pause").status_code == 405


def test_a_bug_tells_nothing(server: Server) -> None:
    """What broke stands in the log; nobody else is told."""

    def break_down() -> None:
        raise RuntimeError("the password is xyzzy")

    server.app.add_api_route("/broken", break_down)
    answer = server.anybody.get("/broken")
    assert problem(answer, 500)["code"] == "bug"
    assert "xyzzy" not in answer.text


def test_a_route_that_asks_nobody_who_they_are_is_not_made() -> None:
    """SEC-1: forgetting it is a failure when the server starts."""
    with pytest.raises(TypeError, match="asks nobody who they are"):

        @Routes("things").get("", "things.list", None)
        def things() -> None:
            """Things."""


def test_a_sentence_names_requests() -> None:
    text = Text("{why} says more; set {option.window=09:00-17:00}.", why=Step("instance.why", id=7))
    assert told(text) == "`GET /api/v1/instances/7/why` says more; set `window: 09:00-17:00`."
