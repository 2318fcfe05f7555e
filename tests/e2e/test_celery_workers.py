"""Workers that hear of offers through Celery: every run once, whatever becomes of messages, of Celery, or of the broker.

Each worker has a home of its own and so is a machine of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from kombu import Connection

from brokers import nodes, shared
from databases import postgres
from e2e.machines import Machine, Process
from e2e.sandboxes import until
from retrofill.executors.celery.broker import TASK, Broker

pytestmark = pytest.mark.slow
PATIENCE = 90.0

TASKS = """
work:
  type: shell
  schedule: "0 2 * * *"
  resource_group: etl
  run: echo $day >> {record}
  parameters: {{day: "$[yyyymmdd-1]"}}
long:
  type: shell
  schedule: "0 2 * * *"
  resource_group: etl
  run: echo $RETROFILL_BIZDATE >> {record}; while ! [ -e {go} ]; do sleep 0.05; done
""".strip()


class Deployment(Machine):
    """One, with its broker."""

    def __init__(self, home: Path, url: str, broker_url: str) -> None:
        super().__init__(home, url)
        self.broker_url = broker_url
        self.go = home.parent / "go"
        self.home.mkdir()
        self.write(
            TASKS.format(record=home.parent / "record", go=self.go),
            "resource_groups: {etl: {slots: 16, executor: celery}, default: {slots: 4}}",
        )
        self.run("deploy")

    def environment(self, more: object) -> dict[str, str]:
        return super().environment(more) | {"RETROFILL_BROKER": self.broker_url}

    def worker(self, name: str, *more: str) -> Process:
        return self.process("worker", "--executor", "celery", "--home", str(self.home.parent / name), *more)

    def record(self) -> Counter[str]:
        path = self.home.parent / "record"
        return Counter(path.read_text().splitlines()) if path.exists() else Counter()

    def runs(self) -> list[tuple[int, int, str]]:
        """Instance, number and token of every run so far."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(
                "SELECT instance_id, number, token FROM run ORDER BY instance_id, number"
            )
            return [tuple(row) for row in found]  # type: ignore[misc]

    @property
    def broker(self) -> Broker:
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT word FROM identity").fetchone()
        assert row is not None
        return Broker(self.broker_url, f"test.{row[0]}")

    def send(self, runs: list[tuple[int, int, str]]) -> None:
        """Messages that name these, whoever sends them."""
        broker = self.broker
        with Connection(broker.url, transport_options=broker.transport_options) as connection:
            producer = connection.Producer()
            for run in runs:
                producer.publish(
                    [[broker.deployment, *run], {}, {}], routing_key=broker.queue_name("etl"), exchange="",
                    headers={"id": str(run), "root_id": str(run), "lang": "py", "task": TASK},
                    correlation_id=str(run),
                )  # fmt: skip

    def has_no_messages(self) -> bool:
        broker = self.broker
        with Connection(broker.url, transport_options=broker.transport_options) as connection:
            channel = connection.channel()
            try:
                found = channel.queue_declare(broker.queue_name("etl"), passive=True)
            except connection.channel_errors:  # a queue of a Redis is there for as long as something is in it
                return broker.is_redis
            return bool(found.message_count == 0)

    def backfill(self, task: str, first: int, last: int) -> list[str]:
        """Create one; the days."""
        days = [f"2026-01-{day:02}" for day in range(first, last + 1)]
        self.run(
            "backfill",
            "create",
            "--task",
            task,
            "--bizdate",
            f"{days[0]}..{days[-1]}",
            "--groups",
            2,
            "--yes",
        )
        return days


