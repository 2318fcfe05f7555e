"""Who acts: RETROFILL_USER, and what is noted of it."""

from __future__ import annotations

import stat
from contextlib import closing
from typing import Any

import pytest

from e2e.sandboxes import Sandbox
from e2e.served import Served
from retrofill.bootstrap.deployment import open_deployment
from retrofill.domain.people.visitors import Caller

MAKE = ("backfill", "create", "--task", "ops.raw", "--bizdate", "2026-01-05", "--yes", "--output", "json")


@pytest.mark.parametrize("command", [MAKE, ("task", "list"), ("backfill", "list"), ("deploy",), ("check",)])
@pytest.mark.parametrize("name", ["mallory", "", "Alice", "alice ", "a\x1b[2J"])
@pytest.mark.beside_store("who acts is said by RETROFILL_USER")
def test_nobody_is_refused_before_anything_is_done(
    project: Sandbox, command: tuple[str, ...], name: str
) -> None:
    """SEC-1: exit 4."""
    result = project.call(*command, status=4, RETROFILL_USER=name)
    assert "nobody is called" in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""
    assert not (project.home / ".retrofill").exists()


def test_members_exist(project: Sandbox) -> None:
    """SEC-1: whoever is named under members; the row says who created it."""
    assert project.call(*MAKE, RETROFILL_USER="bob").json["created_by"] == "bob"
    assert project.call(*MAKE).json["created_by"] == "admin"
    assert project.call(*MAKE, RETROFILL_USER="admin").json["created_by"] == "admin"


@pytest.mark.beside_store("who acts is said by RETROFILL_USER")
def test_members_of_the_deployed_version_count(project: Sandbox) -> None:
    """SEC-4: roles come from the deployed members."""
    project.call("deploy")
    workspace = project.home / "workspaces" / "ops" / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace("bob: operator", "eve: operator"))
    project.call("backfill", "list", RETROFILL_USER="bob")
    project.call("backfill", "list", status=4, RETROFILL_USER="eve")
    project.call("deploy")
    project.call("backfill", "list", RETROFILL_USER="eve")
    project.call("backfill", "list", status=4, RETROFILL_USER="bob")


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["user"] for row in rows]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("user", "list"), 0),
        (("user", "contact", "alice"), 0),
        (("user", "contact", "nobody"), 5),
        (("user", "contact", "alice", "--test"), 2),
        (("token", "list"), 0),
        (("token", "list", "--user", "alice"), 0),
        (("token", "revoke", "1"), 5),
    ],
)
@pytest.mark.beside_store("nothing is deployed yet")
def test_looking_at_people_makes_no_store(project: Sandbox, command: tuple[str, ...], status: int) -> None:
    """SEC-1: members of a folder that was never deployed are users already."""
    project.call(*command, status=status)
    assert not (project.home / ".retrofill").exists()


def test_a_member_of_a_fresh_folder_is_listed(project: Sandbox) -> None:
    assert names(project.json("user", "list")) == ["admin", "alice", "bob", "carol", "dave"]


def test_adding_a_user(project: Sandbox) -> None:
    """SEC-1: exists from then on, without a role, so that nothing is seen."""
    row = project.json("user", "add", "erin", "--email", "erin@example.org", "--phone", "+1 555-123-4567")
    assert (row["user"], row["email"], row["phone"]) == ("erin", "erin@example.org", "+15551234567")
    assert (row["administrator"], row["roles"]) == (False, {})
    assert names(project.json("user", "list")) == ["admin", "alice", "bob", "carol", "dave", "erin"]
    project.call("backfill", "list", RETROFILL_USER="erin")
    assert "there is a user erin already" in project.call("user", "add", "erin", status=6).stderr


def test_users_as_text(project: Sandbox) -> None:
    """SEC-1: with roles in words."""
    lines = project.call("user", "list").stdout.splitlines()
    assert lines[0].split() == ["USER", "ADMINISTRATOR", "ROLES", "EMAIL", "PHONE"]
    assert (
        "administrator of ops, visitor of bi" in lines[2] or "visitor of bi, administrator of ops" in lines[2]
    )


def test_system_administrators(project: Sandbox) -> None:
    """SEC-4: made and unmade by the command alone; one always stays."""
    assert project.json("user", "role", "bob", "administrator")["administrator"]
    assert project.json("user", "role", "alice", "administrator", RETROFILL_USER="bob")["administrator"]
    assert not project.json("user", "role", "bob", "none", RETROFILL_USER="bob")["administrator"]
    assert "every deployment keeps" in project.call("user", "role", "admin", "none", status=6).stderr
    error = project.call("user", "role", "bob", "operator", status=2).stderr
    assert "neither administrator nor none" in error
    assert "members" in error


