"""Who comes in, and how what goes wrong is answered: JSON in the API's shape, whatever the status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.dataworks.conftest import Caller, caller, code_of
from api.dataworks.official import Signer
from api.servers import Server
from e2e.sandboxes import until
from retrofill.api.dataworks.actions import ACTIONS, Action
from retrofill.api.dataworks.door import Door
from retrofill.bootstrap.deployment import open_deployment
from retrofill.domain.people.scopes import Scope
from retrofill.web.app import make_site

Asking = Callable[..., Caller]


def test_an_access_key_opens(alice: Caller) -> None:
    """SEC-1: as its user, who sees a workspace."""
    found = alice.ask("ListProjects")
    assert [one["Name"] for one in found["PagingInfo"]["Projects"]] == ["open"]
    assert found["RequestId"]


def test_a_wrong_secret(alice: Caller) -> None:
    signed = Signer(alice.signer.key_id, "wrong").sign("ListProjects")
    assert code_of(alice.send(signed), 400) == "SignatureDoesNotMatch"


def test_a_key_that_there_is_not(alice: Caller) -> None:
    signed = Signer("RFnone", alice.signer.secret).sign("ListProjects")
    assert code_of(alice.send(signed), 404) == "InvalidAccessKeyId.NotFound"


def test_a_key_that_was_revoked(server: Server, asking: Asking) -> None:
    """SEC-1: at once."""
    bob = asking("bob")
    bob.ask("ListProjects")
    server.center("admin").people.revoke_access_key(bob.signer.key_id)
    assert bob.refused("ListProjects") == "InvalidAccessKeyId.NotFound"


def test_the_user_of_a_key_is_gone(server: Server, asking: Asking, tmp_path: Path) -> None:
    """SEC-1: with the next deploy."""
    bob = asking("bob")
    path = tmp_path / "workspaces" / "open" / "workspace.yaml"
    path.write_text(path.read_text().replace("bob: operator, ", ""))
    server.center("admin").versions.deploy()
    assert bob.refused("ListProjects") == "Forbidden.User"


def test_a_body_that_was_changed(alice: Caller) -> None:
    signed = alice.signer.sign("ListTasks", form={"ProjectId": 1})
    forged = type(signed)(signed.method, signed.query, signed.headers, b"ProjectId=2")
    assert code_of(alice.send(forged), 400) == "InvalidContentSha256"


@pytest.mark.parametrize("minutes", [-16, 16])
def test_an_old_date_and_one_ahead(alice: Caller, minutes: int) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    assert code_of(alice.send(alice.signer.sign("ListProjects", at=at)), 400) == "InvalidTimeStamp.Expired"


def test_another_host(alice: Caller) -> None:
    """What was signed for one server opens no other one."""
    signed = Signer(alice.signer.key_id, alice.signer.secret, host="elsewhere:8080").sign("ListProjects")
    assert code_of(alice.send(signed.changed(host="testserver")), 400) == "SignatureDoesNotMatch"


def test_a_request_is_accepted_once(server: Server, asking: Asking, tmp_path: Path) -> None:
    """Also by another server on the same store, and after a restart."""
    bob = asking("bob")
    signed = bob.signer.sign("ListProjects")
    assert bob.send(signed).status_code == 200
    assert code_of(bob.send(signed), 400) == "SignatureNonceUsed"
    deployment = open_deployment(str(tmp_path), {})
    try:
        other = TestClient(make_site(deployment))
        answer = other.request("POST", "/", headers=dict(signed.headers), content=signed.body)
        assert code_of(answer, 400) == "SignatureNonceUsed"
    finally:
        deployment.close()


def test_what_was_not_signed_well_uses_no_nonce_up(asking: Asking) -> None:
    """Else anybody could use up what somebody is about to send."""
    bob = asking("bob")
    nonce = "of my own"
    bob.send(Signer(bob.signer.key_id, "wrong").sign("ListProjects", nonce="of-my-own"))
    assert bob.send(bob.signer.sign("ListProjects", nonce="of-my-own")).status_code == 200
    assert code_of(bob.send(bob.signer.sign("ListProjects", nonce=nonce))) == "InvalidNonce"


def test_nonces_of_keys_are_their_own(asking: Asking) -> None:
    for user in ("bob", "carol"):
        one = asking(user)
        assert one.send(one.signer.sign("ListProjects", nonce="1")).status_code == 200


def test_what_a_server_left_is_taken_up_with_the_first_request(server: Server, asking: Asking) -> None:
    """Whoever asks, and whatever for: it is carried out in the name of who asked for it."""
    alice = server.center("alice")
    errand = alice.errands.ask_for_backfill({"task": ["open.first"], "bizdate": ["2026-01-05"]})
    asking("bob").ask("ListProjects")
    until(lambda: alice.errands.show(errand)["state"] == "done", "it is carried out")
    assert alice.backfills.row(alice.errands.show(errand)["backfill"] or 0)["created_by"] == "alice"


# What is asked


def test_an_action_that_there_is_not(alice: Caller) -> None:
    assert code_of(alice.send(alice.signer.sign("DropEverything")), 404) == "InvalidAction.NotFound"


def test_another_version(alice: Caller) -> None:
    signed = alice.signer.sign("ListProjects", x_acs_version="2020-05-18")
    assert code_of(alice.send(signed), 400) == "InvalidVersion"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_a_method_that_there_is_not(alice: Caller, method: str) -> None:
    answer = alice.send(alice.signer.sign("ListProjects", method))
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    if method != "HEAD":
        assert code_of(answer, 405) == "UnsupportedHTTPMethod"


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_each_action_has_one_method(alice: Caller, action: Action) -> None:
    name, method = action.name, {"GET": "POST", "POST": "GET"}[action.method]
    assert code_of(alice.send(alice.signer.sign(name, method)), 405) == "UnsupportedHTTPMethod"


def test_a_large_body(alice: Caller) -> None:
    signed = alice.signer.sign("ListTasks", body=b"x" * ((1 << 20) + 1))
    assert code_of(alice.send(signed), 413) == "RequestTooLarge"


def without_end(alice: Caller, headers: Mapping[str, str]) -> tuple[int, int]:
    """The status of a request whose body goes on and on, and how many bytes of it were read."""
    read, sent = [], []

    async def receive() -> dict[str, object]:
        read.append(65_536)
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": told}
    asyncio.run(Door(alice.server.deployment)(scope, receive, send))  # type: ignore[arg-type]
    return sent[0]["status"], sum(read)  # type: ignore[return-value]


def test_a_body_without_end_is_not_read_to_its_end(alice: Caller) -> None:
    """Refused when so much has come."""
    signed = alice.signer.sign("ListTasks", form={"ProjectId": 1})
    status, read = without_end(alice, signed.headers)
    assert status == 413
    assert read <= (1 << 20) + 65_536


@pytest.mark.parametrize("who", ["nobody", "a key that there is not", "a wrong secret", "too late"])
def test_nothing_is_read_of_whom_nobody_knows(alice: Caller, who: str) -> None:
    """SEC-1: thousands of connections at once would each take the memory of a body."""
    key, secret = alice.signer.key_id, alice.signer.secret
    signer = {"a key that there is not": Signer("RFnone", secret), "a wrong secret": Signer(key, "wrong")}
    at = datetime.now(UTC) - timedelta(minutes=16) if who == "too late" else None
    headers = signer.get(who, alice.signer).sign("ListTasks", form={"ProjectId": 1}, at=at).headers
    if who == "nobody":
        headers = {"x-acs-action": "ListTasks"}
    status, read = without_end(alice, headers)
    assert status in (400, 404)
    assert read == 0


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_type": "application/json"}, "UnsupportedMediaType"),
        ({"content_encoding": "gzip"}, "UnsupportedContentEncoding"),
    ],
)
def test_another_kind_of_body(alice: Caller, headers: dict[str, str], code: str) -> None:
    signed = alice.signer.sign("ListTasks", body=b"{}", **headers)
    assert code_of(alice.send(signed), 415) == code


def test_what_breaks_tells_nothing(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """What broke stands in the log; nobody else is told."""

    def breaks(*_: object) -> None:
        raise RuntimeError("the password is xyzzy")

    bob = asking("bob")
    monkeypatch.setattr("retrofill.bootstrap.centers.Call.center", property(breaks))
    answer = bob.send(bob.signer.sign("ListProjects"))
    assert code_of(answer, 500) == "InternalError"
    assert "xyzzy" not in answer.text


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "MissingParameter.ProjectId"),
        ({"ProjectId": "one"}, "InvalidParameter.ProjectId"),
        ({"ProjectId": "-1"}, "InvalidParameter.ProjectId"),
        ({"ProjectId": "9" * 30}, "InvalidParameter.ProjectId"),
        ({"ProjectId": "1.0"}, "InvalidParameter.ProjectId"),
        ({"ProjectId": 1, "Ids": "1,2"}, "InvalidParameter.Ids"),
        ({"ProjectId": 1, "Ids": '["1"]'}, "InvalidParameter.Ids"),
        ({"ProjectId": 1, "Ids": [True]}, "InvalidParameter.Ids"),
        ({"ProjectId": 1, "Ids": list(range(501))}, "LimitExceeded.Ids"),
        ({"ProjectId": 1, "Ids": "[" * 100_000}, "InvalidParameter.Ids"),
        ({"ProjectId": 1, "Owner": "a\0b"}, "InvalidParameter.Owner"),
        ({"ProjectId": 1, "PageNumber": 0}, "InvalidParameter.PageNumber"),
        ({"ProjectId": 1, "PageSize": 0}, "InvalidParameter.PageSize"),
        ({"ProjectId": 1, "PageSize": 501}, "InvalidParameter.PageSize"),
        ({"ProjectId": 1, "SortBy": "Name"}, "InvalidParameter.SortBy"),
        ({"ProjectId": 1, "SortBy": "Id Down"}, "InvalidParameter.SortBy"),
        ({"ProjectId": 1, "ProjectEnv": "Dev"}, "InvalidParameter.ProjectEnv"),
        ({"ProjectId": 1, "TaskType": "ODPS_SQL"}, "InvalidParameter.TaskType"),
        ({"ProjectId": 1, "Admin": "true"}, "InvalidParameter.Unknown"),
        ({"ProjectId": 99}, "NotFound"),
        ({"ProjectId": 2}, "NotFound"),
        ({"ProjectId": 1, "WorkflowId": 7}, "NotFound.Workflow"),
    ],
)
def test_fields_that_cannot_be(alice: Caller, form: dict[str, object], code: str) -> None:
    """A filter that does not exist is refused, not overlooked; another's project is one that there is not (SEC-2)."""
    assert alice.refused("ListTasks", **form) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"ProjectId=1&ProjectId=2", "InvalidParameter.ProjectId"),
        (b"ProjectId=%FF", "InvalidParameter.Encoding"),
        (b"ProjectId=\xff", "InvalidParameter.Encoding"),
    ],
)
def test_a_form_that_cannot_be_read(alice: Caller, body: bytes, code: str) -> None:
    assert code_of(alice.send(alice.signer.sign("ListTasks", body=body)), 400) == code


