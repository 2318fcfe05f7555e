"""A disk that becomes full while tasks run: the scheduler stays, and nothing is lost or done twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from e2e.sandboxes import Sandbox, finished, until

pytestmark = pytest.mark.slow

_SIZE = "2m"  # the store takes a few hundred KB
_TASKS = """
big:
  type: shell
  schedule: '@daily'
  run: |
    echo "big $RETROFILL_BIZDATE" >>../../ran
    [ -e ../../roomy ] || head -c 8000000 /dev/zero
    exit 0
small: {type: shell, schedule: '@daily', depends_on: [big], run: 'echo "small $RETROFILL_BIZDATE" >>../../ran'}
"""


@pytest.fixture
def narrow(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A project whose store and logs lie on a small file system of their own."""
    home = sandbox.home / ".retrofill"
    home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "none", str(home)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield sandbox
    sandbox.close()
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def test_a_disk_that_becomes_full(narrow: Sandbox) -> None:
    """RUN-3: it waits, says so once, and goes on by itself when there is room; each instance has run once."""
    narrow.write(_TASKS)
    narrow.create("--task", "big", "--task", "small", "--bizdate", "2024-01-01..2024-01-03")
    scheduler = narrow.spawn("scheduler")
    (log,) = until(lambda: list((narrow.home / ".retrofill/runs/logs").glob("*.log")), "the first run")
    assert scheduler.stderr is not None
    told = b""
    while b"there is no room for the store" not in told:
        told = scheduler.stderr.readline()
        assert told, "the scheduler has left"
    assert narrow.run("instance", "list").stdout.count("running") == 1
    assert "there is no room" in narrow.run("backfill", "pause", 1, status=2).stderr
    narrow.touch("roomy")
    os.truncate(log, 10)
    until(lambda: narrow.json("backfill", "show", 1)["status"] == "succeeded", "it has gone on")
    days = ("2024-01-01", "2024-01-02", "2024-01-03")
    assert narrow.text("ran").split("\n") == [
        f"{name} {day}" for day in days for name in ("big", "small")
    ] + [""]
    assert {row["run_number"] for row in narrow.json("instance", "list")} == {1}
    scheduler.send_signal(signal.SIGTERM)
    assert finished(scheduler).stderr.count("There is room again.") == 1
    assert narrow.run("doctor", status=None).stdout.count("WRONG") <= 1  # the disk is small
