"""Looking at a project whose store nobody can write just now."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from e2e.sandboxes import Sandbox
from retrofill.store.sqlite.database import Database

pytestmark = pytest.mark.slow

LOOKING = (
    ["backfill", "list"],
    ["backfill", "show", 1],
    ["backfill", "analysis", 1],
    ["instance", "list"],
    ["instance", "show", 1],
    ["instance", "log", 1],
    ["instance", "why", 2],
    ["instance", "history", 1],
    ["schedule", "show"],
    ["task", "list"],
    ["version", "list"],
    ["operation", "list"],
    ["resource-group", "list"],
    ["retention", "run", "--dry-run"],
    ["backfill", "plan", "--task", "a", "--bizdate", "2026-01-05"],
)


@pytest.fixture
def narrow(sandbox: Sandbox) -> Iterator[Sandbox]:
    """One instance has run and failed; the store lies on a small file system of its own."""
    home = sandbox.home / ".retrofill"
    home.mkdir()
    options = ["-t", "tmpfs", "-o", "size=3m,mode=700", "none"]
    if subprocess.run(["mount", *options, str(home)], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    sandbox.write(
        "a: {type: shell, schedule: '@daily', run: 'echo ran; exit 1'}\n"
        "b: {type: shell, schedule: '@daily', depends_on: [a], run: 'true'}"
    )
    sandbox.run(
        "backfill",
        "create",
        "--task",
        "a",
        "--task",
        "b",
        "--bizdate",
        "2026-01-05",
        "--yes",
        "--wait",
        status=1,
    )
    yield sandbox
    sandbox.close()
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def look(sandbox: Sandbox) -> None:
    for args in LOOKING:
        done = sandbox.call(*args)
        assert "error" not in done.stderr, (args, done.stderr)
    assert "ran" in sandbox.call("instance", "log", 1).stdout
    done = sandbox.call("doctor", status=1)
    assert "sqlite: version" in done.stdout
    assert ("WRONG  disk" in done.stdout) or ("WRONG  writing" in done.stdout)


def test_a_full_disk(narrow: Sandbox) -> None:
    """OPS-9, OPS-10: nothing that is there is hidden; no advice to restore."""
    with open(narrow.home / ".retrofill/filling", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    look(narrow)
    refused = narrow.call("backfill", "rerun", 1, status=2).stderr
    assert "there is no room for the store" in refused
    assert "estore it" not in refused


def test_a_read_only_disk(narrow: Sandbox) -> None:
    """OPS-9, OPS-10."""
    subprocess.run(["mount", "-o", "remount,ro", str(narrow.home / ".retrofill")], check=True)
    look(narrow)
    assert "cannot be written: Read-only file system" in narrow.call("backfill", "rerun", 1, status=2).stderr


def test_a_writer_that_stands_still(narrow: Sandbox) -> None:
    """OPS-9, OPS-10: a process that was stopped in the middle of a write."""
    ready, pid = os.eventfd(0), os.fork()
    if pid == 0:
        with Database(narrow.home / ".retrofill").transaction() as tx:
            tx.record(1, "nobody", "deploy")
            os.eventfd_write(ready, 1)
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.eventfd_read(ready)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    try:
        look(narrow)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.kill(pid, signal.SIGCONT)
        os.waitpid(pid, 0)
        os.close(ready)