def test_a_field_stands_where_it_belongs(alice: Caller) -> None:
    """Of a POST in the body, but for the few that the API has in the query."""
    signed = alice.signer.sign("ListTasks", query={"ProjectId": 1})
    assert code_of(alice.send(signed), 400) == "InvalidParameter.ProjectId"
    signed = alice.signer.sign("GetRerunWorkflowInstancesResult", query={"OperationId": "none"})
    assert code_of(alice.send(signed), 404) == "NotFound"


# Who may


def test_a_key_that_only_looks(asking: Asking) -> None:
    """SEC-1: its scope, whatever its user may do."""
    bob = asking("bob", Scope.READ)
    bob.ask("ListProjects")
    assert bob.refused("StopTaskInstances", Ids=[1]) == "Forbidden.AccessKeyScope"


@pytest.mark.parametrize(
    "action", [a for a in ACTIONS.values() if a.scope is not Scope.READ], ids=lambda a: a.name
)
def test_every_act_needs_more_than_looking(alice: Caller, action: Action) -> None:
    reader = caller(alice.server, "alice", Scope.READ)
    assert reader.refused(action.name) == "Forbidden.AccessKeyScope"


def test_acts_are_those_that_change_something() -> None:
    """So that a new action says what it is."""
    acts = {name for name, action in ACTIONS.items() if action.scope is Scope.OPERATE}
    assert {name for name in ACTIONS if not name.startswith(("List", "Get"))} == acts


def test_a_visitor_looks_and_does_nothing(server: Server, asking: Asking) -> None:
    """SEC-4: roles are judged by the center, as ever."""
    backfill = server.create()
    dave = asking("dave")
    dave.ask("ListProjects")
    (instance, *_) = (row["id"] for row in server.center("admin").instances.list()["items"])
    assert dave.refused("SuspendTaskInstances", Ids=[instance]) == f"Forbidden.{instance}"
    dates = [backfill * 100_000 + 1, backfill * 100_000 + 2]
    assert dave.refused("StopWorkflowInstances", Ids=dates) == f"Forbidden.{dates[0]}"


def test_without_the_header_it_is_a_page(alice: Caller) -> None:
    """`/` is the API's only with `x-acs-action`."""
    answer = alice.client.get("/")
    assert "x-acs-request-id" not in answer.headers
