"""(u) `retrofill up`: how soon it answers, what it costs while nobody asks, and what it bears of clients that say nothing."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from measuring import RETROFILL, Line, await_quiet, median, pss_of, retrofill, scratch, spread
from projects import write

_SETTLE_SECONDS = 2.0
_CONNECTIONS = 10_000
_REFERENCE = "import fastapi, uvicorn"
_REQUESTS = 50


@dataclass
class Group:
    """One that runs."""

    process: subprocess.Popen[bytes]
    url: str

    def pids(self) -> list[int]:
        return [self.process.pid, *_descendants(self.process.pid)]

    def get(self, path: str) -> int:
        """The status of an answer, on a connection of its own."""
        host, port = urlsplit(self.url).netloc.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=120)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


def run(repeats: int, patience: float) -> list[Line]:
    """From the command to its first page, memory of all processes, and clients that hold connections."""
    with scratch() as folder:
        project = write(folder / "up", ["work: {}"])
        retrofill(project, "deploy")
        return [*_start(project, repeats, patience), *_idle(project), *_held(project)]


def _start(project: Path, repeats: int, patience: float) -> list[Line]:
    ready, page, imports = [], [], []
    for _ in range(repeats):
        await_quiet(patience)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", _REFERENCE], check=True)
        imports.append(time.perf_counter() - began)
        began = time.perf_counter()
        with _running(project) as group:
            ready.append(time.perf_counter() - began)
            if group.get("/sign-in") != 200:
                raise SystemExit("there is no page to sign in")
            page.append(time.perf_counter() - began)
    reference = f"`{_REFERENCE}` {spread(imports)}"
    return [
        Line("address and link printed, s", spread(ready), reference, median(ready) / median(imports)),
        Line("page to sign in, s", spread(page), reference, median(page) / median(imports)),
    ]


def _idle(project: Path) -> list[Line]:
    with _running(project) as group:
        group.get("/sign-in")
        time.sleep(_SETTLE_SECONDS)
        parts = {pid: pss_of(pid) for pid in group.pids()}
    words = ", ".join(f"{pss:.1f}" for pss in parts.values())
    total = sum(parts.values())
    return [Line(f"idle, {len(parts)} processes, PSS MB", f"{total:.1f}", words, None, {"pss_mb": total})]


def _held(project: Path) -> list[Line]:
    """Connections that say nothing, however many the machine lets us open, and one that asks."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _CONNECTIONS + 100 if hard == resource.RLIM_INFINITY else min(_CONNECTIONS + 100, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    with _running(project) as group, contextlib.ExitStack() as held:
        address = group.url.removeprefix("http://").split(":")
        alone = _asked(group)
        before = sum(map(pss_of, group.pids()))
        count = files - 100
        for _ in range(count):
            held.enter_context(socket.create_connection((address[0], int(address[1])), 120))
        among = _asked(group)
        after = sum(map(pss_of, group.pids()))
    return [
        Line(
            f"answer beside {count:,} silent connections, ms",
            spread(among, 1000),
            f"alone {spread(alone, 1000)}",
            median(among) / median(alone),
        ),
        Line("  memory that they take, MB", f"{after - before:.1f}", f"before {before:.1f}"),
    ]


def _asked(group: Group) -> list[float]:
    seconds = []
    for _ in range(_REQUESTS):
        began = time.perf_counter()
        group.get("/healthz")
        seconds.append(time.perf_counter() - began)
    return seconds


@contextmanager
def _running(project: Path) -> Iterator[Group]:
    command = [RETROFILL, "--project", str(project), "up", "--port", "0", "--output", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield Group(process, json.loads(process.stdout.readline())["url"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


def _descendants(pid: int) -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [child for child, parent in parents.items() if parent == pid]
    return [*found, *(one for child in found for one in _descendants(child))]
