"""Alerts from real processes to a real mail server and a real web server (POL-9)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from alerts import servers
from alerts.servers import MailServer, Sink
from e2e.sandboxes import Sandbox, finished, until

TASKS = """
good: {type: shell, schedule: "0 1 * * *", run: "true"}
bad: {type: shell, schedule: "0 1 * * *", run: exit 3}
"""
GOOD = ("--task", "good", "--bizdate", "2026-01-05")
BAD = ("--task", "bad", "--bizdate", "2026-01-05")
BY_EMAIL = ("--alert", "either", "--alert-by", "email")
TICK_AND_DIE = """
import os, signal, sys
from pathlib import Path
from retrofill.bootstrap.centers import open_call

project = open_call(sys.argv[1])
assert project.leadership.lead()

def die(ticked):
    if ticked.backfills_ended:
        os.kill(os.getpid(), signal.SIGKILL)
    return False

project.engine.run(die)
"""


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with servers.mail_server() as server:
        yield server


@pytest.fixture
def web() -> Iterator[Sink]:
    with servers.sink() as server:
        yield server


def project(sandbox: Sandbox, email: str = "", sms: str = "") -> Sandbox:
    """A project with these URLs, whose administrator can be reached."""
    lines = [f'  email: "{email}"'] if email else []
    lines += [f'  sms: "{sms}"'] if sms else []
    deployment = "\n".join(["alerts:", *lines, 'allow_internal: ["127.0.0.0/8"]']) if lines else ""
    sandbox.write(TASKS, deployment)
    sandbox.call("deploy")
    sandbox.call("user", "contact", "admin", "--email", "admin@example.org", "--phone", "+15551234567")
    return sandbox


def alerts(sandbox: Sandbox, number: int = 1) -> list[tuple[str, str, str]]:
    rows = sandbox.json("backfill", "show", number)["alerts"]
    return [(row["event"], row["method"], row["state"]) for row in rows]


def test_a_mail_tells_of_the_failure_before_the_command_leaves(sandbox: Sandbox, mails: MailServer) -> None:
    """POL-9: from `create --wait` alone, without another scheduler."""
    project(sandbox, mails.url)
    made = sandbox.run(
        "backfill", "create", *BAD, "--alert", "failure", "--alert-by", "email", "--wait", "--yes", status=1
    )
    assert "not be sent" not in made.stderr
    assert mails.received.qsize() == 1, "sent before it left"
    recipients, subject, text = mails.mail()
    assert recipients == ["admin@example.org"]
    assert subject.startswith('[test] Backfill 1 "')
    assert subject.endswith("failed")
    assert "w.bad of 2026-01-05 01:00: exit code 3" in text
    assert alerts(sandbox) == [("failure", "email", "sent")]
    assert "alert of failure by email: sent" in sandbox.call("backfill", "show", 1).stdout


@pytest.mark.slow
def test_a_text_message_tells_of_success(sandbox: Sandbox, web: Sink) -> None:
    """POL-9, SEC-3: the token of the service stays where it is."""
    project(sandbox, sms=f"json://127.0.0.1:{web.port}/sms/${{secret:SMS_TOKEN}}")
    command = ("backfill", "create", *GOOD, "--alert", "success", "--alert-by", "sms", "--wait", "--yes")
    made = sandbox.run(*command, RETROFILL_SECRET_SMS_TOKEN="t0p-s3cret")
    path, document = web.post()
    assert path == "/sms/t0p-s3cret"
    assert document["to"] == "+15551234567"
    assert "succeeded. 1 of 1 instance successful." in document["message"]
    home = sandbox.home / ".retrofill"
    stored = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert b"t0p-s3cret" not in stored
    assert "t0p-s3cret" not in made.stdout + made.stderr


@pytest.mark.slow
def test_a_scheduler_sends_what_others_create(sandbox: Sandbox, mails: MailServer) -> None:
    """POL-9: and goes on ticking meanwhile."""
    project(sandbox, mails.url)
    scheduler = sandbox.spawn("scheduler")
    sandbox.create(*GOOD, *BY_EMAIL)
    assert mails.mail()[1].endswith("succeeded")
    until(lambda: alerts(sandbox) == [("success", "email", "sent")], "it is noted")
    scheduler.send_signal(signal.SIGTERM)
    assert finished(scheduler).status == 0


@pytest.mark.slow
def test_what_a_killed_scheduler_did_not_send_the_next_one_sends(sandbox: Sandbox, mails: MailServer) -> None:
    """POL-9: killed after the commit that ends the backfill, before anything is sent."""
    project(sandbox, mails.url)
    sandbox.create(*BAD, *BY_EMAIL)
    killed = subprocess.run(
        [sys.executable, "-c", TICK_AND_DIE, str(sandbox.home)], env=sandbox.environment({}), check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert alerts(sandbox) == [("failure", "email", "pending")]
    assert mails.received.empty()
    sandbox.run("backfill", "wait", 1, status=1)
    assert mails.received.qsize() == 1
    assert alerts(sandbox) == [("failure", "email", "sent")]


@pytest.mark.slow
def test_a_scheduler_killed_while_it_sends_leaves_the_claim(sandbox: Sandbox, web: Sink) -> None:
    """POL-9: the moment at which a message may come twice: when the claim runs out, the next one sends."""
    project(sandbox, sms=f"json://127.0.0.1:{web.port}/x")
    scheduler = sandbox.spawn("scheduler")

    def kill() -> tuple[int, dict[str, str]]:
        os.kill(scheduler.pid, signal.SIGKILL)
        return 200, {}

    web.answer = kill
    sandbox.create(*GOOD, "--alert", "success", "--alert-by", "sms")
    assert web.post()[0] == "/x"
    scheduler.wait(30)
    (row,) = sandbox.json("backfill", "show", 1)["alerts"]
    assert (row["state"], row["tries"], row["sent_at"]) == ("sending", 1, None)
    assert row["next_try_at"] is not None


@pytest.mark.slow
def test_a_mail_server_that_is_away_is_left_to_the_next_scheduler(
    sandbox: Sandbox, mails: MailServer
) -> None:
    """POL-9: the command says so and leaves; the reason and the next try can be seen."""
    mails.stop()
    project(sandbox, mails.url)
    made = sandbox.run("backfill", "create", *GOOD, *BY_EMAIL, "--wait", "--yes")
    assert "The alert by email is not sent yet" in made.stderr
    assert "refused" in made.stderr
    (row,) = sandbox.json("backfill", "show", 1)["alerts"]
    assert (row["state"], row["tries"]) == ("pending", 1)
    assert "refused" in row["reason"]
    assert "tried 1 time, again at" in sandbox.call("backfill", "show", 1).stdout


@pytest.mark.parametrize("url", ["", "json://127.0.0.1:9/x"])
def test_what_keeps_an_alert_from_being_sent_is_said_at_once(sandbox: Sandbox, url: str) -> None:
    """POL-9: no URL, or nobody to send to; the backfill runs all the same."""
    project(sandbox, url)
    sandbox.call("user", "contact", "admin", "--email", "" if url else "a@example.org")
    made = sandbox.run("backfill", "create", *GOOD, *BY_EMAIL, "--wait", "--yes")
    reason = "admin has no e-mail address" if url else "the setting `alerts` has no `email`"
    assert f"As it is, the alert by email will not be sent: {reason}" in made.stderr
    assert alerts(sandbox) == [("success", "email", "undeliverable")]
    assert f"cannot be sent: {reason}" in sandbox.call("backfill", "show", 1).stdout


def test_a_contact_is_tested(sandbox: Sandbox, mails: MailServer, web: Sink) -> None:
    """POL-9: by each registered method; exit 1 when one fails."""
    project(sandbox, mails.url, f"json://127.0.0.1:{web.port}/sms")
    good = sandbox.call("user", "contact", "admin", "--test")
    assert "test by email to admin@example.org: sent" in good.stdout
    assert mails.mail()[1] == "[test] Test message"
    assert web.post()[1]["to"] == "+15551234567"
    web.answer = lambda: (500, {})
    bad = sandbox.json("user", "contact", "admin", "--test", status=1)
    assert [(row["method"], row["ok"]) for row in bad["tests"]] == [("email", True), ("sms", False)]
    assert "500" in bad["tests"][1]["error"]


def test_a_contact_that_is_not_registered_cannot_be_tested(sandbox: Sandbox) -> None:
    """POL-9."""
    project(sandbox)
    sandbox.call("user", "contact", "admin", "--email", "", "--phone", "")
    result = sandbox.call("user", "contact", "admin", "--test", status=2)
    assert "neither an e-mail address nor a phone number" in result.stderr
