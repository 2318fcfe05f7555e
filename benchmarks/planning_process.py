"""Plans and creates one backfill, and says how long each took: DIR ROOTS BIZDATES.

Prints a line when it has planned, waits for a line, creates, prints what it measured.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from retrofill.bootstrap.centers import open_call
from retrofill.domain.planning.plan import Plan, build
from retrofill.domain.planning.policy import Policy
from retrofill.domain.selection.ways import ManualSelection
from retrofill.domain.time.bizdates import parse_range
from retrofill.domain.time.milliseconds import instant_of
from retrofill.domain.verification.verify import verify
from retrofill.services.backfills import instance_rows as creating  # noqa: F401 - imported before the clock starts
from retrofill.services.backfills.creation import BackfillCreation
from retrofill.services.backfills.requests import Request, make_plan
from retrofill.services.instances import propagation as settling  # noqa: F401 - imported before the clock starts

_ROWS = 5_000  # as many a transaction as the product writes


def main() -> None:
    directory, roots, bizdates = sys.argv[1:]
    project = open_call(directory)
    catalog = project.folder.catalog
    limits = project.limits
    project.store.close()
    imported_mb = _peak_mb()
    request = Request(
        ManualSelection(tuple(f"bench.t{n}" for n in range(int(roots))), "all"),
        Policy(ranges=(parse_range(bizdates),), groups=10),
    )
    began = time.perf_counter()
    planned = make_plan(catalog, request, limits, instant_of(project.clock.now_ms()))
    plan_seconds = time.perf_counter() - began
    verify_seconds = _verify(planned.plan, project.clock.now_ms())
    version_id = project.center.versions.deploy()["version"]
    service = BackfillCreation(project.store, project.graphs, project.clock)
    print("planned", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    service.create(planned, version_id, project.user)
    create_seconds = time.perf_counter() - began
    found: dict[str, Any] = {
        "instances": planned.plan.instance_count,
        "plan_seconds": plan_seconds,
        "verify_seconds": verify_seconds,
        "create_seconds": create_seconds,
        "imported_mb": imported_mb,
        "peak_mb": _peak_mb(),
    }
    project.close()
    if project.deployment.store_url is None:
        found["rows_seconds"] = _bare_rows(Path(directory), planned.plan.instance_count)
    print(json.dumps(found), flush=True)


def _verify(plan: Plan, now_ms: int) -> float:
    """Seconds of verification alone, on a plan that nobody has looked at yet."""
    fresh = build(plan.catalog, plan.choice, plan.policy)
    began = time.perf_counter()
    verify(fresh, instant_of(now_ms))
    return time.perf_counter() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _bare_rows(directory: Path, count: int) -> float:
    """Seconds to insert so many rows of the same columns into an empty file with one index, same durability."""
    source = sqlite3.connect(f"file:{directory}/.retrofill/retrofill.db?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(directory / "bare.db", isolation_level=None)) as bare:
        rows = source.execute(f"SELECT * FROM instance LIMIT {_ROWS}").fetchall()
        bare.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        names = ", ".join(f"c{n}" for n in range(1, len(rows[0])))
        bare.execute(f"CREATE TABLE instance (id INTEGER PRIMARY KEY, {names})")
        insert = f"INSERT INTO instance VALUES ({', '.join('?' * len(rows[0]))})"
        began = time.perf_counter()
        for start in range(0, count, _ROWS):
            bare.execute("BEGIN")
            bare.executemany(insert, [(start + n, *row[1:]) for n, row in enumerate(rows[: count - start])])
            bare.execute("COMMIT")
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
