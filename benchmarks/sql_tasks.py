"""(i) What a run of a sql task costs, beyond a statement that costs nearly nothing: processor time of all of ours.

The reference is the same statement in a program of its own, `python -c`, with nothing around it.
"""

from __future__ import annotations

import os
import secrets
import select
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from measuring import Line, await_quiet, median, processes_of, scratch, spread

from retrofill.executors.local.executor import LocalExecutor
from retrofill.services.ports import RunRef, RunSpec

_RUNS = 30
_SLOTS = 2
_STATEMENT = "insert into t values (1)"
_KINDS = {
    "duckdb": (
        "duckdb:///{}",
        "import duckdb as d, sys; c = d.connect(sys.argv[1]); c.execute(sys.argv[2]); c.close()",
    ),
    "sqlite": (
        "sqlite:///{}",
        "import sqlite3 as d, sys; c = d.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit(); c.close()",
    ),
}


def run(repeats: int, patience: float) -> list[Line]:
    lines = []
    for kind, (url, program) in _KINDS.items():
        with scratch() as folder:
            lines.append(_measure(folder, kind, url, program, repeats, patience))
    return lines


def _measure(folder: Path, kind: str, url: str, program: str, repeats: int, patience: float) -> Line:
    path = folder / f"w.{kind}"
    executor = LocalExecutor(folder / "runs")
    numbers = iter(range(1, 1_000_000))

    def spec(code: str) -> RunSpec:
        ref = RunRef(next(numbers), 1, secrets.token_hex(8), executor.boot_id)
        return RunSpec(
            ref, "sql", "bench.task", code, (), {}, str(folder), 600, url.format(path), sys.executable
        )

    _run_all(executor, [spec("create table t(a int)")])
    ours: list[float] = []
    theirs: list[float] = []
    wall: list[float] = []
    for _ in range(repeats):
        await_quiet(patience)
        before, began = _processor_seconds(folder), time.perf_counter()
        _run_all(executor, [spec(_STATEMENT) for _ in range(_RUNS)])
        ours.append((_processor_seconds(folder) - before) / _RUNS)
        wall.append((time.perf_counter() - began) / _RUNS)
        theirs.append(_program(program, str(path)))
    executor.close()
    return Line(
        f"a run of `{_STATEMENT}` on {kind}, ms of processor time",
        spread(ours, 1000, 1),
        f"python -c {spread(theirs, 1000, 1)}",
        median(ours) / median(theirs),
        {"processor_ms": median(ours) * 1000, "reference_ms": median(theirs) * 1000,
         "wall_ms": median(wall) * 1000, "runs": _RUNS},
    )  # fmt: skip


def _run_all(executor: LocalExecutor, specs: Iterable[RunSpec]) -> None:
    waiting = list(specs)
    running = 0
    while waiting or running:
        while waiting and running < _SLOTS:
            executor.start([waiting.pop()])
            running += 1
        select.select([executor.fileno()], [], [], 60)
        for end in executor.poll():
            running -= 1
            if end.exit_code != 0:
                raise SystemExit(f"a run failed: {end.message}")


def _processor_seconds(folder: Path) -> float:
    """Of this process, the launchers, the supervisors and the runs that they have seen end."""
    ticks = 0
    for pid in [os.getpid(), *processes_of(folder)]:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:13] if pid == os.getpid() else fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _program(code: str, path: str) -> float:
    """Processor seconds of a program of its own, the mean of some."""
    used = 0.0
    count = 10
    for _ in range(count):
        pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code, path, _STATEMENT], os.environ)
        _, status, usage = os.wait4(pid, 0)
        if status:
            raise SystemExit(f"the reference failed on {path}")
        used += usage.ru_utime + usage.ru_stime
    return used / count
