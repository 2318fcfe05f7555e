"""Extension checks on the command line, with real plugins and real servers."""

from __future__ import annotations

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from checks.packages import importable, install
from checks.servers import says, serving
from e2e.sandboxes import Sandbox, finished, until

DAY = ("--task", "a", "--bizdate", "2026-01-05")
ONE = 'a: {type: shell, run: "true", schedule: "0 1 * * *"}'


def gated(sandbox: Sandbox, *urls: str, more: str = "allow_internal: [127.0.0.0/8]") -> Sandbox:
    """A project with one task and these webhooks, called gate0, gate1, ..."""
    hooks = ", ".join(f'gate{i}: {{url: "{url}", retries: 0, timeout: 5m}}' for i, url in enumerate(urls))
    return sandbox.write(ONE, f"checks: {{{hooks}}}\n{more}")


def test_a_plan_tells_whom_create_will_ask(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VER-3: and asks nobody."""
    packages = importable(tmp_path / "packages", monkeypatch)
    install(packages, "mine", "return fail('no')")
    with serving(says("fail")) as server:
        gated(sandbox, server.url())
        text = sandbox.call("backfill", "plan", *DAY).stdout
        assert text.splitlines()[-1] == "`backfill create` will ask the extension checks gate0, mine."
        assert sandbox.json("backfill", "plan", *DAY)["checks_to_ask"] == ["gate0", "mine"]
        assert server.asked == []
    sandbox.write(ONE)
    monkeypatch.undo()
    assert "checks_to_ask" not in sandbox.json("backfill", "plan", *DAY)


def test_a_failed_check_is_exit_3(sandbox: Sandbox) -> None:
    """VER-3: with the first create after the setting was written; everything can be read later."""
    with serving(says("fail", "ask Ann first")) as no, serving(says("warn", "busy")) as hm:
        gated(sandbox, hm.url(), no.url())
        made = sandbox.call("backfill", "create", *DAY, "--allow-risks", "--yes", status=3)
        assert "Asking the extension checks gate0, gate1." in made.stderr
        assert "An extension check said no: the backfill is stored, and nothing of it runs." in made.stderr
        assert "risk check_failed: The extension check gate1 failed: ask Ann first." in made.stdout
        row = sandbox.create(*DAY, status=3)
    assert (row["check_status"], row["status"]) == ("failed", "stopped")
    assert [finding["code"] for finding in row["findings"]] == ["check_failed", "check_warned"]
    kept = sandbox.json("backfill", "analysis", row["id"])
    assert kept["checks"] == [
        {"check": "gate0", "result": "warn", "message": "busy"},
        {"check": "gate1", "result": "fail", "message": "ask Ann first"},
    ]
    assert "check gate1: fail: ask Ann first" in sandbox.call("backfill", "analysis", row["id"]).stdout
    assert [r["id"] for r in sandbox.json("backfill", "list", "--check-status", "failed")] == [2, 1]
    refused = sandbox.call("backfill", "resume", row["id"], status=6)
    assert f"create --reuse {row['id']} --allow-risks" in refused.stderr
    assert "but not a failed extension check" in " ".join(refused.stderr.split())


def test_a_passed_check_lets_it_run(sandbox: Sandbox) -> None:
    """VER-3: webhooks and plugins alike; a warning goes to stderr."""
    with serving(says("warn", "busy")) as server:
        gated(sandbox, server.url())
        made = sandbox.run("backfill", "create", *DAY, "--yes", "--wait")
    assert "warning check_warned: The extension check gate0 warns: busy." in made.stderr
    assert "Succeeded" in made.stdout


def test_a_plugin_is_asked(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VER-3: as soon as its package is installed."""
    packages = importable(tmp_path / "packages", monkeypatch)
    install(packages, "mine", "return fail(f\"no {question['plan']['tasks'][0]['task']} today\")")
    sandbox.write(ONE)
    row = sandbox.create(*DAY, status=3)
    assert row["findings"][0]["message"] == "The extension check mine failed: no w.a today."
    gated(sandbox, "https://example.com/").write(ONE, 'checks: {mine: {url: "https://example.com/"}}')
    both = sandbox.call("backfill", "create", *DAY, "--yes", status=2)
    assert "checks (mine) is also the name of an installed plugin" in both.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "169.254.169.254"])
