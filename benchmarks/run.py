"""Measure what the claims about speed and memory rest on.

    python benchmarks/run.py [--only a,b,c,d,e,f,g,h,i,o,l,m,s,u,v,w] [--repeats 5] [--long]

Prints tables with ratios against a reference measured in the same run, and writes
`.bench/results.json`. Nothing is asserted: figures depend on the machine, ratios less so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import drawing
import estimates
import following
import growing
import looking
import operations
import planning
import servers
import sql_tasks
import starting
import throughput
import ticks
import waiting
import workers
from measuring import Line, print_table

import lineage

_RESULTS = Path(__file__).resolve().parents[1] / ".bench" / "results.json"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure speed and memory.")
    parser.add_argument(
        "--only",
        default="a,b,c,d,e,f,g,h,i,o,l,m,s,u,v,w",
        help="which: a throughput, b planning, c memory, d latency, e lineage, f logs, g estimates, h ticks, "
        "i sql tasks, s the store on a server, u the server, v pictures in a browser, w several machines, "
        "m workers against Celery by itself",
    )
    parser.add_argument("--repeats", type=int, default=5, help="k behind a median (default: 5)")
    parser.add_argument(
        "--long", action="store_true", help="also 100,000 instances run and 1,000,000 stored (some minutes)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait for a quiet machine before each repeat (default: 0)",
    )
    options = parser.parse_args()
    benchmarks: dict[str, tuple[str, Callable[[], list[Line]]]] = {
        "a": (
            "(a) backfills of `true`, 2 slots, 10 groups",
            lambda: throughput.run(options.repeats, options.long, options.patience),
        ),
        "b": (
            "(b) planning and creating, about 3 edges a task",
            lambda: planning.run(options.repeats, options.patience),
        ),
        "c": ("(c) memory of an idle scheduler", waiting.run_memory),
        "d": ("(d) time to the first start", lambda: waiting.run_latency(options.repeats, options.patience)),
        "e": ("(e) lineage from SQL", lambda: lineage.run(options.repeats)),
        "f": ("(f) following a log", following.run),
        "g": (
            "(g) estimates",
            lambda: [*estimates.run_cost(min(options.repeats, 3)), *estimates.run_quality()],
        ),
        "h": (
            "(h) ticks, and nights",
            lambda: ticks.run(options.repeats, options.long, options.patience),
        ),
        "o": (
            "(o) operations on whole backfills",
            lambda: operations.run(options.repeats, options.long, options.patience),
        ),
        "l": ("(l) looking: processor time", lambda: looking.run(options.repeats, options.patience)),
        "s": (
            "(s) the store on a PostgreSQL server",
            lambda: servers.run(min(options.repeats, 3), options.long, options.patience),
        ),
        "u": ("(u) the server", lambda: starting.run(options.repeats, options.patience)),
        "v": ("(v) pictures of a backfill", lambda: drawing.run(options.patience, options.long)),
        "w": ("(w) a deployment of several machines", lambda: growing.run(options.patience)),
        "m": ("(m) work on other machines", lambda: workers.run(options.long, options.patience)),
        "i": ("(i) runs of sql tasks, 2 slots", lambda: sql_tasks.run(options.repeats, options.patience)),
    }
    chosen = options.only.split(",")
    if unknown := set(chosen) - set(benchmarks):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    results: dict[str, Any] = {"machine": _machine(), "benchmarks": {}}
    for key, (title, measure) in benchmarks.items():
        if key in chosen:
            lines = measure()
            print_table(title, lines)
            results["benchmarks"][key] = [
                {"what": line.what.strip(), "figure": line.figure, "reference": line.reference}
                | {"ratio": line.ratio, "data": line.data}
                for line in lines
            ]
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\n{_RESULTS}")
    return 0


def _machine() -> dict[str, Any]:
    return {
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": os.getloadavg()[0],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


if __name__ == "__main__":
    sys.exit(main())
