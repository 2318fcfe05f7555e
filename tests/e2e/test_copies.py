"""A store belongs to its folder: what becomes of copies, and of folders that are moved (RUN-8)."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox, until
from retrofill.store.sqlite.database import Database

pytestmark = pytest.mark.slow

TASKS = """
long:
  type: shell
  schedule: "0 1 * * *"
  run: 'echo $$ >> "$HOME/pids"; while [ ! -e "$HOME/go" ]; do sleep .05; done'
after: {type: shell, schedule: "0 2 * * *", depends_on: [long], run: "true"}
"""


class Running:
    """A project one task of which runs until it may go on."""

    def __init__(self, sandbox: Sandbox, home: Path) -> None:
        self.sandbox, self.env = sandbox, {"HOME": str(home)}
        self.pids, self.go = home / "pids", home / "go"

    @property
    def pid(self) -> int:
        return int(self.pids.read_text().split()[0])

    def is_alive(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()


@pytest.fixture
def running(sandbox: Sandbox, tmp_path: Path) -> Iterator[Running]:
    home = tmp_path / "home"
    home.mkdir()
    one = Running(sandbox.write(TASKS), home)
    sandbox.create("--task", "long", "--task", "after", "--bizdate", "2026-01-05")
    one.scheduler = sandbox.spawn("scheduler", **one.env)  # type: ignore[attr-defined]
    until(lambda: one.pids.exists() and one.pids.read_text().endswith("\n"), "the task")
    yield one
    one.go.touch()


def copy_of(sandbox: Sandbox, to: Path) -> Sandbox:
    subprocess.run(["cp", "-a", str(sandbox.home), str(to)], check=True)
    return Sandbox(to)


def test_a_copy_of_a_project_in_use(running: Running, tmp_path: Path) -> None:
    """RUN-8: it is held, says so once, and touches no process of the other; both go on unharmed."""
    copy = copy_of(running.sandbox, tmp_path / "copy")
    told = copy.call("instance", "list").stderr
    assert "This folder is a copy of another one" in told
    assert (
        "the schedule is held, 1 unfinished backfill paused, and 1 instance that ran there lost here" in told
    )
    assert "copy" not in copy.call("backfill", "list").stderr
    (first, second) = copy.json("instance", "list", "--backfill", 1)
    assert (first["state"], first["reason"]) == ("failed", "lost")
    assert second["state"] == "not_run"
    assert copy.json("schedule", "show")["held"]
    assert copy.run("instance", "stop", first["id"], status=6).stdout
    copy.call("retention", "run")
    copy.run(
        "backfill", "create", "--task", "after", "--bizdate", "2026-01-07", "--wait", "--yes", **running.env
    )
    assert running.is_alive()
    assert running.sandbox.json("instance", "list", "--backfill", 1)[0]["state"] == "running"
    assert not running.sandbox.json("schedule", "show")["held"]

    running.go.touch()
    until(lambda: running.sandbox.json("backfill", "show", 1)["status"] == "succeeded", "the original")
    copy.call("schedule", "resume")
    copy.call("backfill", "resume", 1)
    copy.call("backfill", "rerun", 1, "--failed")
    copy.run("backfill", "wait", 1, **running.env)
    assert len(running.pids.read_text().split()) == 2, "once in each"


def test_two_commands_that_find_a_copy(running: Running, tmp_path: Path) -> None:
    """RUN-8: one of them holds it."""
    copy = copy_of(running.sandbox, tmp_path / "copy")
    both = [copy.spawn("instance", "list") for _ in range(3)]
    told = [process.communicate(timeout=60)[1] for process in both]
    assert sum(b"This folder is a copy" in text for text in told) == 1
    assert len(copy.json("operation", "list", "--action", "restore")) == 1
    assert running.is_alive()


def test_a_copy_that_cannot_be_written(running: Running, tmp_path: Path) -> None:
    """RUN-8, OPS-9: a snapshot can be looked at."""
    copy = copy_of(running.sandbox, tmp_path / "copy")
    mount = ["mount", "--bind", str(copy.home), str(copy.home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(copy.home)], check=True)
        done = copy.call("instance", "list")
        assert "can only be looked at" in done.stderr
        assert "running" in done.stdout
    finally:
        subprocess.run(["umount", str(copy.home)], check=True)


def test_a_project_that_is_moved(running: Running, tmp_path: Path) -> None:
    """RUN-8: it stays the one that it was: the scheduler leaves the old place, and stop works at the new one."""
    new = Sandbox(tmp_path / "elsewhere")
    running.sandbox.home.rename(new.home)
    running.sandbox.home = new.home
    scheduler = running.scheduler  # type: ignore[attr-defined]
    new.call("backfill", "pause", 1)  # wakes it
    told = scheduler.communicate(timeout=60)[1]
    assert b"The project is no longer at" in told
    assert running.is_alive()
    assert "copy" not in new.call("instance", "list").stderr
    new.run("instance", "stop", new.json("instance", "list")[0]["id"])
    assert not running.is_alive()
    (first, _) = new.json("instance", "list", "--backfill", 1)
    assert (first["state"], first["reason"]) == ("failed", "stopped")


def test_a_project_that_is_moved_under_a_scheduler_that_is_dead(running: Running, tmp_path: Path) -> None:
    """RUN-8: its supervisors are found at the new place."""
    scheduler = running.scheduler  # type: ignore[attr-defined]
    scheduler.send_signal(signal.SIGKILL)
    scheduler.wait()
    new = Sandbox(tmp_path / "elsewhere")
    running.sandbox.home.rename(new.home)
    running.sandbox.home = new.home
    running.go.touch()
    new.run("backfill", "wait", 1, **running.env)
    assert len(running.pids.read_text().split()) == 1, "it was adopted, not run again"


def test_the_mark_says_whose_process_it_is(running: Running) -> None:
    """RUN-8: the token begins with the store's word."""
    store = Database(running.sandbox.home / ".retrofill")
    with store.read() as reader:
        word = reader.word()
    store.close()
    variables = Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")
    (mark,) = [variable for variable in variables if variable.startswith(b"RETROFILL_RUN=")]
    assert len(word) == 8
    assert mark.decode().rpartition(".")[2].startswith(word)


def test_a_restart_of_the_machine_gives_disks_other_numbers(tmp_path: Path) -> None:
    """RUN-8: the same inode after another boot is the same folder; within one boot it is another disk."""
    from retrofill.store.statements import identity

    here = identity.of(tmp_path, "word")
    assert here.fits(tmp_path)
    assert here._replace(device=here.device + 1, boot_id="before").fits(tmp_path)
    assert not here._replace(device=here.device + 1).fits(tmp_path)
    assert not here._replace(inode=here.inode + 1, boot_id="before").fits(tmp_path)
    assert os.path.isdir(tmp_path)
