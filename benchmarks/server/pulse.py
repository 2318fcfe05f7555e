"""A scheduler whose runs take a moment and do nothing: FOLDER. Ticks four times a second until its stdin ends.

What a busy deployment writes while a server is asked: starts, ends, counters, revisions.
"""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Sequence

from retrofill.bootstrap.deployment import open_deployment
from retrofill.services.ports import RunEnd, RunRef, RunSpec
from retrofill.services.running.scheduler import Scheduler

_PAUSE_SECONDS = 0.25
_LENGTHS = [0.25 * quarters for quarters in range(2, 8)]  # of runs, so that something ends with every tick


class _Pretending:
    """An executor whose runs end well, each after a moment."""

    boot_id = "bench"
    host = None

    def __init__(self) -> None:
        self._running: list[tuple[float, RunRef]] = []

    def start(self, runs: Sequence[RunSpec]) -> None:
        now = time.time()
        self._running += [(now, spec.ref) for spec in runs]

    def poll(self) -> list[RunEnd]:
        now = time.time()
        done = [(began, ref) for began, ref in self._running if now - began >= _length(ref)]
        self._running = [one for one in self._running if one not in done]
        return [RunEnd(ref, "exited", 0, None, began, now, "") for began, ref in done]

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        self._running += [(time.time(), ref) for ref in refs]
        return []

    def stop(self, ref: RunRef) -> None: ...

    def fileno(self) -> int:
        return 0

    def close(self) -> None: ...


def _length(ref: RunRef) -> float:
    return _LENGTHS[ref.instance_id % len(_LENGTHS)]


def main() -> None:
    deployment = open_deployment(sys.argv[1], {})
    scheduler = Scheduler(
        deployment.store, _Pretending(), deployment.clock, deployment.specs("python3"), deployment.graphs()
    )
    scheduler.start()
    ticks, started = 0, 0
    print("ticking", flush=True)
    while not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        started += scheduler.tick().started
        ticks += 1
    deployment.close()
    print(json.dumps({"ticks": ticks, "started": started}), flush=True)


if __name__ == "__main__":
    main()