@pytest.fixture(params=nodes.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def deployment(tmp_path: Path, kind: str) -> Iterator[Deployment]:
    with ExitStack() as closing:
        database = closing.enter_context(postgres.rows())
        made = Deployment(tmp_path / "project", database, shared.url(kind))
        try:
            yield made
        finally:
            made.go.touch()
            made.end()


def test_runs_are_carried_out_by_workers_of_celery(deployment: Deployment) -> None:
    """RUN-1: every run once, by one of two workers."""
    deployment.process("scheduler").says("runs; Ctrl-C ends it")
    for name in ("one", "two"):
        deployment.worker(name, "--slots", "2").says("takes up to 2 runs of etl at once")
    days = deployment.backfill("work", 1, 24)
    deployment.run("backfill", "wait", 1, "--timeout", "90s", timeout=120)
    assert deployment.record() == Counter(day.replace("-", "") for day in days)


def test_a_team_s_own_celery(deployment: Deployment) -> None:
    """It starts a worker in a session of its own, which leaves with it; `-Q` names a resource group."""
    deployment.process("scheduler").says("runs; Ctrl-C ends it")
    home = deployment.home.parent / "plain"
    environment = deployment.environment({}) | {
        "RETROFILL_WORKER_HOME": str(home),
        "RETROFILL_WORKER_OPTIONS": "--slots 3",
    }
    log = open(deployment.home.parent / "celery.log", "w")  # noqa: SIM115  Celery writes into it
    celery = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "retrofill.executors.celery", "worker", "-Q", "etl", "-c", "2"],
        cwd=deployment.home, env=environment, stdout=log, stderr=log,
    )  # fmt: skip
    deployment.processes.append(celery)
    days = deployment.backfill("work", 1, 12)
    deployment.run("backfill", "wait", 1, "--timeout", "90s", timeout=120)
    assert deployment.record() == Counter(day.replace("-", "") for day in days)
    resident = int((home / "worker.lock").read_text())
    assert os.getsid(resident) != os.getsid(celery.pid)
    celery.send_signal(signal.SIGTERM)
    assert celery.wait(PATIENCE) == 0
    until(
        lambda: not Path(f"/proc/{resident}/cmdline").exists() or not cmdline(resident), "its worker has left"
    )
    said = Path(log.name).read_text()
    log.close()
    assert "takes up to 3 runs of etl at once" in said
    assert "The worker has left." in said


def cmdline(pid: int) -> bytes:
    """Empty for a process that is dead and that nobody has asked about."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def test_messages_twice_and_late(deployment: Deployment) -> None:
    """RUN-9: what has been claimed is claimed by nobody again, and a message of long ago starts nothing."""
    deployment.process("scheduler").says("runs; Ctrl-C ends it")
    deployment.worker("one").says("takes up to")
    deployment.backfill("long", 1, 2)
    until(lambda: len(deployment.record()) == 2, "both have begun", PATIENCE)
    again = [run for run in deployment.runs() for _ in range(5)]
    deployment.send(again)
    deployment.go.touch()
    deployment.run("backfill", "wait", 1, "--timeout", "90s", timeout=120)
    deployment.send(again)
    deployment.backfill("work", 5, 5)
    deployment.run("backfill", "wait", 2, "--timeout", "90s", timeout=120)
    until(deployment.has_no_messages, "all were taken", PATIENCE)
    assert deployment.record() == Counter(["2026-01-01", "2026-01-02", "20260105"])


@pytest.mark.parametrize("broker_url", ["amqp://127.0.0.1:9//", "redis://127.0.0.1:9/0"])
def test_without_a_broker(tmp_path: Path, broker_url: str) -> None:
    """RUN-9: offers are found in the ledger, and stops reach their host."""
    with postgres.rows() as database:
        deployment = Deployment(tmp_path / "project", database, broker_url)
        try:
            deployment.process("scheduler").says("runs; Ctrl-C ends it")
            deployment.worker("one").says("takes up to")
            deployment.backfill("work", 1, 6)
            deployment.run("backfill", "wait", 1, "--timeout", "90s", timeout=120)
            assert sum(deployment.record().values()) == 6
        finally:
            deployment.end()


def test_no_broker_is_named(tmp_path: Path) -> None:
    with postgres.rows() as database:
        deployment = Deployment(tmp_path / "project", database, "")
        refused = deployment.run("worker", "--executor", "celery", status=2)
        assert "the setting broker names no broker" in refused.stderr