def test_webhooks_do_not_lead_inside(sandbox: Sandbox, host: str) -> None:
    """VER-3: unless allow_internal says so."""
    with serving(says("pass")) as server:
        gated(sandbox, server.url(host=host), more="")
        row = sandbox.create(*DAY, status=3)
        assert "internal address" in row["findings"][0]["message"]
        assert server.asked == []


def test_secrets_are_resolved_when_a_check_is_asked(sandbox: Sandbox) -> None:
    """SEC-3: they are in no row, no output and no file of the store."""
    with serving(says("fail")) as server:
        url = server.url("/${secret:TOKEN}")
        hook = f'checks: {{gate: {{url: "{url}", secret: "${{secret:HOOK}}", retries: 0, timeout: 5m}}}}'
        sandbox.write(ONE, f"{hook}\nallow_internal: [127.0.0.0/8]")
        missing = sandbox.create(*DAY, status=3)
        assert "there is no secret TOKEN" in missing["findings"][0]["message"]
        secrets = {"RETROFILL_SECRET_TOKEN": "tok-123", "RETROFILL_SECRET_HOOK": "hook-456"}
        made = sandbox.call("backfill", "create", *DAY, "--yes", status=3, **secrets)
    assert server.asked[0].path == "/tok-123"
    found = [
        made.stdout,
        made.stderr,
        *(p.read_text("latin-1") for p in sandbox.home.rglob("*") if p.is_file()),
    ]
    assert not any(secret in text for text in found for secret in secrets.values())


@pytest.mark.slow
def test_a_killed_create_is_taken_up(sandbox: Sandbox) -> None:
    """VER-3: it is seen in `checking`, loses nothing when it is killed, and the next who waits asks again."""
    killed = threading.Event()

    def thinks(handler: BaseHTTPRequestHandler) -> None:
        killed.wait(30)
        says("pass")(handler)

    with serving(thinks, says("pass")) as server:
        gated(sandbox, server.url())
        sandbox.call("deploy")
        creating = sandbox.spawn("backfill", "create", *DAY, "--yes", "--wait", "--name", "lost?")
        until(lambda: server.asked, "the check was asked")
        (row,) = sandbox.json("backfill", "list", "--check-status", "checking")
        assert (row["name"], row["status"], row["bizdates"]) == ("lost?", "pending", ["2026-01-05"])
        assert sandbox.json("backfill", "list", "--bizdate", "2026-01-05", "--task", "a") == [row]
        os.kill(creating.pid, signal.SIGKILL)
        creating.wait()
        killed.set()
        done = sandbox.run("backfill", "wait", row["id"], "--output", "json").json
    assert (done["check_status"], done["status"]) == ("passed", "succeeded")
    assert len(server.asked) == 2


def test_an_interrupted_create_is_not_there(sandbox: Sandbox) -> None:
    """VER-3: Ctrl-C while a check thinks; exit 130."""
    over = threading.Event()

    def thinks(handler: BaseHTTPRequestHandler) -> None:
        over.wait(30)

    with serving(thinks) as server:
        gated(sandbox, server.url())
        creating = sandbox.spawn("backfill", "create", *DAY, "--yes")
        until(lambda: server.asked, "the check was asked")
        os.kill(creating.pid, signal.SIGINT)
        result = finished(creating)
        over.set()
    assert result.status == 130
    assert "Interrupted: the backfill was not created." in result.stderr
    assert sandbox.json("backfill", "list") == []


@pytest.mark.slow
def test_a_scheduler_asks_without_standing_still(sandbox: Sandbox) -> None:
    """VER-3: what a crash left is checked while other instances run."""
    go = threading.Event()

    def thinks(handler: BaseHTTPRequestHandler) -> None:
        go.wait(300)
        says("pass")(handler)

    with serving(thinks, thinks, says("pass")) as server:
        gated(sandbox, server.url())
        sandbox.call("deploy")
        creating = sandbox.spawn("backfill", "create", *DAY, "--yes")
        until(lambda: server.asked, "the check was asked")
        os.kill(creating.pid, signal.SIGKILL)
        creating.wait()
        sandbox.spawn("scheduler")
        until(lambda: len(server.asked) == 2, "the scheduler asks again")
        second = sandbox.run("backfill", "create", *DAY, "--yes", "--wait", "--output", "json").json
        assert second["status"] == "succeeded", "while the check of the first still thinks"
        assert sandbox.json("backfill", "show", 1)["check_status"] == "checking"
        go.set()
        until(lambda: sandbox.json("backfill", "show", 1)["status"] == "succeeded", "the first has run")
