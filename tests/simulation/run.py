"""Simulated histories from the command line: `make sim SEED=1 RUNS=200 STORE=postgresql`.

Each seed is another world with other bad luck. The first that breaks an invariant ends the run
and says how to repeat it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from databases import postgres
from databases.stores import chosen
from simulation.histories import History, Scale

_MEMORY = Path("/dev/shm")


def play(seed: int, scale: Scale) -> str:
    """One history; a line of what it saw.

    Raises:
        AssertionError: an invariant does not hold.
    """
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        history = History(Path(directory), seed, scale)
        try:
            history.run()
        finally:
            history.close()
    return history.summary


def main() -> int:
    parser = argparse.ArgumentParser(description="Simulate histories of a scheduler and its users.")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: 1)")
    parser.add_argument("--runs", type=int, default=20, help="how many seeds (default: 20)")
    parser.add_argument("--tasks", type=int, default=Scale.tasks)
    parser.add_argument("--days", type=int, default=Scale.days)
    parser.add_argument("--actions", type=float, default=Scale.actions_per_day, help="of people, a day")
    options = parser.parse_args()
    scale = Scale(options.tasks, options.days, options.actions)
    if chosen() == "postgresql":
        postgres.begin()
        try:
            return _play_all(options.seed, options.runs, scale)
        finally:
            postgres.end()
    return _play_all(options.seed, options.runs, scale)


def _play_all(first: int, runs: int, scale: Scale) -> int:
    began = time.monotonic()
    for seed in range(first, first + runs):
        try:
            print(f"seed {seed}: {play(seed, scale)}", flush=True)
        except Exception:
            traceback.print_exc()
            print(f"\nseed {seed} FAILED; repeat it with: {_command(seed, scale)}", flush=True)
            return 1
    print(f"{runs} histories held in {time.monotonic() - began:.0f} s")
    return 0


def _command(seed: int, scale: Scale) -> str:
    return (
        f"{os.path.relpath(sys.executable)} tests/simulation/run.py --seed {seed} --runs 1 "
        f"--tasks {scale.tasks} --days {scale.days} --actions {scale.actions_per_day}"
    )


if __name__ == "__main__":
    sys.exit(main())
