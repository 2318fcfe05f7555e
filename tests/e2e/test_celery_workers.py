"""Workers that hear of offers through Celery: every run once, whatever becomes of messages, of Celery, or of the broker.

Each worker has a home of its own and so is a machine of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from brokers import nodes, shared
from databases import postgres
from e2e.machines import Machine, Process

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
    deployment.run("backfill", "wait", 1, "--timeout", "90s")
    assert deployment.record() == Counter(day.replace("-", "") for day in days)
