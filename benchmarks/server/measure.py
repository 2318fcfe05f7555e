"""What a server can bear: 1,000,000 instances, 50 backfills that run, 100 requests a second, 500 streams.

    python benchmarks/server/measure.py [--folder F] [--seconds 60] [--only costs,load,streams,plan]

With `--folder` the store that is there is used, or made and kept (`filling.py`). Every table holds figures of a bare
Starlette handler over the same query, measured in the same run. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parent))

import streams  # noqa: E402
from filling import BACKFILLS, DAYS, TASKS, fill  # noqa: E402
from measuring import Line, print_table, pss_of, scratch  # noqa: E402
from projects import dates, layers  # noqa: E402
from streams import processor_seconds  # noqa: E402

_REQUESTS = 200  # of each kind, one after the other
_USERS = 100  # each one request a second
_LARGE = (2_000, 366)
_EACH = TASKS * DAYS


@dataclass(frozen=True)
class Served:
    """A server that runs, and what it is held against."""

    url: str
    tokens: list[str]
    pid: int
    reference_url: str
    reference_pid: int
    folder: Path

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"Authorization": f"Bearer {self.tokens[0]}"}, timeout=60
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the server.")
    parser.add_argument("--folder", type=Path, help="of the store; made where there is none, and kept")
    parser.add_argument("--seconds", type=int, default=60, help="of load (600 shows whether memory grows)")
    parser.add_argument("--only", default="costs,load,streams,plan")
    options = parser.parse_args()
    parts: dict[str, tuple[str, Callable[[Served], list[Line]]]] = {
        "costs": ("processor time of one request", _costs),
        "load": (f"{_USERS} requests a second", lambda served: _load(served, options.seconds)),
        "streams": ("streams", _streams),
        "plan": ("a large preview", _plan),
    }
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = options.folder or stack.enter_context(scratch()) / "busy"
        if not folder.exists():
            fill(folder)
        served = stack.enter_context(_served(folder))
        for name in options.only.split(","):
            title, measure = parts[name]
            lines = measure(served)
            print_table(title, lines)
            results[name] = [{"what": line.what, "figure": line.figure, "data": line.data} for line in lines]
    written = _HERE.parents[1] / ".bench" / "server.json"
    written.parent.mkdir(exist_ok=True)
    written.write_text(json.dumps(results, indent=1) + "\n")
    return 0


@contextmanager
def _served(folder: Path) -> Iterator[Served]:
    """The server, a scheduler that is busy, and the reference."""
    with ExitStack() as stack:
        serving = stack.enter_context(_process("serving.py", str(folder)))
        reference = stack.enter_context(_process("reference.py", str(folder / ".retrofill/retrofill.db")))
        pulse = stack.enter_context(_process("pulse.py", str(folder)))
        said = json.loads(_line_of(serving))
        address, _ = _line_of(reference), _line_of(pulse)
        yield Served(said["url"], said["tokens"], serving.pid, address, reference.pid, folder)


@contextmanager
def _process(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(_HERE / script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# What is measured


def _costs(served: Served) -> list[Line]:
    """One request at a time, so that nothing is waited for."""
    kinds: dict[str, Callable[[int], str]] = {
        "home": lambda _: "/home",
        "what needs somebody": lambda _: "/home/counts",
        "list of backfills, 50": lambda _: "/backfills?limit=50",
        "list of instances, 100": lambda n: f"/instances?backfill={1 + n % BACKFILLS}&limit=100",
        "a backfill": lambda n: f"/backfills/{1 + n % BACKFILLS}",
        "progress": lambda n: f"/backfills/{1 + n % BACKFILLS}/progress",
        "an instance": lambda n: f"/instances/{1 + n * 4_999 % (BACKFILLS * _EACH)}",
        "why": lambda n: f"/instances/{1 + n * 4_999 % (BACKFILLS * _EACH)}/why",
        f"grid of {TASKS} x {DAYS}": lambda n: f"/backfills/{1 + n % BACKFILLS}/grid",
        "timeline": lambda n: f"/backfills/{1 + n % BACKFILLS}/timeline",
        "changes of a backfill": lambda n: f"/backfills/{1 + n % BACKFILLS}/events",
    }
    with httpx.Client(timeout=60) as client:
        bare = _cost(
            client, served.reference_pid, lambda n: f"{served.reference_url}/instances?after={n * 4_999}"
        )
    lines = []
    with served.client() as client:
        for name, path in kinds.items():
            found = _cost(client, served.pid, path)
            reference = f"a bare handler of 100 rows {bare * 1000:.1f} ms"
            lines.append(Line(name, f"{found * 1000:.1f} ms", reference, found / bare, {"ms": found * 1000}))
    return lines


def _cost(client: httpx.Client, pid: int, path: Callable[[int], str]) -> float:
    """Processor seconds of the server for one request."""
    for number in range(5):
        client.get(path(number)).raise_for_status()
    before = processor_seconds(pid)
    for number in range(_REQUESTS):
        client.get(path(number)).raise_for_status()
    return (processor_seconds(pid) - before) / _REQUESTS


def _load(served: Served, seconds: int) -> list[Line]:
    """Locust asks; the slowest twentieth of each kind, and memory before and after.

    Everything has been looked at once before, as on a server that has been up for a while.
    """
    with served.client() as client:
        for number in range(1, BACKFILLS + 1):
            client.get(f"/backfills/{number}").raise_for_status()
    environment = {**os.environ, "RETROFILL_TOKEN": served.tokens[0], "REFERENCE_URL": served.reference_url}
    before, busy = pss_of(served.pid), processor_seconds(served.pid)
    output = served.folder / "locust"
    words = f"--headless --users {_USERS} --spawn-rate {_USERS // 5} --run-time {seconds}s --reset-stats --only-summary"
    subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(_HERE / "locustfile.py"), "--host", served.url,
         *words.split(), "--json-file", str(output)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    found = {one["name"]: one for one in json.loads(output.with_suffix(".json").read_text())}
    after, share = pss_of(served.pid), (processor_seconds(served.pid) - busy) / seconds
    bare = _slowest_twentieth(found.pop("bare handler"))
    count = sum(one["num_requests"] for one in found.values())
    failures = sum(one["num_failures"] for one in found.values())
    lines = [
        Line(
            name,
            f"p95 {_slowest_twentieth(one):.0f} ms",
            f"a bare handler {bare:.0f} ms",
            _slowest_twentieth(one) / bare,
            {"p95_ms": _slowest_twentieth(one), "requests": one["num_requests"]},
        )
        for name, one in sorted(found.items())
    ]
    return [
        *lines,
        Line("  requests a second", f"{count / seconds:.0f}", f"{failures} failed", None, {"failures": failures}),
        Line("  share of a processor", f"{share:.0%}", "", None, {"share": share}),
        Line("  memory, PSS MB", f"{after:.0f}", f"before {before:.0f}", after / before),
    ]  # fmt: skip


def _slowest_twentieth(one: dict[str, Any]) -> float:
    """Milliseconds within which 95 of 100 were answered."""
    times = sorted((float(ms), int(count)) for ms, count in one["response_times"].items())
    left = 0.95 * sum(count for _, count in times)
    for ms, count in times:
        left -= count
        if left <= 0:
            return ms
    return 0.0


def _streams(served: Served) -> list[Line]:
    with served.client() as client:
        (running,) = client.get("/backfills?status=running&limit=1").raise_for_status().json()["items"]
    return streams.run(served.url, running["id"], served.tokens, served.pid)


def _plan(served: Served) -> list[Line]:
    """2,000 tasks on 366 dates, asked of a server of their own."""
    tasks, days = _LARGE
    with scratch() as folder, _served(layers(folder / "large", tasks)) as large, large.client() as client:
        body = {"task": ["bench.t0"], "descendants": "all", "bizdate": [dates(days)]}
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            answer = client.post("/backfills/plan", json=body).raise_for_status().json()
            taken.append(time.perf_counter() - began)
    return [
        Line(
            f"plan of {tasks:,} tasks on {days} dates",
            f"first {taken[0]:.2f} s, then {min(taken[1:]):.2f} s",
            "below 2 s",
            None,
            {"seconds": taken, "answer": len(json.dumps(answer))},
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
