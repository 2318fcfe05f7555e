"""Webhooks out: other systems are told, and go on."""

from __future__ import annotations

import json

import pytest

from checks.servers import raw, serving
from e2e.sandboxes import Sandbox

pytestmark = pytest.mark.slow

TASKS = """
good: {type: shell, schedule: "0 1 * * *", run: "true"}
bad: {type: shell, schedule: "0 1 * * *", run: "exit 3"}
"""
DAY = ("--bizdate", "2026-01-05")


def test_ends_are_posted_and_shown(sandbox: Sandbox) -> None:
    """POL-9, SEC-3: signed, with the row and what failed; `backfill show` says what became of it."""
    with serving(raw(b"", 204)) as server:
        hook = f'webhooks: {{ops: {{url: "{server.url("/${secret:TOKEN}")}", secret: "${{secret:HOOK}}"}}}}'
        sandbox.write(TASKS, f"settings: {{allow_internal: [127.0.0.0/8], {hook}}}")
        secrets = {"RETROFILL_SECRET_TOKEN": "t0ken", "RETROFILL_SECRET_HOOK": "k3y"}
        own = ("--notify", server.url("/own?a=b3tray"))
        made = sandbox.run(
            "backfill", "create", "--task", "bad", *DAY, *own, "--yes", "--wait", status=1, **secrets
        )
    assert sorted(one.path for one in server.asked) == ["/own?a=b3tray", "/t0ken"]
    (named,) = [one for one in server.asked if one.path == "/t0ken"]
    (other,) = [one for one in server.asked if one.path != "/t0ken"]
    assert "X-Retrofill-Signature" in named.headers
    assert "X-Retrofill-Signature" not in other.headers
    document = json.loads(other.body)
    assert (document["event"], document["backfill"]["status"]) == ("backfill.failure", "failed")
    assert [row["task"] for row in document["failures"]] == ["w.bad"]
    shown = sandbox.json("backfill", "show", 1)
    assert {(row["method"], row["state"]) for row in shown["alerts"]} == {
        ("webhook", "sent"),
        ("webhook:ops", "sent"),
    }
    assert shown["request"]["notify"] == server.url("").rstrip("/")
    text = sandbox.call("backfill", "show", 1).stdout
    assert "alert of failure by webhook:ops: sent" in text
    told = made.stdout + made.stderr + text + json.dumps(shown)
    assert not [word for word in ("t0ken", "k3y", "b3tray") if word in told]


def test_an_address_that_is_none(sandbox: Sandbox) -> None:
    """POL-9: refused before anything is made, with what to write."""
    sandbox.write(TASKS)
    create = ("backfill", "create", "--task", "good", *DAY, "--yes", "--notify")
    refused = sandbox.call(*create, "https://user:hush@x/", status=2)
    assert "the address is none that begins with https" in refused.stderr.replace("http:// or ", "")
    assert "hush" not in refused.stderr
    assert sandbox.json("backfill", "list") == []


def test_an_internal_address_is_not_reached(sandbox: Sandbox) -> None:
    """POL-9, VER-3: it is said why; the backfill itself succeeds."""
    with serving(raw(b"", 204)) as server:
        sandbox.write(TASKS)
        sandbox.run("backfill", "create", "--task", "good", *DAY, "--yes", "--wait", "--notify", server.url())
        assert server.asked == []
    (row,) = sandbox.json("backfill", "show", 1)["alerts"]
    assert (row["state"], row["tries"]) == ("undeliverable", 1)
    assert "internal address" in row["reason"]
    assert "add its network to `allow_internal`" in row["reason"]


@pytest.mark.parametrize("host", ["localhost", "10.1.2.3", "[::1]"])
def test_an_internal_address_is_told_of_before(sandbox: Sandbox, host: str) -> None:
    """POL-9, VER-3: `check` and `doctor` say which, and what allows it."""
    hook = f'webhooks: {{ops: {{url: "http://{host}:9/x"}}}}'
    sandbox.write(TASKS, hook)
    (warning,) = sandbox.json("check")["warnings"]
    assert warning["code"] == "internal_address"
    assert warning["message"].startswith("webhooks.ops: ")
    rows = {row["check"]: row for row in sandbox.json("doctor", status=1)}
    assert "add its network to `allow_internal`" in rows["webhooks"]["detail"]
    sandbox.write(TASKS, hook + '\nallow_internal: [127.0.0.0/8, 10.0.0.0/8, "::1/128"]')
    assert sandbox.json("check")["warnings"] == []
