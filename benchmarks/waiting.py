"""(c) What a scheduler costs that waits, and (d) how long until the first task starts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import RETROFILL, Line, await_quiet, median, processes_of, pss_of, retrofill, scratch, spread
from projects import dates, write

_FAR_DATE = "2190-01-01"  # its instances wait for time, so whoever waits for them goes on waiting
_PATIENCE_SECONDS = 60
_SETTLE_SECONDS = 1.5
_MEASURED_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


def run_memory() -> list[Line]:
    """PSS of a scheduler that has run something and now waits, with all its processes."""
    with scratch() as folder:
        project = write(folder / "idle", ["work: {}", "later: {}"])
        retrofill(
            project,
            "backfill",
            "create",
            "--task",
            "bench.work",
            "--bizdate",
            dates(100),
            "--groups",
            "10",
            "--yes",
        )
        with _waiting_scheduler(project):
            _await_idle(project, 1)
            _hold_back(project)
            time.sleep(_SETTLE_SECONDS)
            pids = processes_of(project)
            parts = {pid: (_name(pid), pss_of(pid)) for pid in pids}
            before = sum(map(_cpu_seconds, pids))
            time.sleep(_MEASURED_SECONDS)
            busy = (sum(map(_cpu_seconds, pids)) - before) / _MEASURED_SECONDS
    total = sum(pss for _, pss in parts.values())
    bare = _bare_interpreter()
    words = ", ".join(f"{name} {pss:.1f}" for name, pss in sorted(parts.values(), key=lambda part: -part[1]))
    data = {"pss_mb": total, "parts": [list(part) for part in parts.values()], "cpu_share": busy}
    return [
        Line(f"idle scheduler, {len(parts)} processes, PSS MB", f"{total:.1f}", f"a bare Python {bare:.1f}", total / bare, data),
        Line("  of which", words),
        Line("  processor time while idle", f"{busy:.2%}"),
    ]  # fmt: skip


def run_latency(repeats: int, patience: float) -> list[Line]:
    """From the start of the `create` process to the first line of the first task."""
    with scratch() as folder:
        stamp = folder / "stamp"
        project = write(folder / "first", [f"work: {{run: 'date +%s%N > {stamp}'}}", "later: {}"])
        create = ["backfill", "create", "--task", "bench.work", "--bizdate", "2024-01-01", "--yes"]
        alone = [_first_start(project, stamp, [*create, "--wait"], patience) for _ in range(repeats)]
        with _waiting_scheduler(project):
            served = [_first_start(project, stamp, create, patience) for _ in range(repeats)]
        bare = [_bare_start(stamp, patience) for _ in range(repeats)]
    reference = f"Python that starts sh {spread(bare, 1000, 0)}"
    return [
        Line(
            "create --wait to the first start, no scheduler before, ms",
            spread(alone, 1000, 0),
            reference,
            median(alone) / median(bare),
            {"seconds": alone, "bare_seconds": bare},
        ),
        Line(
            "create to the first start, scheduler waiting, ms",
            spread(served, 1000, 0),
            reference,
            median(served) / median(bare),
            {"seconds": served, "bare_seconds": bare},
        ),
    ]


def _hold_back(project: Path) -> None:
    """Besides the dates in the future: a backfill whose window is closed, and one that is paused."""
    opens = datetime.now(UTC) + timedelta(hours=10)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"
    create = [
        "backfill",
        "create",
        "--yes",
        "--output",
        "json",
        "--task",
        "bench.work",
        "--bizdate",
        dates(100),
    ]
    retrofill(project, *create, "--window", window)
    paused = json.loads(retrofill(project, *create, "--window", window))["id"]
    retrofill(project, "backfill", "pause", str(paused))
    retrofill(project, "backfill", "change", str(paused), "--no-window")


@contextmanager
def _waiting_scheduler(project: Path) -> Iterator[None]:
    """A `backfill wait` that holds the scheduler, for as long as the block runs."""
    row = json.loads(
        retrofill(
            project,
            *(["backfill", "create", "--yes", "--output", "json", "--task", "bench.later", "--bizdate"]),
            _FAR_DATE,
        )
    )
    waiting = subprocess.Popen(
        [RETROFILL, "--project", str(project), "backfill", "wait", str(row["id"])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_scheduler(project, waiting.pid)
        yield
    finally:
        waiting.send_signal(signal.SIGINT)
        waiting.wait(_PATIENCE_SECONDS)


def _await_scheduler(project: Path, pid: int) -> None:
    lock = project / ".retrofill" / "scheduler.lock"
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        with contextlib.suppress(FileNotFoundError):
            if lock.read_text() == str(pid):
                time.sleep(0.3)  # its first tick
                return
        time.sleep(0.01)
    raise SystemExit("no scheduler came up")


def _await_idle(project: Path, backfill_id: int) -> None:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        row = json.loads(retrofill(project, "backfill", "show", str(backfill_id), "--output", "json"))
        if row["status"] == "succeeded":
            return
        time.sleep(0.1)
    raise SystemExit(f"backfill {backfill_id} did not end")


def _first_start(project: Path, stamp: Path, command: list[str], patience: float) -> float:
    stamp.unlink(missing_ok=True)
    await_quiet(patience)
    began = time.time_ns()
    retrofill(project, *command)
    return (_read_stamp(stamp) - began) / 1e9


def _bare_start(stamp: Path, patience: float) -> float:
    """The least that a Python program needs which starts a shell."""
    stamp.unlink(missing_ok=True)
    await_quiet(patience)
    code = f"import os; os.execv('/bin/sh', ['sh', '-c', 'date +%s%N > {stamp}'])"
    began = time.time_ns()
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    return (_read_stamp(stamp) - began) / 1e9


def _read_stamp(stamp: Path) -> int:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        with contextlib.suppress(FileNotFoundError):
            text = stamp.read_text()
            if text.endswith("\n"):
                return int(text)
        time.sleep(0.002)
    raise SystemExit("the task did not start")


def _bare_interpreter() -> float:
    """PSS of a Python that does nothing, while the scheduler's interpreter shares its pages no more."""
    with subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(60)"]) as process:
        time.sleep(0.3)
        found = pss_of(process.pid)
        process.kill()
    return found


def _name(pid: int) -> str:
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    return {"retrofill-start": "launcher", "retrofill-run": "supervisor"}.get(name, "scheduler")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
