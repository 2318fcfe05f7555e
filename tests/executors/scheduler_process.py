"""A scheduler's process for tests: starts the runs that stdin names, says so, then waits for its death."""

from __future__ import annotations

import select
import signal
import sys
from pathlib import Path

from retrofill.executors.local.executor import LocalExecutor
from retrofill.services.ports import RunRef, RunSpec


def main() -> None:
    runs = Path(sys.argv[1])
    executor = LocalExecutor(runs, runs.parent / "wake.sock")
    specs = []
    for line in sys.stdin.read().split("\n")[:-1]:
        instance, number, token, boot, kind, folder, timeout, code = line.split("\0")
        ref = RunRef(int(instance), int(number), token, boot)
        specs.append(RunSpec(ref, kind, "ops.task", code, (), {}, folder, int(timeout), None, sys.executable))
    executor.start(specs)
    print("started", flush=True)
    while True:
        select.select([executor.fileno()], [], [])
        for end in executor.poll():
            print(end.ref.instance_id, end.outcome, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
