"""The flights example on five hosts: store, server, scheduler, and two workers that carry out what comes before SQL.

`etl1` asks the store for runs. `etl2` reaches the server and nothing else.

    PYTHONPATH=tests python -m networks.flights [--month 2013-01] [--to FOLDER]

backfills a month of real data so, with one worker cut off from the store for a while, and compares what the warehouse
holds with the source, as the demo on one machine does. The hosts share the project's folder, as those of a team share a
file system; the warehouse is a file of DuckDB, which stays with the scheduler: SQL tasks run there.
"""

from __future__ import annotations

import argparse
import calendar
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from databases import postgres
from databases.server import Server
from e2e.sandboxes import until
from networks.hosts import Host, Network

RETROFILL = Path(sys.executable).with_name("retrofill")
_PATIENCE_SECONDS = 120
_PORT = 8080
_ENDS = "SELECT label, count(*) FROM run JOIN host ON host.name = run.host WHERE ended_ms IS NOT NULL GROUP BY label"
_AGAIN = "SELECT 'again', count(*) FROM run WHERE number > 1"


def spread(project: Path) -> None:
    """Let `ops` and `weather` run on workers, except what writes into the warehouse."""
    replaced = {
        "retrofill.yaml": ("resource_groups:\n", "resource_groups:\n  archive: {slots: 8, executor: pull}\n"),
        "workspaces/ops/workspace.yaml": ("  resource_group: default\n", "  resource_group: archive\n"),
        "workspaces/weather/workspace.yaml": (
            "    resource_group: station\n",
            "    resource_group: archive\n",
        ),
    }
    for name, (old, new) in replaced.items():
        text = (project / name).read_text()
        assert old in text
        (project / name).write_text(text.replace(old, new))
    ops = project / "workspaces/ops/workspace.yaml"
    ops.write_text(ops.read_text().replace("    type: sql\n", "    type: sql\n    resource_group: default\n"))


class Flights:
    """A project whose parts run on hosts of their own.

    Args:
        project: its folder, which all hosts see.
        place: a folder for the homes of workers, and for what all of them say.
    """

    def __init__(self, network: Network, project: Path, place: Path) -> None:
        self.network, self.project, self.place = network, project, place
        self.store, self.leader, self.server = map(network.host, ("store", "leader", "server"))
        self.workers = {name: network.host(name) for name in ("etl1", "etl2")}
        self._data = tempfile.mkdtemp(prefix="retrofill-postgres-")
        os.chmod(self._data, 0o711)  # noqa: S103  the server may be another user's
        with self.store.inside():
            self._database = Server(Path(self._data), ["listen_addresses=*", "fsync=off"])
            postgres.execute(self._database.url, "CREATE DATABASE flights")
        self._url = postgres.with_name(self._database.url, "flights")
        self._cuts = ExitStack()

    def __enter__(self) -> Flights:
        self.run("deploy")
        self.start(self.leader, "scheduler")
        self.start(self.server, "serve", "--host", self.server.address, "--port", str(_PORT))
        until(lambda: "Retrofill is at" in self.said(self.server), "the server answers", _PATIENCE_SECONDS)
        words = ("--scope", "worker", "--resource-group", "archive", "--output", "json")
        token = json.loads(self.run("token", "create", *words))["token"]
        self._cuts.enter_context(self.network.cut(self.workers["etl2"], self.store))
        url = {"RETROFILL_URL": f"http://{self.server.address}:{_PORT}", "RETROFILL_TOKEN": token}
        for (name, host), way in zip(self.workers.items(), (self.at_store, url), strict=True):
            self.start(host, "worker", "--home", str(self.place / name), "--slots", "4", way=way)
        return self

    def __exit__(self, *_: object) -> None:
        for host in [*self.workers.values(), self.leader, self.server]:
            host.crash()
        with self.store.inside():
            self._database.stop()
        self._cuts.close()
        shutil.rmtree(self._data)

    @property
    def at_store(self) -> dict[str, str]:
        """How a part reaches the deployment that works beside its store."""
        return {"RETROFILL_STORE": self._url.replace("127.0.0.1", self.store.address)}

    def start(self, host: Host, *words: str, way: dict[str, str] | None = None) -> subprocess.Popen[Any]:
        """A part that runs until its host is gone; what it says is in a file of its place."""
        with open(self.place / f"{host.name}.log", "ab") as log:
            return host.popen(
                [RETROFILL, *words], cwd=self.project, env=_environment(way or self.at_store),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def said(self, host: Host) -> str:
        """What the parts of a host have printed."""
        return (self.place / f"{host.name}.log").read_text()

    def run(self, *words: object) -> str:
        """A command where the scheduler is; what it has printed."""
        done = self.leader.run(
            [RETROFILL, *map(str, words)], cwd=self.project, env=_environment(self.at_store), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    def backfill(self, dates: str) -> None:
        """All of these dates, in two groups, begun."""
        choice = ["--all-descendants", "ops.start_of_day", "--bizdate", dates, "--groups", 2]
        self.run("backfill", "create", *choice, "--yes")

    def ends(self) -> dict[str, int]:
        """How many runs have ended, by the worker's host that carried them out."""
        return self._ask(_ENDS)

    def again(self) -> int:
        """How many runs were not the first of their instance."""
        return self._ask(_AGAIN)["again"]

    def _ask(self, query: str) -> dict[str, int]:
        with self.store.inside(), psycopg.connect(self._url) as connection:
            return dict(connection.execute(query).fetchall())

    @contextmanager
    def cut_off(self, name: str) -> Iterator[None]:
        """A worker reaches nobody: not before each has ended five runs, nor until the others have ended ten more."""
        until(
            lambda: len(found := self.ends()) == len(self.workers) and min(found.values()) >= 5,
            "all of them work",
            _PATIENCE_SECONDS,
        )
        with self.network.cut(self.workers[name]):
            before = sum(self.ends().values())
            until(
                lambda: sum(self.ends().values()) >= before + 10,
                "others go on without the one that is cut off",
                _PATIENCE_SECONDS,
            )
            yield


def _environment(way: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("RETROFILL_")} | way


def main() -> int:
    parser = argparse.ArgumentParser(description="Backfill a month of the flights example on five hosts.")
    parser.add_argument("--month", default="2013-01", help="of 2013 (2013-01)")
    parser.add_argument("--to", type=Path, help="an empty folder, for later looks (a temporary one)")
    options = parser.parse_args()
    folder = options.to or Path(tempfile.mkdtemp(prefix="retrofill-flights-"))
    folder.mkdir(parents=True, exist_ok=True)
    project = folder / "project"
    year, month = (int(part) for part in options.month.split("-"))
    subprocess.run([RETROFILL, "init", project, "--example", "flights"], check=True)
    subprocess.run([sys.executable, project / "get_data.py"], check=True)
    spread(project)
    with Network() as network, Flights(network, project, folder) as flights:
        started = time.monotonic()
        flights.backfill(f"{options.month}-01..{options.month}-{calendar.monthrange(year, month)[1]}")
        with flights.cut_off("etl1"):
            print("etl1 has been cut off from the store; the link is healed now")
        flights.run("backfill", "wait", 1)
        print(
            f"The backfill took {time.monotonic() - started:.1f} seconds; runs by worker: {flights.ends()}\n"
        )
    return subprocess.run(
        [sys.executable, project / "show_results.py", "--month", options.month], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
