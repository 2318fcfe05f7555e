"""(s) The store on a PostgreSQL server against the embedded one, in the same call: durable on both, on one disk.

The server is that of the tests' wheel, with its defaults but for what tests switch off: it syncs every commit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measuring import Line, await_quiet, copy_project, median, retrofill, scratch, spread, stopwatch
from projects import LAYER_WIDTH, chain, chain_request, dates, layers

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT / "tests"))

from databases.server import Server  # noqa: E402

_TASKS, _DAYS = 50, 20  # 1,000 instances of `true`
_LARGE = (2_000, 366)  # 732,000
_ENDED = (10_000, 1_000_000)  # instances that have ended, beside which nothing is to be done
_TICKS = 200


def run(repeats: int, is_long: bool, patience: float) -> list[Line]:
    with scratch() as folder, server_in(folder) as server:
        lines = [_throughput(folder, server, repeats, patience)]
        if is_long:
            lines.append(_creating(folder, server, patience))
        lines += _idle_ticks(folder, server, _ENDED if is_long else _ENDED[:1])
    return lines


@contextmanager
def server_in(folder: Path) -> Iterator[Server]:
    directory = folder / "server"
    directory.mkdir()
    for one in (folder, directory):
        one.chmod(0o711)
    server = Server(directory)
    try:
        yield server
    finally:
        server.stop()


def database_of(server: Server, name: str) -> str:
    """The URL of a new database."""
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.replace("/postgres", f"/{name}")


@contextmanager
def stored_in(url: str) -> Iterator[None]:
    """Commands that are called meanwhile have their store there."""
    os.environ["RETROFILL_STORE"] = url
    try:
        yield
    finally:
        del os.environ["RETROFILL_STORE"]


def _throughput(folder: Path, server: Server, repeats: int, patience: float) -> Line:
    """A backfill of `true`, from the command to its end."""
    template = chain(folder / "chain", _TASKS)
    found: dict[str, list[float]] = {"embedded": [], "server": []}
    for number in range(repeats):
        for kind, seconds in found.items():
            copy = folder / f"{kind}-{number}"
            copy_project(template, copy)
            with stored_in(database_of(server, f"chain_{number}") if kind == "server" else ""):
                retrofill(copy, "deploy")
                await_quiet(patience)
                with stopwatch(seconds):
                    answer = retrofill(
                        copy,
                        "backfill",
                        "create",
                        *chain_request(_DAYS),
                        "--wait",
                        "--yes",
                        "--output",
                        "json",
                    )
            if json.loads(answer)["counts"]["successful"] != _TASKS * _DAYS:
                raise SystemExit(f"the backfill did not succeed: {answer}")
    return _against(f"{_TASKS * _DAYS:,} x `true`, s", found, 2)


def _creating(folder: Path, server: Server, patience: float) -> Line:
    """Filling the store with a large backfill, in a process that has planned it."""
    tasks, days = _LARGE
    template = layers(folder / "layers", tasks)
    found: dict[str, list[float]] = {"embedded": [], "server": []}
    for kind, seconds in found.items():
        copy = folder / f"{kind}-layers"
        copy_project(template, copy)
        with stored_in(database_of(server, "layers") if kind == "server" else ""):
            retrofill(copy, "deploy")
            await_quiet(patience)
            seconds.append(_create(copy, days))
    return _against(f"creating {tasks * days:,} instances, s", found, 1)


def _create(project: Path, days: int) -> float:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("planning_process.py")), str(project), str(LAYER_WIDTH), dates(days)],
        input="create\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(json.loads(done.stdout.splitlines()[-1])["create_seconds"])


def _against(what: str, found: dict[str, list[float]], digits: int) -> Line:
    ours, embedded = found["server"], found["embedded"]
    return Line(
        what,
        spread(ours, digits=digits),
        f"embedded {spread(embedded, digits=digits)}",
        median(ours) / median(embedded),
        {"seconds": ours, "embedded_seconds": embedded},
    )


def _idle_ticks(folder: Path, server: Server, sizes: tuple[int, ...]) -> Iterator[Line]:
    """Ticks with nothing to do, beside more and more that has ended."""
    from retrofill.store.postgres.database import Database

    url = database_of(server, "idle")
    with stored_in(url):
        home = layers(folder / "idle", LAYER_WIDTH) / ".retrofill"
    store = Database(url, home, "bench")
    before: list[float] = []
    for size in sizes:
        _fill(url, size)
        seconds = _tick(store, home)
        yield Line(
            f"a tick with nothing to do beside {size:,} ended instances, ms",
            spread(seconds, 1000, 2),
            f"{sizes[0]:,}: {spread(before, 1000, 2)}" if before else "",
            median(seconds) / median(before) if before else None,
            {"instances": size, "seconds": median(seconds)},
        )
        before = before or seconds
    store.close()


def _fill(url: str, size: int) -> None:
    """Instances of a backfill that has ended."""
    import psycopg

    from retrofill.services.ports.records import InstanceRecord

    columns = ", ".join(f'"{name}"' for name in InstanceRecord._fields)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO backfill (id, name, phase, check_status, version_id, policy, task_count, instance_count, "
            "first_instance_id, stride, created_by, created_ms, started_ms, ended_ms, selection, choice, analysis) VALUES "
            "(1, 'b', 'active', 'passed', 1, '{}', 1, 1, 1, 1, 'admin', 1, 1, 1, '{}', '{}', '{}') ON CONFLICT DO NOTHING"
        )
        values = {
            "id": "n",
            "backfill_id": "1",
            "task_id": "1",
            "bizdate": "'2026-01-05'",
            "slot": "60",
            "kind": "'run'",
        }
        values |= {"state": "'successful'", "resource_group": "'default'", "priority": "1", "open_waits": "0"}
        values |= {"ignores_waits": "0", "run_number": "1", "reruns": "0"}
        values |= dict.fromkeys(("reason", "frozen_from", "code_version_id"), "NULL")
        row = ", ".join(values.get(name, "1000") for name in InstanceRecord._fields)
        connection.execute(
            f"INSERT INTO instance ({columns}) SELECT {row} FROM generate_series("
            f"(SELECT coalesce(max(id), 0) + 1 FROM instance), {size}) n"
        )


def _tick(store: Any, home: Path) -> list[float]:
    from ticks import _At, _NothingRuns

    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.running.scheduler import Scheduler
    from retrofill.services.upkeep.clocks import accept_clock

    clock = _At(datetime(2026, 1, 1, tzinfo=UTC))
    accept_clock(store, clock, "benchmark")
    scheduler = Scheduler(store, _NothingRuns(), clock, RunSpecs(home, {}.get, "python3"), GraphCache())
    scheduler.start()
    found = []
    for number in range(_TICKS + 10):
        began = time.perf_counter()
        scheduler.tick()
        if number >= 10:
            found.append(time.perf_counter() - began)
    return found
