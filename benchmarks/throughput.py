"""(a) What an instance costs: `backfill create --wait` of `true`, against xargs on as many commands."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from measuring import Line, await_quiet, copy_project, median, retrofill, scratch, spread, stopwatch
from projects import chain, chain_request

_SLOTS = 2
_SHAPES = ((5, 20), (20, 50))
_GROWTH = ((50, 20), (50, 200))  # 1,000 and 10,000 instances of the same 50 tasks
_LONG = (50, 2_000)  # 100,000


def run(repeats: int, is_long: bool, patience: float) -> list[Line]:
    lines = []
    with scratch() as folder:
        for tasks, days in _SHAPES:
            lines.append(_measure(folder, tasks, days, repeats, patience))
        shapes = [*_GROWTH, _LONG] if is_long else [*_GROWTH]
        series = [
            _measure(folder, tasks, days, _repeats(tasks * days, repeats), patience) for tasks, days in shapes
        ]
        lines += [*series, *(_growth(series[0], line) for line in series[1:])]
    return lines


def _repeats(count: int, repeats: int) -> int:
    """Long ones are steady enough to be run once."""
    return 1 if count > 5_000 else repeats


def _growth(small: Line, large: Line) -> Line:
    """Cost per instance against the smaller backfill of the same tasks, which should stay near one."""
    growth = large.data["ms"] / small.data["ms"]
    xargs = large.data["xargs_ms"] / small.data["xargs_ms"]
    return Line(
        f"  an instance of {large.data['instances']:,} against one of {small.data['instances']:,}",
        f"{growth:.2f}",
        f"xargs {xargs:.2f}",
        growth / xargs,
        {"growth": growth, "xargs_growth": xargs},
    )


def _measure(folder: Path, tasks: int, days: int, repeats: int, patience: float) -> Line:
    """Each repeat on a fresh copy of the same deployed project, xargs right after it."""
    template = chain(folder / f"{tasks}x{days}", tasks)
    count = tasks * days
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(repeats):
        copy = folder / f"{tasks}x{days}-{number}"
        copy_project(template, copy)
        await_quiet(patience)
        with stopwatch(ours):
            row = json.loads(
                retrofill(
                    copy, "backfill", "create", *chain_request(days), "--wait", "--yes", "--output", "json"
                )
            )
        if row["status"] != "succeeded" or row["counts"]["successful"] != count:
            raise SystemExit(f"the backfill of {tasks} x {days} did not succeed: {row}")
        shutil.rmtree(copy)
        theirs.append(_xargs(count))
    shutil.rmtree(template)
    ratio = median(ours) / median(theirs)
    scale = 1000 / count
    return Line(
        f"{tasks} tasks x {days} bizdates = {count:,} instances, ms each",
        spread(ours, scale),
        f"xargs -P{_SLOTS} {spread(theirs, scale)}",
        ratio,
        {"instances": count, "ms": median(ours) * scale, "xargs_ms": median(theirs) * scale,
         "seconds": ours, "xargs_seconds": theirs},
    )  # fmt: skip


def _xargs(count: int) -> float:
    """Seconds for so many commands, with nothing kept and no order."""
    numbers = "\n".join(map(str, range(count))) + "\n"
    seconds: list[float] = []
    with stopwatch(seconds):
        subprocess.run(
            ["xargs", f"-P{_SLOTS}", "-I{}", "sh", "-c", "true"], input=numbers, text=True, check=True
        )
    return seconds[0]
