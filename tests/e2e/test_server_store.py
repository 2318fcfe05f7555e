"""A project whose store lies on a server, from the command line: named, refused, moved, woken from elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from databases import postgres
from e2e.sandboxes import Sandbox, until
from retrofill.store.sqlite.staying import staying_open

TASKS = "a: {type: shell, run: 'echo hello', schedule: '@daily'}"


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as one:
        yield one


def test_it_is_known_without_deploying_and_its_password_is_nowhere(sandbox: Sandbox, url: str) -> None:
    """SEC-3: in retrofill.yaml as a secret; the environment wins."""
    password = "not-a-secret"
    named = url.replace(password, "${secret:STORE}")
    sandbox.write(TASKS, f'settings: {{store: "{named}"}}')
    secret = {"RETROFILL_SECRET_STORE": password}
    said = [
        sandbox.run("deploy", **secret),
        sandbox.run("doctor", status=None, **secret),
        sandbox.run("task", "list", **secret),
        sandbox.run("task", "list", status=7, RETROFILL_SECRET_STORE="wrong"),
        sandbox.run("task", "list", status=2),
        sandbox.run("store", "check", **secret),
    ]
    assert all(password not in one.stdout + one.stderr for one in said)
    assert "it refuses the password" in said[3].stderr
    assert "store names the secret STORE" in said[4].stderr
    assert not (sandbox.home / ".retrofill" / "retrofill.db").exists()
    assert sandbox.json("task", "list", RETROFILL_STORE="")[0]["id"] is None, (
        "the embedded one, which is empty"
    )


@pytest.mark.parametrize("wrong", ["mysql://db/x", "postgresql://", "db.example.com"])
def test_what_is_no_url(sandbox: Sandbox, wrong: str) -> None:
    """CAT-1: one sentence, from wherever it comes, and what to write."""
    sandbox.write(TASKS)
    said = sandbox.run("task", "list", status=2, RETROFILL_STORE=wrong).stderr
    assert "(environment)" in said
    assert "postgresql://USER" in said
    sandbox.write(TASKS, f'settings: {{store: "{wrong}"}}')
    assert "`settings:` in retrofill.yaml" in sandbox.run("task", "list", status=2).stderr
    assert "postgresql://USER" in sandbox.run("check", status=2, RETROFILL_STORE="").stderr


def test_a_copy_waits_for_nobody_who_is_at_work(sandbox: Sandbox, url: str) -> None:
    """RUN-8: only a store at rest is copied."""
    sandbox.write(TASKS)
    sandbox.run("deploy")
    scheduler = sandbox.spawn("scheduler")
    until(lambda: " as process " in _scheduler_of(sandbox), "it leads")
    sandbox.run("store", "copy", "--to", url, status=6)
    scheduler.send_signal(signal.SIGINT)
    scheduler.wait(30)
    with staying_open(sandbox.home / ".retrofill"):  # as a server does
        assert "has the store open" in sandbox.run("store", "copy", "--to", url, status=6).stderr
    sandbox.run("store", "copy", "--to", url)
    assert sandbox.json("task", "list", RETROFILL_STORE=url)[0]["id"] == 1


def test_a_copy_takes_no_run_along(sandbox: Sandbox, url: str) -> None:
    """RUN-8: a run goes on without a scheduler, and would be nobody's in the copy."""
    sandbox.write(
        "a: {type: shell, run: 'touch started; until [ -e go ]; do sleep 0.1; done', schedule: '@daily'}"
    )
    sandbox.run("deploy")
    waiting = sandbox.spawn("backfill", "create", "--task", "a", "--bizdate", "2026-01-01", "--wait", "--yes")
    until(lambda: list(sandbox.home.glob("workspaces/w/started")), "it runs")
    waiting.kill()
    waiting.wait(30)
    assert "that of instance 1" in sandbox.run("store", "copy", "--to", url, status=6).stderr
    sandbox.home.joinpath("workspaces", "w", "go").touch()
    assert sandbox.run("backfill", "wait", 1).status == 0
    sandbox.run("store", "copy", "--to", url)


@pytest.mark.parametrize("password", ["hun@ter2", "hun/ter2", "hun%zz"])
def test_a_password_that_would_be_misread(sandbox: Sandbox, password: str) -> None:
    """SEC-3: libpq would take a part of it for the host, which messages show."""
    sandbox.write(TASKS)
    said = sandbox.run(
        "task", "list", status=2, RETROFILL_STORE=f"postgresql://u:{password}@127.0.0.1:1/db"
    ).stderr
    assert "%40" in said
    assert "hun" not in said
    assert "ter2" not in said


def _scheduler_of(sandbox: Sandbox) -> str:
    found = {check["check"]: check["detail"] for check in sandbox.json("doctor", status=None)}
    return str(found["scheduler"])


@pytest.mark.slow
def test_a_scheduler_survives_its_server(sandbox: Sandbox) -> None:
    """RUN-1, RUN-3: the server goes in the middle and comes back; each instance has run once."""
    import tempfile
    from pathlib import Path

    from databases.server import Server

    if not os.environ.get("RETROFILL_TEST_POSTGRES"):
        postgres.server()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o711)  # noqa: S103
        server = Server(Path(directory))
        try:
            store = {"RETROFILL_STORE": postgres.with_name(server.url, "shop")}
            postgres.execute(server.url, "CREATE DATABASE shop")
            _through_a_restart(sandbox, server, store)
        finally:
            server.stop()


def _through_a_restart(sandbox: Sandbox, server: object, store: dict[str, str]) -> None:
    run = "echo $RETROFILL_BIZDATE >> ../../ran; sleep 0.3"
    sandbox.write(f"a: {{type: shell, run: '{run}', schedule: '@daily'}}")
    sandbox.run(
        "backfill",
        "create",
        "--task",
        "a",
        "--bizdate",
        "2024-01-01..2024-01-12",
        "--groups",
        "2",
        "--yes",
        **store,
    )
    scheduler = sandbox.spawn("scheduler", **store)
    ran = sandbox.home / "ran"
    for count, how in ((2, signal.SIGINT), (5, signal.SIGQUIT)):  # ended, and crashed
        until(
            lambda count=count: ran.exists() and len(ran.read_text().splitlines()) >= count, "some have run"
        )  # type: ignore[misc]
        server.stop(how)  # type: ignore[attr-defined]
        until(lambda: sandbox.run("backfill", "list", status=None, **store).status == 7, "it is gone")
        server.start()  # type: ignore[attr-defined]
    until(lambda: sandbox.json("backfill", "list", **store)[0]["status"] == "succeeded", "it has ended")
    assert scheduler.poll() is None
    assert sorted(ran.read_text().splitlines()) == [f"2024-01-{day:02}" for day in range(1, 13)]
