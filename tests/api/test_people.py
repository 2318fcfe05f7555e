"""Users, sessions and keys over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from api.servers import Server, problem

Body = dict[str, Any]


def test_who_one_is(server: Server) -> None:
    """SEC-1."""
    me = server.by("bob").get("/api/v1/me").json()
    assert me == {
        "user": "bob", "administrator": False, "roles": {"open": "operator"}, "email": None, "phone": None,
        "created_at": None, "has_password": False,
    }  # fmt: skip
    assert server.by("admin").get("/api/v1/me").json()["administrator"]


def test_users_are_added_and_changed(server: Server) -> None:
    """SEC-1, SEC-4."""
    admin = server.by("admin")
    made = admin.post("/api/v1/users", json={"name": "erin", "email": "erin@example.org"})
    assert (made.status_code, made.json()["email"]) == (201, "erin@example.org")
    assert problem(admin.post("/api/v1/users", json={"name": "erin"}), 409)["code"] == "user_exists"
    assert admin.patch("/api/v1/users/erin", json={"is_administrator": True}).json()["administrator"]
    assert admin.patch("/api/v1/users/erin/contact", json={"phone": "+15551234567"}).json() == {
        "user": "erin", "email": "erin@example.org", "phone": "+15551234567",
        "email_registered": True, "phone_registered": True,
    }  # fmt: skip
    assert [user["user"] for user in admin.get("/api/v1/users").json()["items"]] == [
        "admin", "alice", "bob", "carol", "dave", "erin", "greta",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "users", None),
        ("POST", "users", {"name": "mallory"}),
        ("PATCH", "users/alice", {"is_administrator": True}),
        ("GET", "users/greta/contact", None),
        ("PATCH", "users/greta/contact", {"email": "m@example.org"}),
        ("POST", "users/greta/test-message", None),
        ("POST", "users/greta/link", {}),
        ("POST", "users/greta/password", {"password": "mallory's own"}),
        ("DELETE", "users/greta/password", None),
        ("DELETE", "users/greta/sessions", None),
        ("GET", "sessions?user=greta", None),
        ("POST", "tokens", {"user": "greta"}),
        ("GET", "tokens?user=greta", None),
        ("POST", "access-keys", {"user": "greta"}),
        ("GET", "access-keys?user=greta", None),
    ],
)
def test_what_is_others_is_for_system_administrators(
    shared_server: Server, method: str, path: str, body: Body | None
) -> None:
    """SEC-4: whether there is somebody of this name is not told either (SEC-2)."""
    alice = shared_server.by("alice")
    one = problem(alice.request(method, f"/api/v1/{path}", json=body), 403)
    absent = path.replace("greta", "nobody")
    other_body = body and {key: "nobody" if value == "greta" else value for key, value in body.items()}
    assert problem(alice.request(method, f"/api/v1/{absent}", json=other_body), 403) == one


def test_a_token_is_shown_once_and_reaches_as_far_as_it_was_made_for(server: Server) -> None:
    """SEC-1: scope and expiry; a small token makes no larger one."""
    alice = server.by("alice")
    made = alice.post("/api/v1/tokens", json={"label": "look", "scope": "read", "days": 7}).json()
    assert made["token"].startswith("retrofill_")
    (row,) = (token for token in alice.get("/api/v1/tokens").json()["items"] if token["label"] == "look")
    assert row == {key: value for key, value in made.items() if key != "token"}
    looking = server.anybody
    looking.headers["Authorization"] = f"Bearer {made['token']}"
    assert looking.get("/api/v1/backfills").status_code == 200
    for method, path, body in (
        ("POST", "backfills/1/stop", {}),
        ("POST", "tokens", {"scope": "admin"}),
        ("POST", "users/alice/password", {"password": "another one"}),
        ("POST", "users/alice/link", {}),
        ("POST", "access-keys", {}),
    ):
        found = problem(looking.request(method, f"/api/v1/{path}", json=body), 403)
        assert found["code"] == "scope_too_small"
    assert alice.delete(f"/api/v1/tokens/{made['id']}").json()["revoked_at"] is not None
    found = problem(looking.get("/api/v1/backfills"), 401)
    assert found["code"] == "token_ended"
    assert found["detail"].startswith("this token was revoked, on 20")


def test_an_access_key_is_shown_once(server: Server) -> None:
    """SEC-1."""
    alice = server.by("alice")
    made = alice.post("/api/v1/access-keys", json={"label": "sdk"})
    assert made.status_code == 201
    key = made.json()
    signer = server.deployment.reception.by_access_key(key["id"])
    assert signer is not None
    assert (signer.visitor.user, signer.secret) == ("alice", key["access_key_secret"])
    (row,) = alice.get("/api/v1/access-keys").json()["items"]
    assert row.keys() == key.keys() - {"access_key_id", "access_key_secret"}
    assert server.by("greta").get("/api/v1/access-keys").json()["items"] == []
    alice.delete(f"/api/v1/access-keys/{key['id']}")
    assert server.deployment.reception.by_access_key(key["id"]) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "tokens/999"),
        ("DELETE", "sessions/999"),
        ("DELETE", "access-keys/RF0"),
    ],
)
def test_what_there_is_not_is_unknown(shared_server: Server, method: str, path: str) -> None:
    problem(shared_server.by("alice").request(method, f"/api/v1/{path}"), 404)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users", {"name": "erin", "admin": True}),
        ("users", {"name": "e\0"}),
        ("users", {"name": "x" * 1_001}),
        ("tokens", {"scope": "everything"}),
        ("tokens", {"days": 0}),
        ("tokens", {"label": ["x"]}),
        ("users/admin/link", {"minutes": 0}),
        ("users/admin/password", {"password": "short"}),
        ("users/admin/password", {"password": "x" * 10_001}),
        ("users/admin/password", {}),
    ],
)
def test_what_is_misread_is_refused_and_not_repeated(shared_server: Server, path: str, body: Body) -> None:
    """SEC-3: a password that is refused stands in no answer."""
    answer = shared_server.by("admin").post(f"/api/v1/{path}", json=body)
    problem(answer, 422)
    assert "short" not in answer.text.replace("too short", "")
    assert "xxxxxxxxxx" not in answer.text


def test_whoever_changes_their_own_password_says_the_one_until_now(server: Server) -> None:
    """SEC-6: others' are set without, by system administrators."""
    alice, admin = server.by("alice"), server.by("admin")
    first = alice.post("/api/v1/users/alice/password", json={"password": "first long one"})
    assert first.json() == {"user": "alice", "has_password": True, "ended_sessions": []}
    found = problem(alice.post("/api/v1/users/alice/password", json={"password": "second long one"}), 422)
    assert "`current`" in found["hint"]
    wrong = {"password": "second long one", "current": "not this one"}
    assert problem(alice.post("/api/v1/users/alice/password", json=wrong), 422)["code"] == "wrong_password"
    right = {"password": "second long one", "current": "first long one"}
    assert alice.post("/api/v1/users/alice/password", json=right).status_code == 200
    assert admin.post("/api/v1/users/alice/password", json={"password": "third long one"}).status_code == 200


def test_whoever_removes_their_own_password_says_it(server: Server) -> None:
    """SEC-6: or whoever finds a token, or a browser left open, sets another one after that."""
    alice, admin, path = server.by("alice"), server.by("admin"), "/api/v1/users/alice/password"
    assert alice.delete(path).status_code == 200, "there is none that could be said"
    assert admin.post(path, json={"password": "first long one"}).status_code == 200
    assert problem(alice.delete(path), 422)["code"] == "current_password_needed"
    wrong = alice.request("DELETE", path, json={"current": "not this one"})
    assert problem(wrong, 422)["code"] == "wrong_password"
    right = alice.request("DELETE", path, json={"current": "first long one"})
    assert not right.json()["has_password"]
    assert admin.post(path, json={"password": "second long one"}).status_code == 200
    assert not admin.delete(path).json()["has_password"]
