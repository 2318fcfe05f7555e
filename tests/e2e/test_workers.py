"""Workers on one PostgreSQL server: what a scheduler offers is carried out elsewhere, once, whatever dies.

Each worker has a home of its own and so is a machine of its own: runs, journals, and a name.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from databases import postgres
from e2e.machines import Machine, Process
from e2e.sandboxes import until

pytestmark = pytest.mark.slow
PATIENCE = 90.0

TASKS = """
work:
  type: shell
  schedule: "0 2 * * *"
  resource_group: etl
  run: echo $day >> {record}; sleep 0.2; echo $day done >> {record}
  parameters: {{day: "$[yyyymmdd-1]"}}
long:
  type: shell
  schedule: "0 2 * * *"
  resource_group: etl
  run: echo $RETROFILL_BIZDATE >> {record}; while ! [ -e {go} ]; do sleep 0.05; done
here:
  type: shell
  schedule: "0 2 * * *"
  depends_on: [work]
  run: echo here $RETROFILL_BIZDATE >> {record}
""".strip()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as closing:
        made = Machine(tmp_path / "project", closing.enter_context(postgres.rows()))
        made.home.mkdir()
        tasks = TASKS.format(record=tmp_path / "record", go=tmp_path / "go")
        made.write(tasks, "resource_groups: {etl: {slots: 4, executor: pull}, default: {slots: 4}}")
        made.run("deploy")
        try:
            yield made
        finally:
            (tmp_path / "go").touch()
            made.end()


def worker(machine: Machine, name: str, *more: str) -> Process:
    return machine.process("worker", "--home", str(machine.home.parent / name), *more)


def record(machine: Machine) -> Counter[str]:
    path = machine.home.parent / "record"
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def test_runs_of_a_group_are_carried_out_by_workers(machine: Machine) -> None:
    """RUN-1: every run once, by one of two workers; what depends on them goes on where the scheduler is."""
    machine.process("scheduler").says("runs; Ctrl-C ends it")
    for name in ("one", "two"):
        worker(machine, name, "--slots", "2").says("takes up to 2 runs of etl at once")
    days = [f"2026-01-{day:02}" for day in range(1, 13)]
    days_of_all = f"{days[0]}..{days[-1]}"
    machine.run(
        "backfill",
        "create",
        "--task",
        "work",
        "--descendants",
        "all",
        "--bizdate",
        days_of_all,
        "--groups",
        3,
        "--yes",
    )
    machine.run("backfill", "wait", 1, "--timeout", "90s", timeout=120)
    compact = [day.replace("-", "") for day in days]
    assert record(machine) == Counter(
        [*compact, *(f"{day} done" for day in compact), *(f"here {day}" for day in days)]
    )
    rows = machine.call("instance", "list", "--backfill", 1, "--output", "jsonl").jsonl
    assert {row["state"] for row in rows} == {"successful"}


def test_a_run_outlives_its_worker(machine: Machine) -> None:
    """RUN-3: a worker that was killed is no end of its runs; the next one of that home reports them."""
    machine.process("scheduler").says("runs; Ctrl-C ends it")
    first = worker(machine, "one")
    first.says("takes up to")
    machine.run("backfill", "create", "--task", "long", "--bizdate", "2026-01-01", "--yes")
    until(lambda: record(machine)["2026-01-01"] == 1, "the run has begun", PATIENCE)
    first.kill(signal.SIGKILL)
    worker(machine, "one").says("takes up to")
    (machine.home.parent / "go").touch()
    machine.run("backfill", "wait", 1, "--timeout", "90s", timeout=120)
    assert record(machine) == Counter({"2026-01-01": 1})


def test_a_stop_reaches_another_machine(machine: Machine) -> None:
    """OPS-1: also before anybody has claimed the run."""
    machine.process("scheduler").says("runs; Ctrl-C ends it")
    machine.run("backfill", "create", "--task", "long", "--bizdate", "2026-01-01", "--yes")
    until(lambda: states(machine) == ["running"], "it is offered", PATIENCE)
    machine.run("instance", "stop", ids(machine)[0])
    until(lambda: states(machine) == ["failed"], "it was stopped before it was claimed", PATIENCE)
    assert record(machine) == Counter()
    worker(machine, "one").says("takes up to")
    machine.run("instance", "rerun", ids(machine)[0])
    until(lambda: record(machine)["2026-01-01"] == 1, "the run has begun", PATIENCE)
    machine.run("instance", "stop", ids(machine)[0])
    until(lambda: states(machine) == ["failed"], "it was stopped where it ran", PATIENCE)


def test_one_worker_a_home(machine: Machine) -> None:
    worker(machine, "one").says("takes up to")
    refused = machine.run("worker", "--home", machine.home.parent / "one", status=6)
    assert "a worker runs already in" in refused.stderr


def test_a_host_that_drains_takes_nothing(machine: Machine) -> None:
    """RUN-9, OPS-9: people see it, let it drain and take work again; what is offered says for whom it waits."""
    scaler = "scaler: {command: [sh, -c, 'cat > notice.new; mv notice.new notice']}"
    etl = f"resource_groups: {{etl: {{type: serverless, slots: 4, executor: pull, {scaler}}}}}"
    home = machine.home
    machine.write(TASKS.format(record=home.parent / "record", go=home.parent / "go"), etl)
    machine.run("deploy")
    machine.process("scheduler").says("runs; Ctrl-C ends it")
    worker(machine, "one", "--slots", "3").says("takes up to")
    (host,) = (row for row in machine.json("host", "list") if row["executor"] == "pull")
    assert (host["state"], host["resource_groups"], host["slots"]) == ("there", ["etl"], 3)
    machine.run("host", "drain", host["label"])
    machine.run("backfill", "create", "--task", "long", "--bizdate", "2026-01-01", "--yes")
    until(lambda: states(machine) == ["running"], "it is offered", PATIENCE)
    number = ids(machine)[0]
    assert "all of them drain" in machine.json("instance", "why", number)["text"]
    until(
        lambda: told(machine) == (1, 0), "the scaler is told that a slot is wanted and none present", PATIENCE
    )
    assert record(machine) == Counter()
    machine.run("host", "undrain", host["name"])
    until(lambda: record(machine)["2026-01-01"] == 1, "the run has begun", PATIENCE)
    assert f"It is running on {host['label']} (run 1)." in machine.json("instance", "why", number)["text"]
    shown = machine.run("host", "show", host["label"]).stdout
    assert "w.long" in shown
    until(lambda: told(machine) == (1, 3), "the scaler is told that three are present", PATIENCE)
    (home.parent / "go").touch()
    machine.run("backfill", "wait", 1, "--timeout", "90s", timeout=120)


def told(machine: Machine) -> tuple[int, int] | None:
    """What the scaler was told last."""
    notice = machine.home / "notice"
    if not notice.exists():
        return None
    found = json.loads(notice.read_text())
    return found["wanted"], found["present"]


def states(machine: Machine) -> list[str]:
    return [
        row["state"] for row in machine.call("instance", "list", "--backfill", 1, "--output", "jsonl").jsonl
    ]


def ids(machine: Machine) -> list[int]:
    return [row["id"] for row in machine.call("instance", "list", "--backfill", 1, "--output", "jsonl").jsonl]
