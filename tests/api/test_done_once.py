"""What makes something is done once, however often it is sent with its key (`Idempotency-Key`)."""

from __future__ import annotations

from typing import Any

import pytest

from api.servers import OPEN, Server, problem
from api.test_deploying import body, project
from retrofill.api.links import PREFIX
from retrofill.api.operations import operations_of

MAKES: dict[str, tuple[str, dict[str, Any]]] = {
    "people.add": ("/users", {"name": "erin"}),
    "people.create_link": ("/users/alice/link", {}),
    "people.create_token": ("/tokens", {"label": "nightly"}),
    "people.create_access_key": ("/access-keys", {"label": "nightly"}),
    "saved.save": ("/saved-forms", {"page": "backfills", "fields": {"status": ["failed"]}, "name": "failed"}),
    "versions.deploy_again": ("/versions/1/deploy", {}),
}


def test_everything_that_makes_something_stands_here(shared_server: Server) -> None:
    """So that a new one takes a key."""
    makes = {one.id for _, _, one in operations_of(shared_server.app) if one.status == 201}
    assert makes - {"backfills.create"} <= MAKES.keys()


def test_files_that_are_deployed_are_deployed_once(server: Server) -> None:
    """CAT-9: what is deployed already makes no version, with a key or without."""
    files, key = body(project(OPEN.replace("one", "two"))), {"Idempotency-Key": "one"}
    for is_new in (True, False):
        answer = server.by("admin").post(f"{PREFIX}/versions", json=files, headers=key).json()
        assert (answer["version"], answer["new"]) == (2, is_new)


@pytest.mark.parametrize("name", MAKES)
def test_it_is_done_once(server: Server, name: str) -> None:
    """Its key is written where it is made: either both are there, or neither."""
    if name == "versions.deploy_again":
        server.by("admin").post(f"{PREFIX}/versions", json=body(project(OPEN.replace("true", "false"))))
    path, given = MAKES[name]
    admin, key = server.by("admin"), {"Idempotency-Key": "one"}
    made = admin.post(PREFIX + path, json=given, headers=key)
    assert made.status_code in (200, 201), made.text
    operations = len(admin.get(f"{PREFIX}/operations").json()["items"])
    again = problem(admin.post(PREFIX + path, json=given, headers=key), 409)
    assert again["code"] == "already_made"
    assert len(admin.get(f"{PREFIX}/operations").json()["items"]) == operations
    assert admin.post(f"{PREFIX}/tokens", json={"label": "x"}, headers=key).status_code == 422


def test_what_was_refused_is_not_done(server: Server) -> None:
    """Its key is free."""
    admin, key = server.by("admin"), {"Idempotency-Key": "one"}
    problem(admin.post(f"{PREFIX}/users", json={"name": "a b"}, headers=key), 422)
    assert admin.post(f"{PREFIX}/users", json={"name": "erin"}, headers=key).status_code == 201


def test_each_has_keys_of_their_own(server: Server) -> None:
    key = {"Idempotency-Key": "one"}
    for user in ("alice", "bob"):
        assert server.by(user).post(f"{PREFIX}/tokens", json={}, headers=key).status_code == 201
