"""Workers that reach a server and nothing else: what is offered is carried out there, once, whatever dies."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from databases import postgres
from e2e.machines import Machine, Process
from e2e.sandboxes import Sandbox, until

pytestmark = pytest.mark.slow
PATIENCE = 90.0
TASKS = """
work:
  type: shell
  schedule: "0 2 * * *"
  resource_group: etl
  run: echo $RETROFILL_BIZDATE >> {record}; echo worked in $PWD
long:
  type: shell
  schedule: "0 2 * * *"
  resource_group: etl
  run: echo $RETROFILL_BIZDATE >> {record}; echo it has begun; while ! [ -e {go} ]; do sleep 0.05; done
""".strip()


class Deployment:
    """A machine with a store, a scheduler and a server; `far` is another one that reaches that server only."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.near = Machine(folder / "project", url)
        self.near.home.mkdir()
        tasks = TASKS.format(record=folder / "record", go=folder / "go")
        self.near.write(
            tasks, "resource_groups: {etl: {slots: 4, executor: pull, type: shared}, other: {executor: pull}}"
        )
        self.near.run("deploy")
        self.near.process("scheduler").says("runs; Ctrl-C ends it")
        self.port = _free_port()
        self.server = self.serve()
        self.far: list[Far] = []

    def serve(self) -> Process:
        server = self.near.process("serve", "--port", str(self.port))
        until(self._answers, "the server answers", PATIENCE)
        return server

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, *groups: str) -> str:
        named = [word for group in groups for word in ("--resource-group", group)]
        made = self.near.call("token", "create", "--scope", "worker", *named, "--output", "json")
        token: str = made.json["token"]
        return token

    def worker(self, token: str, name: str = "far", *more: str) -> Process:
        """A worker in a folder of its own, in which there is no project."""
        self.far.append(Far(self.folder / name))
        return self.far[-1].process("worker", *more, RETROFILL_URL=self.url, RETROFILL_TOKEN=token)

    def create(self, task: str, dates: str) -> None:
        self.near.run("backfill", "create", "--task", task, "--bizdate", dates, "--groups", 4, "--yes")

    def record(self) -> Counter[str]:
        path = self.folder / "record"
        return Counter(path.read_text().splitlines()) if path.exists() else Counter()

    def log(self, instance_id: int) -> str:
        """What the machine with the store and the server shows."""
        return self.near.call("instance", "log", instance_id, status=None).stdout

    def end(self) -> None:
        (self.folder / "go").touch()
        for machine in (*self.far, self.near):
            machine.end()


class Far(Machine):
    """A machine that has no project and no way to the store."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "")
        home.mkdir(exist_ok=True)

    def environment(self, more: object) -> dict[str, str]:
        return Sandbox.environment(self, more)  # type: ignore[arg-type]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with ExitStack() as closing:
        made = Deployment(tmp_path, closing.enter_context(postgres.rows()))
        closing.callback(made.end)
        yield made


def test_what_is_offered_is_carried_out_far_away(deployment: Deployment) -> None:
    """RUN-1: every run once; a worker that waits is called, and a stop reaches what runs there."""
    deployment.worker(deployment.token("etl")).says("takes up to")
    home = deployment.folder / "far/.retrofill-worker"
    until((home / "tidied").exists, "it has asked what it may let go of (RET-1)", PATIENCE)
    deployment.create("work", "2026-01-01..2026-01-12")
    deployment.near.run("backfill", "wait", 1, "--timeout", "90s")
    assert deployment.record() == Counter(f"2026-01-{day:02}" for day in range(1, 13))
    place = home / "project/workspaces/w"
    until(lambda: deployment.log(1) == f"worked in {place}\n", "its log has been pushed", PATIENCE)
    deployment.near.run("backfill", "create", "--task", "long", "--bizdate", "2026-02-01", "--yes")
    until(lambda: deployment.record()["2026-02-01"] == 1, "it has begun", PATIENCE)
    until(lambda: "it has begun" in deployment.log(13), "its log is pushed while it grows", PATIENCE)
    deployment.near.run("backfill", "stop", 2)
    deployment.near.run("backfill", "wait", 2, "--timeout", "90s", status=None)
    assert deployment.near.json("instance", "show", 13)["state"] == "failed"


def test_what_lies_far_away_is_let_go_of(deployment: Deployment) -> None:
    """RET-1, RET-2: as the ledger says of runs that live there, and of no others."""
    token = deployment.token("etl")
    first = deployment.worker(token)
    first.says("takes up to")
    deployment.create("work", "2026-01-01..2026-01-03")
    deployment.near.run("backfill", "wait", 1, "--timeout", "90s")
    home = deployment.folder / "far/.retrofill-worker"
    until((home / "tidied").exists, "the first job has gone through", PATIENCE)
    first.kill(signal.SIGTERM)
    logs = home / "runs/logs"
    mine, other, recent = sorted(logs.iterdir())
    with psycopg.connect(deployment.near.url) as connection:
        connection.execute("UPDATE run SET ended_ms = 1 WHERE instance_id IN (1, 2)")
        connection.execute("UPDATE run SET host = 'another' WHERE instance_id = 2")
    eight_days_ago = time.time() - 8 * 86_400
    for path in logs.iterdir():
        os.utime(path, (eight_days_ago, eight_days_ago))
    (home / "tidied").unlink()
    deployment.worker(token).says("takes up to")
    until((home / "tidied").exists, "the job has gone through", PATIENCE)
    assert sorted(logs.iterdir()) == [other, recent]
    assert not mine.exists()


def test_neither_worker_nor_server_is_missed(deployment: Deployment) -> None:
    """RUN-3: what ended while one of them was away is told when it is back."""
    token = deployment.token("etl")
    first = deployment.worker(token)
    first.says("takes up to")
    deployment.create("long", "2026-01-01..2026-01-02")
    until(lambda: sum(deployment.record().values()) == 2, "they have begun", PATIENCE)
    deployment.server.kill()
    first.says("cannot be reached")
    first.kill(signal.SIGKILL)
    (deployment.folder / "go").touch()
    deployment.serve()
    deployment.worker(token).says("takes up to")
    deployment.near.run("backfill", "wait", 1, "--timeout", "90s")
    assert deployment.record() == Counter({"2026-01-01": 1, "2026-01-02": 1})


def test_who_is_refused_is_told_why(deployment: Deployment) -> None:
    """SEC-1: a token of a person, one of another group, one that was revoked."""
    assert _refused(deployment, "retrofill_nothing") == "the token is none that opens anything"
    mine = deployment.near.call("token", "create", "--output", "json").json["token"]
    assert _refused(deployment, mine) == "this token is of scope admin, and this needs worker"
    token = deployment.token("etl")
    assert (
        _refused(deployment, token, "--resource-group", "other") == "this token is for etl, and not for other"
    )
    working = deployment.worker(token)
    working.says("takes up to")
    for row in deployment.near.json("token", "list"):
        deployment.near.call("token", "revoke", row["id"])
    working.says("this token was revoked")
    working.process.wait(PATIENCE)
    assert working.process.returncode == 6


def _refused(deployment: Deployment, token: str, *more: str) -> str:
    """What a worker is told that may not begin."""
    far = Far(deployment.folder / "refused")
    told = far.run("worker", *more, status=None, RETROFILL_URL=deployment.url, RETROFILL_TOKEN=token)
    assert told.status != 0
    return told.stderr.partition("\n")[0].removeprefix("error: ")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
