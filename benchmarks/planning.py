"""(b) Planning and creating large backfills, in a process that has imported all it needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measuring import Line, await_quiet, copy_project, median, scratch, spread
from projects import LAYER_WIDTH, dates, layers

_SHAPES = ((50, 365), (200, 365), (2_000, 366))
_HERE = Path(__file__).parent
_LARGE = 100_000  # instances from which on one repeat is enough
_STOP_SECONDS = 30


def run(repeats: int, patience: float) -> list[Line]:
    lines = []
    with scratch() as folder:
        for tasks, days in _SHAPES:
            lines += _measure(folder, tasks, days, repeats, patience)
    return lines


def _measure(folder: Path, tasks: int, days: int, repeats: int, patience: float) -> list[Line]:
    count = tasks * days
    template = layers(folder / f"{tasks}x{days}", tasks)
    k = repeats if count < _LARGE else min(repeats, 3)
    results = []
    for number in range(k):
        await_quiet(patience)
        results.append(_create(template, folder / f"copy-{number}", days)[0])
    await_quiet(patience)
    watched, writer = _create(template, folder / "watched", days, with_writer=True)
    calm = _idle_writer(template)
    shutil.rmtree(template)
    plan = [one["plan_seconds"] for one in results]
    checked = [one["verify_seconds"] for one in results]
    both = [one["plan_seconds"] + one["create_seconds"] for one in results]
    rows = [one["rows_seconds"] for one in results]
    name = f"{tasks:,} x {days} = {count:,} instances"
    peak = max(one["peak_mb"] for one in results)
    fresh = results[0]["imported_mb"]
    return [
        Line(f"plan {name}, s", spread(plan, digits=3), data={"instances": count, "plan_seconds": plan}),
        Line(
            "  of which verification, s",
            spread(checked, digits=3),
            f"the whole plan {spread(plan, digits=3)}",
            median(checked) / median(plan),
            {"instances": count, "verify_seconds": checked},
        ),
        Line(
            f"plan + create {name}, s",
            spread(both),
            f"bare inserts {spread(rows)}",
            median(both) / median(rows),
            {"instances": count, "seconds": both, "rows_seconds": rows},
        ),
        Line(
            "  its peak memory (RSS), MB",
            f"{peak:.0f}",
            f"after imports {fresh:.0f}",
            peak / fresh,
            {"peak_mb": peak, "imported_mb": fresh},
        ),
        Line(
            "  longest wait of another writer, ms",
            f"{writer['longest_ms']:.1f} (median {writer['median_ms']:.1f}, {writer['writes']} writes)",
            f"without a create {calm['longest_ms']:.1f}",
            None,
            {"create_seconds": watched["create_seconds"], "writer": writer, "writer_alone": calm},
        ),
    ]


def _create(
    template: Path, copy: Path, days: int, with_writer: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plan and create in a process of its own; what it measured, and what a writer beside it did."""
    copy_project(template, copy)
    arguments = [str(copy), str(LAYER_WIDTH), dates(days)]
    creating = subprocess.Popen(
        [sys.executable, str(_HERE / "planning_process.py"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert creating.stdin is not None
    assert creating.stdout is not None
    creating.stdout.readline()  # planned
    writer = start_writer(copy) if with_writer else None
    creating.stdin.write("create\n")
    creating.stdin.flush()
    result = json.loads(creating.stdout.readline())
    if creating.wait() != 0:
        raise SystemExit("planning_process.py failed")
    written = stop_writer(writer) if writer is not None else {}
    shutil.rmtree(copy)
    return result, written


def _idle_writer(project: Path) -> dict[str, Any]:
    """The same writer with the store to itself for a second."""
    writer = start_writer(project)
    time.sleep(1.0)
    return stop_writer(writer)


def start_writer(project: Path) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, str(_HERE / "writing_process.py"), str(project)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    writer.stdout.readline()  # it has begun
    return writer


def stop_writer(writer: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = writer.communicate("", timeout=_STOP_SECONDS)
    found: dict[str, Any] = json.loads(output)
    return found
