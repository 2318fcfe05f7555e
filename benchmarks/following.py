"""(f) How soon `instance log --follow` shows a line, beside `tail -f` on the same log at the same time."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from threading import Thread

from measuring import RETROFILL, Line, median, retrofill, scratch, spread
from projects import write

_LINES = 40
_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 60


def run() -> list[Line]:
    """From the moment that a task writes into a line, to the moment that a follower has read it."""
    with scratch() as folder:
        loop = f"for i in $(seq {_LINES}); do date +%s.%N; sleep {_PAUSE_SECONDS}; done"
        project = write(folder / "follow", [f"work: {{run: '{loop}'}}"])
        create = ["backfill", "create", "--task", "bench.work", "--bizdate", "2024-01-01", "--yes"]
        retrofill(project, *create)
        command = [RETROFILL, "--project", str(project)]
        waiting = subprocess.Popen(
            [*command, "backfill", "wait", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        log = _log_of(project)
        ours: list[float] = []
        tails: list[float] = []
        readers = [
            Thread(target=_read, args=([*command, "instance", "log", "1", "--follow"], ours)),
            Thread(target=_read, args=(["tail", "-n", "+1", f"--pid={waiting.pid}", "-f", str(log)], tails)),
        ]
        for reader in readers:
            reader.start()
        waiting.wait(_PATIENCE_SECONDS)
        for reader in readers:
            reader.join(_PATIENCE_SECONDS)
    return [
        Line(
            "a line of a log until it is shown by --follow, ms",
            spread(ours, 1000, 1),
            f"tail -f {spread(tails, 1000, 1)}",
            median(ours) / median(tails),
            {"seconds": ours, "tail_seconds": tails},
        )
    ]


def _log_of(project: Path) -> Path:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        if found := list((project / ".retrofill" / "runs" / "logs").glob("*.log")):
            return found[0]
        time.sleep(0.01)
    raise SystemExit("the task did not start")


def _read(command: list[str], seconds: list[float]) -> None:
    """Delays of the lines of the second half: what was written before somebody looked is no measure."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for number, line in enumerate(iter(process.stdout.readline, b"")):
            if number >= _LINES // 2:
                seconds.append(time.time() - float(line))