def test_contacts(project: Sandbox) -> None:
    """POL-9: told, and registered by whoever it is or by a system administrator."""
    assert project.call("user", "contact", "bob").stdout.count("not registered") == 2
    row = project.json("user", "contact", "bob", "--email", "bob@example.org", RETROFILL_USER="bob")
    assert (row["email_registered"], row["phone_registered"]) == (True, False)
    assert "bob@example.org" in project.call("user", "contact", "bob").stdout
    assert project.json("user", "contact", "bob", "--email", "")["email"] is None


@pytest.mark.parametrize(
    ("args", "status", "part"),
    [
        (["user", "add", "e rin"], 2, "no name of a user"),
        (["user", "add", "erin", "--email", "erin"], 2, "no e-mail address"),
        (["user", "add", "erin", "--email", "erin@x.org\nBcc: all@x.org"], 2, "no e-mail address"),
        (["user", "add", "erin", "--phone", "5551234567"], 2, "country code"),
        (["user", "contact", "erin"], 5, 'no user "erin"'),
        (["user", "contact", "alcie"], 5, 'did you mean "alice"?'),
        (["user", "role", "erin", "administrator"], 5, 'no user "erin"'),
        (["token", "create", "--user", "erin"], 5, 'no user "erin"'),
        (["token", "create", "--label", "a\x1b[2J"], 2, "label"),
        (["token", "revoke", "7"], 5, "no token 7"),
        (["token", "revoke", "x"], 2, "no id of a token"),
    ],
)
def test_wrong_words_about_people(project: Sandbox, args: list[str], status: int, part: str) -> None:
    """SEC-1, POL-9: one sentence, nothing written."""
    result = project.call(*args, status=status)
    assert part in result.stderr
    assert "\x1b" not in result.stderr
    assert names(project.json("user", "list")) == ["admin", "alice", "bob", "carol", "dave"]


@pytest.mark.parametrize(
    "args",
    [
        ["user", "list"],
        ["user", "add", "erin"],
        ["user", "role", "alice", "administrator"],
        ["user", "contact", "bob"],
        ["user", "contact", "nobody"],
        ["token", "create", "--user", "bob"],
        ["token", "list", "--user", "bob"],
    ],
)
def test_users_are_the_system_administrators(project: Sandbox, args: list[str]) -> None:
    """SEC-4: exit 4 for everybody else, a workspace's administrator too."""
    assert "alice may not" in project.call(*args, status=4, RETROFILL_USER="alice").stderr


@pytest.mark.parametrize(
    "args",
    [
        ["backup", "alices.zip"],
        ["restore", "good.zip", "--force"],
        ["schedule", "pause"],
        ["schedule", "resume"],
        ["schedule", "accept-clock"],
        ["retention", "run"],
        ["retention", "run", "--dry-run"],
    ],
)
@pytest.mark.beside_store("copies of the store")
def test_what_concerns_every_workspace_is_the_system_administrators(filled: Sandbox, args: list[str]) -> None:
    """SEC-4: refused to an administrator of a workspace, before anything is done; the system administrator may."""
    filled.call("backup", "good.zip")
    before = filled.call("operation", "list", "--output", "json").stdout
    assert "alice may not" in filled.call(*args, status=4, RETROFILL_USER="alice").stderr
    assert filled.call("operation", "list", "--output", "json").stdout == before
    assert not (filled.home / "alices.zip").exists()
    filled.call(*args, status=None if "accept-clock" in args else 0)


@pytest.mark.beside_store("the token of the test is one too")
def test_tokens(project: Sandbox) -> None:
    """SEC-1: shown once on stdout, listed without the secret, revoked by whoever has it."""
    made = project.call("token", "create", "--label", "ci", RETROFILL_USER="bob")
    secret = made.stdout.strip()
    assert secret.startswith("retrofill_")
    assert secret not in made.stderr
    listed = project.call("token", "list", "--output", "json", RETROFILL_USER="bob")
    assert secret not in listed.stdout
    assert [(row["id"], row["user"], row["label"], row["revoked_at"]) for row in listed.json] == [
        (1, "bob", "ci", None)
    ]
    assert project.json("token", "list", RETROFILL_USER="alice") == []
    assert "no token 1" in project.call("token", "revoke", "1", status=5, RETROFILL_USER="alice").stderr
    project.call("token", "revoke", "1", RETROFILL_USER="bob")
    assert project.json("token", "list")[0]["revoked_at"] is not None


def test_a_token_for_somebody_else(project: Sandbox) -> None:
    """SEC-1: named as an argument or as an option, but for one."""
    assert project.json("token", "create", "alice")["user"] == "alice"
    assert project.json("token", "create", "--user", "alice")["user"] == "alice"
    both = project.call("token", "create", "alice", "--user", "bob", status=2)
    assert "USER is alice and --user is bob" in both.stderr


