"""(l) What it costs to look: processor time of commands that only show something.

The reference is `python -c "import click"`, measured between the others: what any command line
of this kind pays before it has done anything.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from measuring import RETROFILL, Line, await_quiet, retrofill, scratch
from projects import write

_BACKFILLS = 20  # active ones, for the list


def run(repeats: int, patience: float) -> list[Line]:
    """Each command's median of `repeats`, and its ratio to the reference."""
    with scratch() as folder:
        project = write(folder / "looking", ["first: {}", "second: {depends_on: [first]}"])
        create = ("backfill", "create", "--task", "first", "--descendants", "all", "--yes")
        retrofill(project, *create, "--bizdate", "2024-01-01..2024-01-03", "--wait")
        for _ in range(_BACKFILLS):
            retrofill(project, *create, "--bizdate", "2024-01-01..2024-01-05")
        commands = {
            "--version": ("--version",),
            f"backfill list, {_BACKFILLS} active": ("backfill", "list"),
            "backfill show": ("backfill", "show", "2"),
            "instance list, 100 rows": ("instance", "list"),
            "instance show": ("instance", "show", "1"),
            "instance log": ("instance", "log", "1"),
            "instance why, of one that has ended": ("instance", "why", "1"),
            "instance why, of one that waits for another": ("instance", "why", "8"),
        }
        click = [sys.executable, "-c", "import click"]
        taken: dict[str, list[float]] = {name: [] for name in ("", *commands)}
        for _ in range(max(repeats, 5)):
            await_quiet(patience)
            taken[""].append(_processor_seconds(click, project))
            for name, words in commands.items():
                taken[name].append(_processor_seconds([RETROFILL, *words], project))
    reference = statistics.median(taken.pop(""))
    words = f"import click {reference * 1000:.0f} ms"
    return [
        Line(name, f"{found * 1000:.0f} ms", words, found / reference, {"seconds": found})
        for name, seconds in taken.items()
        for found in [statistics.median(seconds)]
    ]


def _processor_seconds(command: list[str], project: Path) -> float:
    """User and system time of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"RETROFILL_PROJECT": str(project)}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
