"""A worker whose runs end at once, without a process: DIR HOST SLOTS. What is left is what claiming and reporting cost.

Prints a line when it is ready, goes on until its standard input ends, and prints how many runs it has ended.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from retrofill.bootstrap.deployment import open_deployment
from retrofill.bootstrap.working import Wanted, worker_of
from retrofill.executors.clock import SystemClock
from retrofill.services.ports import RunEnd, RunRef, RunSpec
from retrofill.services.ports.hosting import HostStatus
from retrofill.services.running.worker import Round, Worker, WorkerLoop


class _EndsAtOnce:
    """An executor."""

    boot_id = "bench"

    def __init__(self, host: str) -> None:
        self.host = host
        self._ends: list[RunEnd] = []
        self._readable, self._writable = os.pipe()
        self.count = 0

    def start(self, runs: Sequence[RunSpec]) -> None:
        now = time.time()
        if runs and not self._ends:
            os.write(self._writable, b".")
        self._ends += [RunEnd(run.ref, "exited", 0, None, now, now, "") for run in runs]
        self.count += len(runs)

    def poll(self) -> list[RunEnd]:
        if self._ends:
            os.read(self._readable, 1)
        ends, self._ends = self._ends, []
        return ends

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        return []

    def stop(self, ref: RunRef) -> None: ...

    def fileno(self) -> int:
        return self._readable

    def close(self) -> None: ...


def main() -> None:
    directory, host, slots = sys.argv[1], sys.argv[2], int(sys.argv[3])
    made = worker_of(open_deployment(directory, os.environ), Wanted(slots=slots), Path(directory) / host)
    executor = _EndsAtOnce(host)
    place = made.place
    status = HostStatus(
        host, "bench", host, "pull", made.wanted.groups, slots, "bench", str(place.folder), sys.executable
    )
    place.home.mkdir(parents=True)
    worker = Worker(made.hosting, executor, status, SystemClock(), time.monotonic)
    worker.start()
    loop = WorkerLoop(worker, executor, made.listen(place.home), [(0, lambda: None)])
    print("ready", flush=True)
    loop.run(_is_over)
    print(executor.count, flush=True)


def _is_over(done: Round) -> bool:
    """Whether nobody wants it any more."""
    return bool(select.select([0], [], [], 0)[0])


if __name__ == "__main__":
    main()
