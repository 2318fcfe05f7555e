"""Where the processes of a world work when there is more than one machine: a server of the store, links, a broker.

Everything here can fail, and is healed again: the server and the broker are killed or stopped and started anew, links are
cut for a while.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import mkdtemp

from brokers.nodes import AnyBroker, RabbitMQ, Valkey
from crash.links import Link
from databases import postgres
from databases.server import Server

STORE, BROKER, CUT = "restart of PostgreSQL", "restart of the broker", "cut of the network"
WORKERS = ("one", "two")
# A commit that was answered survives a crash of the server's processes, though not one of the machine.
_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=on")
_LONGEST_CUT = 3.0
_BROKERS: dict[str, type[AnyBroker]] = {"rabbitmq": RabbitMQ, "redis": Valkey}


@dataclass(slots=True)
class Site:
    """One server for all worlds, and a link for each worker.

    Attributes:
        executor: of the resource groups whose runs go to workers.
        broker: where it needs one.
    """

    executor: str
    server: Server
    broker: AnyBroker | None = None
    links: dict[str, Link] = field(default_factory=dict)
    troubles: int = 0  # so far: what a process says that lived through one is no surprise
    _cut: list[tuple[float, Link]] = field(default_factory=list)

    def connect(self, url: str) -> None:
        """Lay a link from each worker to a world's database."""
        self.disconnect()
        self.links = {name: Link(url) for name in WORKERS}

    def disconnect(self) -> None:
        for link in self.links.values():
            link.close()
        self.links, self._cut = {}, []

    @property
    def strikes(self) -> tuple[str, ...]:
        """What can happen here besides the death of a process."""
        return (STORE, CUT, BROKER) if self.broker is not None else (STORE, CUT)

    def strike(self, kind: str, random: Random) -> None:
        self.troubles += 1
        if kind == STORE:
            self.server.stop(random.choice((signal.SIGINT, signal.SIGQUIT)))
            time.sleep(random.uniform(0.0, 0.5))
            self.server.start()
        elif kind == BROKER:
            assert self.broker is not None
            self.broker.stop(random.choice((signal.SIGTERM, signal.SIGKILL)))
            self.broker.start()
        else:
            link = random.choice([*self.links.values()])
            link.cut(silently=random.random() < 0.5)
            self._cut.append((time.monotonic() + random.uniform(0.05, _LONGEST_CUT), link))

    @property
    def is_cut(self) -> bool:
        return bool(self._cut)

    def heal(self, now: float) -> None:
        """What was cut until then."""
        for until, link in self._cut:
            if until <= now:
                link.heal()
        self._cut = [one for one in self._cut if one[0] > now]


@contextmanager
def opened(executor: str, broker: str = "rabbitmq") -> Iterator[Site]:
    """A site of its own, whose server is the one of all databases meanwhile."""
    directory = Path(mkdtemp(prefix="retrofill-crash-"))
    directory.chmod(0o711)
    store = directory / "postgres"
    store.mkdir()
    server = Server(store, _SETTINGS)
    os.environ["RETROFILL_TEST_POSTGRES"] = server.url
    made: AnyBroker | None = None
    postgres.begin()
    try:
        if executor == "celery":
            (directory / "broker").mkdir()
            made = _BROKERS[broker](directory / "broker")
        yield Site(executor, server, made)
    finally:
        postgres.end()
        del os.environ["RETROFILL_TEST_POSTGRES"]
        if made is not None:
            made.stop()
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
