"""Logs of workers are read where the store is: through their door, from shared storage, or not, and then it is said why."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from databases import postgres
from e2e.machines import Machine, Process
from e2e.sandboxes import Result, Sandbox, until

pytestmark = pytest.mark.slow
PATIENCE = 90.0
KEY = "ab" * 32

TASKS = """
long:
  type: shell
  schedule: "0 2 * * *"
  resource_group: etl
  run: pwd; cat $RETROFILL_CODE/lib.txt; echo hush $word; while ! [ -e {go} ]; do sleep 0.05; done; echo the end
  parameters: {{word: "${{secret:WORD}}"}}
""".strip()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as closing:
        made = Machine(tmp_path / "project", closing.enter_context(postgres.rows()))
        made.home.mkdir()
        (tmp_path / "elsewhere").mkdir()
        folders = f"settings: {{working_folders: {{w: {tmp_path / 'elsewhere'}}}}}"
        groups = "resource_groups: {etl: {slots: 4, executor: pull}, default: {slots: 4}}"
        made.write(TASKS.format(go=tmp_path / "go"), f"{groups}\n{folders}", head="include: [lib.txt]")
        (made.home / "workspaces/w/lib.txt").write_text("included\n")
        made.run("deploy")
        try:
            yield made
        finally:
            (tmp_path / "go").touch()
            made.end()


def begin(machine: Machine, *words: str, **more: str) -> Process:
    """A scheduler, and a worker that has begun the one run."""
    secret = {"RETROFILL_SECRET_WORD": "swordfish"}
    machine.process("scheduler", **secret, **more).says("runs; Ctrl-C ends it")
    worker = machine.process("worker", "--home", str(machine.home.parent / "one"), *words, **secret, **more)
    worker.says("takes up to")
    machine.run("backfill", "create", "--task", "long", "--bizdate", "2026-01-01", "--yes", **secret, **more)
    return worker


def log(machine: Machine, **more: str) -> Result:
    secret = {"RETROFILL_SECRET_WORD": "swordfish"}
    return machine.call("instance", "log", number(machine), status=None, **secret, **more)


def number(machine: Machine) -> int:
    row, *_ = machine.call("instance", "list", "--backfill", 1, "--output", "jsonl").jsonl
    return int(row["id"])


def begun(machine: Machine) -> str:
    return f"{machine.home.parent / 'elsewhere'}\nincluded\nhush *********\n"


def test_through_the_door_of_a_worker(machine: Machine) -> None:
    """OPS-10, CAT-9, SEC-3: while it runs and afterwards; with the files of its version, in the folder that was named."""
    key = {"RETROFILL_SERVER_KEY": KEY}
    worker = begin(machine, "--serve-logs", "127.0.0.1:0", **key)
    until(lambda: log(machine, **key).stdout == begun(machine), "its beginning can be read", PATIENCE)
    without = log(machine)
    assert "RETROFILL_SERVER_KEY" in without.stderr
    (machine.home.parent / "go").touch()
    machine.run("backfill", "wait", 1, "--timeout", "90s")
    assert log(machine, **key).stdout == f"{begun(machine)}the end\n"
    worker.kill(signal.SIGKILL)
    away = log(machine, **key)
    assert away.status == 5
    assert "whose log door http://127.0.0.1:" in away.stderr


def test_from_shared_storage(machine: Machine) -> None:
    """OPS-10, SEC-3: while it runs, and when the worker and its home have gone."""
    bucket = {"RETROFILL_LOG_STORAGE": f"file://{machine.home.parent / 'bucket'}"}
    worker = begin(machine, **bucket)
    until(lambda: log(machine, **bucket).stdout == begun(machine), "its beginning can be read", PATIENCE)
    (machine.home.parent / "go").touch()
    machine.run("backfill", "wait", 1, "--timeout", "90s")
    until(lambda: log(machine, **bucket).stdout.endswith("the end\n"), "it was brought whole", PATIENCE)
    worker.kill(signal.SIGTERM)
    (machine.home.parent / "one").rename(machine.home.parent / "gone")
    assert log(machine, **bucket).stdout == f"{begun(machine)}the end\n"


def test_a_storage_that_nothing_here_reads(tmp_path: Path) -> None:
    """OPS-10: a package that is missing keeps nothing from running; it is said, and logs stay where they are."""
    sandbox = Sandbox(tmp_path).write('say: {type: shell, schedule: "@daily", run: echo here}')
    storage = {"RETROFILL_LOG_STORAGE": "nosuch://bucket"}
    create = ("backfill", "create", "--task", "say", "--bizdate", "2026-01-01", "--wait", "--yes")
    done = sandbox.run(*create, **storage)
    assert "Logs stay on this machine: no logs can be kept at nosuch://" in done.stderr
    assert sandbox.call("instance", "log", 1, **storage).stdout == "here\n"
    shutil.rmtree(tmp_path / ".retrofill/runs/logs")
    gone = sandbox.call("instance", "log", 1, status=5, **storage)
    assert "no logs can be kept at nosuch://" in gone.stderr
    sandbox.call("retention", "run", **storage)


def test_without_either(machine: Machine) -> None:
    """OPS-10: it is read on the same machine; from another one it is said where it lies, and what would bring it here."""
    begin(machine)
    (machine.home.parent / "go").touch()
    machine.run("backfill", "wait", 1, "--timeout", "90s")
    assert log(machine).stdout == f"{begun(machine)}the end\n"
    postgres.execute(machine.url, "UPDATE host SET label = 'elsewhere'")
    done = log(machine)
    assert done.status == 5
    assert "which serves none" in done.stderr
    assert "--serve-logs" in done.stderr


def test_a_worker_without_the_key(machine: Machine) -> None:
    """SEC-2: it makes no key of its own, with which nobody could read anything."""
    done = machine.run("worker", "--serve-logs", "127.0.0.1:0", status=2)
    assert "the key that all servers share" in done.stderr
