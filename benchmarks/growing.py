"""(w) What a deployment of several machines costs by part: processor time, what it writes and keeps, and memory.

Each part is on a host of its own, a network namespace (`tests/networks`), so that what it has used can be told apart:
a PostgreSQL server that syncs every commit, a scheduler, workers that pull. Sizing rests on processor time, which
other work on the machine lengthens less than the clock's; the rate is that of all parts on this one machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measuring import RETROFILL, Line, await_quiet, pss_of, retrofill, scratch
from projects import chain, chain_request

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from databases import postgres
from databases.server import Server
from networks.hosts import Host, Network, why_not

_TASKS, _DAYS = 50, 40  # 2,000 instances of `true`
_WORKERS, _SLOTS = 2, 8
_PATIENCE_SECONDS = 600
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_LEFT = "SELECT count(*) FROM instance WHERE state NOT IN ('successful', 'failed')"


def run(patience: float) -> list[Line]:
    if (reason := why_not()) is not None:
        return [Line("a deployment of several machines", f"not measured: {reason}")]
    with scratch() as folder, Network() as network, _parts(folder, network) as parts:
        parts.start()
        await_quiet(patience)
        idle = parts.memory()
        before, wrote, began = parts.processor_seconds(), parts.written(), time.perf_counter()
        retrofill(parts.project, "backfill", "create", *chain_request(_DAYS, _WORKERS * _SLOTS // 2), "--yes")
        busy = parts.await_end()
        seconds = time.perf_counter() - began
        used = {name: after - before[name] for name, after in parts.processor_seconds().items()}
        kept, wal = (after - earlier for after, earlier in zip(parts.written(), wrote, strict=True))
    return [
        _rate(seconds),
        *_by_part("processor time an instance, ms", {name: 1000 * found / _count() for name, found in used.items()}, 2),
        Line("kept of an instance in the store, with its indexes, bytes", f"{kept / _count():,.0f}"),
        Line("written ahead of it (WAL), bytes", f"{wal / _count():,.0f}"),
        *_by_part("memory while idle, MB", idle, 0),
        *_by_part("most memory while it runs, MB", busy, 0),
    ]  # fmt: skip


def _count() -> int:
    return _TASKS * _DAYS


def _rate(seconds: float) -> Line:
    figure = f"{_count() / seconds:,.0f} instances/s"
    return Line(f"{_count():,} x `true`, {_WORKERS} workers", figure, data={"seconds": seconds})


def _by_part(what: str, found: Mapping[str, float], digits: int) -> Iterator[Line]:
    for name, figure in found.items():
        yield Line(f"{what}: {name}", f"{figure:,.{digits}f}")


@dataclass(frozen=True)
class _Parts:
    """The hosts of a deployment, by what they are for."""

    project: Path
    server: Server
    url: str  # as this machine reaches it
    address: str  # as the hosts do
    hosts: Mapping[str, Host]

    def start(self) -> None:
        """A scheduler and workers, until their hosts end."""
        environment = os.environ | {"RETROFILL_STORE": self.address}
        for name, host in self.hosts.items():
            if name != "store":
                words = ["worker", "--home", f"../{name}", "--slots", str(_SLOTS)]
                host.popen(
                    [RETROFILL, *(["scheduler"] if name == "scheduler" else words)],
                    cwd=self.project, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
        self._until("SELECT count(*) FROM host", lambda found: found == _WORKERS)

    def await_end(self) -> dict[str, float]:
        """Until nothing runs; the most memory that each has had meanwhile."""
        most = self.memory()

        def is_over(left: int) -> bool:
            most.update({name: max(most[name], found) for name, found in self.memory().items()})
            return left == 0

        self._until(_LEFT, is_over)
        return most

    def _until(self, query: str, condition: object) -> None:
        import psycopg

        assert callable(condition)
        limit = time.monotonic() + _PATIENCE_SECONDS
        with psycopg.connect(self.url, autocommit=True) as asking:
            while not condition(asking.execute(query).fetchone()[0]):  # type: ignore[index]
                if time.monotonic() > limit:
                    raise SystemExit(f"it has not come to an end in {_PATIENCE_SECONDS} seconds: {query}")
                time.sleep(0.5)

    def processor_seconds(self) -> dict[str, float]:
        """By part, workers together; those of processes that have ended count with who waited for them."""
        found = {name: sum(map(_processor_seconds, host.processes())) for name, host in self.hosts.items()}
        workers = sum(found.pop(f"worker {n + 1}") for n in range(_WORKERS))
        return {**found, "workers, with what they run": workers}

    def memory(self) -> dict[str, float]:
        """By part; of workers, of the first one."""
        return {
            name: sum(map(_memory, host.processes()))
            for name, host in self.hosts.items()
            if not name.startswith("worker") or name == "worker 1"
        }

    def written(self) -> tuple[int, int]:
        """Bytes of the database, and of the log that it writes ahead."""
        import psycopg

        owner = self.url.replace("retrofill@", "postgres@")
        with psycopg.connect(owner, autocommit=True) as asking:
            asking.execute("VACUUM")
            row = asking.execute(
                "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0'::pg_lsn"
            ).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])


def _processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (
        sum(map(int, fields[11:15])) / _TICKS_PER_SECOND
    )  # of its own, and of children that it has waited for


def _memory(pid: int) -> float:
    try:
        return pss_of(pid)
    except OSError:
        return 0.0


@contextmanager
def _parts(folder: Path, network: Network) -> Iterator[_Parts]:
    """The hosts, with a database and a project; reached from this machine by the server's socket."""
    names = ["store", "scheduler", *(f"worker {n + 1}" for n in range(_WORKERS))]
    hosts = {name: network.host(name.replace(" ", "")) for name in names}
    directory = folder / "server"
    directory.mkdir()
    for one in (folder, directory):
        one.chmod(0o711)
    with hosts["store"].inside():
        server = Server(directory, ["listen_addresses=*"])
        postgres.execute(server.url, "CREATE DATABASE growing")
    address = postgres.with_name(server.url, "growing").replace("127.0.0.1", hosts["store"].address)
    os.environ["RETROFILL_STORE"] = f"postgresql://retrofill@/growing?host={directory}&port={server.port}"
    try:
        yield _Parts(_project(folder), server, os.environ["RETROFILL_STORE"], address, hosts)
    finally:
        del os.environ["RETROFILL_STORE"]


def _project(folder: Path) -> Path:
    """Chains of tasks that do nothing, for workers, deployed."""
    project = chain(folder / "project", _TASKS)
    settings = project / "retrofill.yaml"
    settings.write_text(
        settings.read_text().replace("slots: 2", f"slots: {_WORKERS * _SLOTS}, executor: pull")
    )
    retrofill(project, "deploy")
    return project