def test_a_token_reaches_as_far_as_it_is_made_for(project: Sandbox) -> None:
    """SEC-1: scope and expiry."""
    row = project.json("token", "create", "--scope", "read", "--expires", 90, RETROFILL_USER="bob")
    assert (row["scope"], row["used_at"]) == ("read", None)
    assert row["created_at"] < row["expires_at"]
    assert project.json("token", "create")["expires_at"] is None
    assert "days" in project.call("token", "create", "--expires", 0, status=2).stderr
    project.call("token", "create", "--scope", "everything", status=2)


def test_access_keys(project: Sandbox) -> None:
    """SEC-1: id and secret are told once; the secret is worked out from a file that only its owner reads."""
    made = project.call("access-key", "create", "--label", "sdk", RETROFILL_USER="bob")
    key_id, secret = made.stdout.split()
    assert secret not in made.stderr
    assert stat.S_IMODE((project.home / ".retrofill" / "server.key").stat().st_mode) == 0o600
    listed = project.call("access-key", "list", "--output", "json", RETROFILL_USER="bob")
    assert secret not in listed.stdout
    assert [(row["id"], row["user"], row["scope"]) for row in listed.json] == [(key_id, "bob", "operate")]
    assert project.json("access-key", "list", RETROFILL_USER="alice") == []
    absent = project.call("access-key", "revoke", key_id, status=5, RETROFILL_USER="alice").stderr
    assert f'no access key "{key_id}"' in absent
    project.call("access-key", "revoke", key_id, RETROFILL_USER="bob")
    assert project.json("access-key", "list")[0]["revoked_at"] is not None


def test_the_password_until_now_is_the_next_line(project: Sandbox, way: Served | None) -> None:
    """SEC-6: at a server one's own is changed and removed by who knows it; beside the store, by who owns the folder."""
    needed, wrong = "says the one until now", "not the password that is used until now"
    steps: list[tuple[tuple[str, ...], str, str]] = [
        ((), "first long one", ""),
        ((), "second long one\nfirst long one", ""),
        ((), "third long one", needed),
        ((), "third long one\nfirst long one", wrong),
        (("--remove",), "", needed),
        (("--remove",), "first long one", wrong),
        (("--remove",), "second long one", ""),
    ]
    for more, lines, refusal in steps:
        status = 2 if refusal and way is not None else 0
        done = project.run("user", "password", *more, stdin=lines, status=status, RETROFILL_USER="bob")
        assert not status or refusal in done.stderr
        assert "long one" not in done.stdout + done.stderr


def test_a_password_is_read_from_standard_input(project: Sandbox) -> None:
    """SEC-6: and stands nowhere else."""
    for ending in ("\n", "\r\n", ""):
        done = project.run("user", "password", "bob", stdin=f"correct horse battery{ending}")
        assert "bob has a password." in done.stdout
        assert "horse" not in done.stdout + done.stderr
    refused = project.run("user", "password", "bob", stdin="short\n", status=2)
    assert "10 to 256 characters" in refused.stderr
    assert "short" not in refused.stderr.replace("too short", "")
    project.run("user", "password", "bob", status=2)
    removed = project.json("user", "password", "bob", "--remove")
    assert removed == {"user": "bob", "has_password": False, "ended_sessions": []}
    assert (
        "alice may not"
        in project.call("user", "password", "bob", "--remove", status=4, RETROFILL_USER="alice").stderr
    )


def test_a_link_and_the_session_that_it_opens(project: Sandbox, way: Served | None) -> None:
    """SEC-1: for oneself, or for others by a system administrator; the session is listed and ended."""
    origin = "http://127.0.0.1:8080" if way is None else way.url(project.home).rpartition("/")[0]
    link = project.call("user", "link", RETROFILL_USER="bob").stdout.strip()
    assert link.startswith(f"{origin}/sign-in?link=retrofill_"), "where the server was reached"
    shown = project.json("user", "link", "bob", RETROFILL_PUBLIC_ORIGIN="https://retrofill.example.org")[
        "link"
    ]
    if way is None:
        origin = "https://retrofill.example.org"
    assert shown.startswith(f"{origin}/sign-in?link=")
    assert "alice may not" in project.call("user", "link", "bob", status=4, RETROFILL_USER="alice").stderr
    assert "Nobody has signed in." in project.call("user", "sessions").stderr
    with closing(open_deployment(str(project.home), {})) as deployment:
        secret = shown.partition("link=")[2]
        deployment.reception.open_link(secret, Caller("192.0.2.1", "Browser \x1b[2J"))
    (row,) = project.json("user", "sessions", RETROFILL_USER="bob")
    assert (row["way"], row["address"], row["browser"]) == ("link", "192.0.2.1", "Browser ?[2J")
    assert project.json("user", "sessions", RETROFILL_USER="alice") == []
    project.call("user", "sign-out", "--session", row["id"], status=5, RETROFILL_USER="alice")
    assert project.json("user", "sign-out", "--session", row["id"]) == {"ended_sessions": [row["id"]]}
    assert project.call("user", "sign-out", "bob").stdout == "0 sessions ended.\n"
