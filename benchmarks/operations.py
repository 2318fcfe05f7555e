"""(o) Operations on whole backfills: what they cost by the number of instances, and how long others wait meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

from measuring import Line, await_quiet, median, retrofill, scratch, spread
from planning import start_writer, stop_writer
from projects import dates, write

_TASKS = ["minute: {schedule: '* * * * *'}", "hourly: {schedule: '@hourly'}"]
# As many instances each: slots of one date fail and come back together, those of many dates do not.
_SHAPES = (("minute", 7), ("hourly", 420))
_LONG = ("minute", 694)  # nearly 1,000,000 instances
_OPERATIONS = ("freeze", "unfreeze")


def run(repeats: int, long: bool, patience: float) -> list[Line]:
    with scratch() as folder:
        lines = [
            line for task, days in _SHAPES for line in _measure(folder, task, days, min(repeats, 3), patience)
        ]
        if long:
            lines += _measure(folder, *_LONG, 1, patience)
    return lines


def _measure(folder: Path, task: str, days: int, repeats: int, patience: float) -> list[Line]:
    count = days * (1440 if task == "minute" else 24)
    created: list[float] = []
    seconds: dict[str, list[float]] = {name: [] for name in _OPERATIONS}
    longest: list[float] = []
    for number in range(repeats):
        project = write(folder / f"{task}-{days}-{number}", _TASKS)
        await_quiet(patience)
        request = ["--task", f"bench.{task}", "--bizdate", dates(days)]
        created.append(_seconds(project, "backfill", "create", *request, "--yes"))
        retrofill(project, "backfill", "pause", "1")
        writer = start_writer(project)
        for name in _OPERATIONS:
            seconds[name].append(_seconds(project, "backfill", name, "1"))
        longest.append(stop_writer(writer)["longest_ms"])
    reference = f"creating them {spread(created)}"
    return [
        *(
            Line(
                f"{name} {count:,} instances of {task}, s",
                spread(seconds[name]),
                reference,
                median(seconds[name]) / median(created),
                {"instances": count, "seconds": seconds[name], "create_seconds": created},
            )
            for name in _OPERATIONS
        ),
        Line("  longest wait of another writer, ms", f"{max(longest):.1f}", data={"longest_ms": longest}),
    ]


def _seconds(project: Path, *command: str) -> float:
    began = time.perf_counter()
    retrofill(project, *command)
    return time.perf_counter() - began
