"""Commits a tiny transaction every 5 ms until its stdin ends, and says how long each had to wait: DIR.

What a scheduler's tick would do beside a large `backfill create`.
"""

from __future__ import annotations

import json
import select
import statistics
import sys
import time
from pathlib import Path

from retrofill.store.sqlite.database import Database

_PAUSE_SECONDS = 0.005


def main() -> None:
    store = Database(Path(sys.argv[1]) / ".retrofill")
    waits: list[float] = []
    print("writing", flush=True)
    while not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        began = time.perf_counter()
        with store.transaction() as tx:
            tx.record(time.time_ns() // 1_000_000, "bench", "write")
        waits.append(time.perf_counter() - began)
    store.close()
    found = {
        "writes": len(waits),
        "longest_ms": max(waits) * 1000,
        "median_ms": statistics.median(waits) * 1000,
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
