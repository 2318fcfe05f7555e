"""Hosts of a world: what its scheduler offers they claim, and they are heard of as a test says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retrofill.services.ports.hosting import Offer
from retrofill.services.ports.hosts import Host
from retrofill.services.ports.records import HostRecord
from services.centers import WorldParts, center_of
from services.fakes import FakeHosts

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.ports.records import RunRecord
    from services.worlds import World

LOST_AFTER_MS = 120_000
HERE = "here-00000000"


class Beats(FakeHosts):
    """Which hosts are heard of, as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.left: dict[str, int] = {}

    def all(self) -> list[Host]:
        return [Host(name, left_ms) for name, left_ms in self.left.items()]


class Fleet:
    """All hosts of a world, none at first; from now on its scheduler offers what is to run elsewhere.

    Attributes:
        parts: of a center that knows of them.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        beats = Beats()
        world.hosts = beats
        world.restart()
        self.parts = WorldParts(world)
        self.parts.watch.host = HERE
        self.parts.watch.left = self._left = beats.left
        self.parts.watch.lost_after_ms = LOST_AFTER_MS

    @property
    def center(self) -> OperationCenter:
        """In the name of the world's user."""
        return center_of(self._world, self.parts)

    def join(self, label: str, *groups: str, slots: int = 2, silent: float = 1, word: str = "0a1b") -> str:
        """A host says what it is, and was heard of so many seconds ago; its name."""
        name, takes = f"{label}-{word}", json.dumps(groups or ["etl"])
        record = HostRecord(name, label, "pull", takes, slots, "0.1.0", "http://x:1", 5)
        with self._world.store.transaction() as tx:
            tx.hosting.note(record)
        self.hush(name, silent)
        return name

    def hush(self, name: str, seconds: float) -> None:
        """It was heard of so long ago, and not since."""
        self._left[name] = LOST_AFTER_MS - round(1000 * seconds)

    def leave(self, name: str) -> None:
        """It has left by itself."""
        with self._world.store.transaction() as tx:
            tx.hosting.leave(name, tx.hosting.now_ms())

    def age(self, seconds: float, *names: str) -> None:
        """These instances are offered since so long."""
        runs = [self._run(name) for name in names]
        with self._world.store.transaction() as tx:
            at_ms = tx.hosting.now_ms() - round(1000 * seconds)
            for run in runs:
                tx.forget_run(run.instance_id, run.number, run.token)
            tx.start([(r.instance_id, r.number, r.token) for r in runs], "", at_ms, executor="pull")

    def claim(self, host: str, *names: str) -> None:
        """The runs of these instances live there from now on."""
        offers = [Offer(run.instance_id, run.number, run.token) for run in map(self._run, names)]
        with self._world.store.transaction() as tx:
            tx.hosting.claim(offers, host, "boot", tx.hosting.now_ms())

    def _run(self, name: str) -> RunRecord:
        with self._world.store.read() as reader:
            return reader.runs(self._world.id(name))[-1]
