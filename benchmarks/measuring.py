"""Clocks, memory and files that all benchmarks share. Seconds and MB (10^6 bytes) throughout."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

_QUIET_SHARE = 0.9
RETROFILL = str(Path(sys.executable).with_name("retrofill"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what was measured, the figure, what it is held against."""

    what: str
    figure: str
    reference: str = ""
    ratio: float | None = None
    data: dict[str, Any] = field(default_factory=dict)


def retrofill(project: Path, *arguments: str) -> str:
    """Run a command of the product to its end; its stdout.

    Raises:
        SystemExit: it failed, so there is nothing to measure.
    """
    done = subprocess.run(
        [RETROFILL, "--project", str(project), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"`retrofill {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def copy_project(template: Path, copy: Path) -> None:
    """A project as it was deployed, in another folder, and not held there as copies are."""
    from retrofill.store.sqlite.database import Database

    shutil.copytree(template, copy)
    store = Database(copy / ".retrofill")
    store.bind()
    store.close()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk of this checkout, gone afterwards."""
    root = Path(__file__).resolve().parents[1] / ".bench"
    root.mkdir(exist_ok=True)
    folder = Path(mkdtemp(prefix="work-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stopwatch(seconds: list[float]) -> Iterator[None]:
    """Append how long the block took."""
    began = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - began)


def await_quiet(patience_seconds: float) -> None:
    """Wait until the machine has been idle for half a second, or patience ends."""
    give_up_at = time.monotonic() + patience_seconds
    while time.monotonic() < give_up_at:
        idle, total = _processor_ticks()
        time.sleep(0.5)
        later_idle, later_total = _processor_ticks()
        if later_idle - idle > _QUIET_SHARE * (later_total - total):
            return


def _processor_ticks() -> tuple[int, int]:
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(field) for field in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], scale: float = 1.0, digits: int = 2) -> str:
    """`1.23 (1.20-1.31, k=5)`."""
    if len(values) == 1:
        return f"{values[0] * scale:.{digits}f} (k=1)"
    low, high = min(values) * scale, max(values) * scale
    return f"{median(values) * scale:.{digits}f} ({low:.{digits}f}-{high:.{digits}f}, k={len(values)})"


def pss_of(pid: int) -> float:
    """Proportional set size: shared pages are divided among those who share them."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def processes_of(project: Path) -> list[int]:
    """All living processes that carry the project's folder in their command line."""
    mark = os.fsencode(project)
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if mark in file.read():
                    found.append(int(name))
        except OSError:
            continue
    return found


def print_table(title: str, lines: Iterable[Line]) -> None:
    rows = [
        (line.what, line.figure, line.reference, "" if line.ratio is None else f"{line.ratio:.2f}x")
        for line in lines
    ]
    heads = ("measured", "figure", "reference in the same run", "ratio")
    widths = [max(len(heads[i]), *(len(row[i]) for row in rows)) for i in range(4)]
    print(f"\n{title}")
    for row in (heads, *rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    sys.stdout.flush()
