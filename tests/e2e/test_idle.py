"""What a scheduler costs that waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox, until

HELD = """
hold: {type: shell, schedule: "0 1 * * *", run: 'echo hold >> ../../out; while test ! -e ../../go; do sleep 0.02; done'}
after: {type: shell, schedule: "0 2 * * *", run: echo after >> ../../out, depends_on: [hold]}
"""
BOTH = ("--task", "hold", "--task", "after", "--bizdate", "2026-01-05")


@pytest.mark.slow
def test_a_scheduler_that_waits_costs_no_processor_time(sandbox: Sandbox) -> None:
    """POL-2, POL-11, BF-3: windows closed, dates in the future, a pause, slots full: it sleeps until something is due."""
    sandbox.write(HELD, "resource_groups: {default: {slots: 1}}")
    sandbox.create(*BOTH)
    scheduler = sandbox.spawn("scheduler")
    until(lambda: sandbox.text("out"), "the only slot is taken")
    closed = datetime.now(UTC) + timedelta(hours=10)
    window = f"{closed:%H:%M}-{closed + timedelta(hours=1):%H:%M}"
    sandbox.create("--task", "hold", "--bizdate", "2026-01-06..2026-01-08", "--groups", "3")
    sandbox.create("--task", "hold", "--bizdate", "2026-01-05", "--window", window)
    sandbox.create("--task", "hold", "--bizdate", "2150-01-01", "--run-future")
    sandbox.create(*BOTH)
    sandbox.call("backfill", "pause", 5)
    until(lambda: _asleep(scheduler.pid), "it has nothing more to do")
    before = _cpu_and_wakings(scheduler.pid)
    time.sleep(2)  # what is measured, nothing is waited for
    cpu, wakings = (
        after - early for after, early in zip(_cpu_and_wakings(scheduler.pid), before, strict=True)
    )
    assert cpu <= 1, "hundredths of a second"
    assert wakings <= 1


def _cpu_and_wakings(pid: int) -> tuple[int, int]:
    """Clock ticks of processor time, and how often it gave up the processor to sleep."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields[11]) + int(fields[12]), int(status["voluntary_ctxt_switches"])


def _asleep(pid: int) -> bool:
    """Whether half a second passes without a waking."""
    before = _cpu_and_wakings(pid)
    time.sleep(0.5)
    return _cpu_and_wakings(pid) == before
