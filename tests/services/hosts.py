"""Hosts with workers, in a world: they claim from its ledger, and their exchanges get lost when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from retrofill.domain.errors import StoreUnavailableError
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.run_specs import RunSpecs
from retrofill.services.ports import RunEnd, RunRef
from retrofill.services.ports.hosting import Answer, Exchange, HostStatus, OwnRun
from retrofill.services.running.hosting import LedgerHosting, Premises
from retrofill.services.running.worker import Told, Worker
from services.fakes import FakeExecutor
from services.worlds import World

LOST_AFTER_MS = 120_000


class Journalled(FakeExecutor):
    """Knows as the real one does, whoever asks, what has ended and what has never begun."""

    def poll(self) -> list[RunEnd]:
        ends = super().poll()
        self.ended |= {end.ref: end for end in ends}
        return ends

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        super().adopt(refs)
        running = {spec.ref for spec in self.running.values()}
        return [self.ended.get(ref, _never(ref)) for ref in refs if ref not in running]

    @cached_property
    def ended(self) -> dict[RunRef, RunEnd]:
        return {}


def _never(ref: RunRef) -> RunEnd:
    return RunEnd(ref, "not_started", None, None, None, 0.0, "it was not started")


class Host:
    """A host with a worker; its exchanges get lost when a test says so, before or after they were done."""

    def __init__(self, w: World, name: str, slots: int = 2, groups: tuple[str, ...] = ("etl",)) -> None:
        self._world = w
        self.status = HostStatus(name, "boot", name, "pull", groups, slots, "1", str(w.directory), "python3")
        assert w.hosts is not None
        specs = RunSpecs(w.directory, w.secrets.get, "python3")
        premises = Premises(GraphCache, lambda _: specs, lambda: LOST_AFTER_MS)
        self.hosting = LedgerHosting(w.store, w.hosts, premises)
        self.executor = Journalled(w.clock)
        self.told = Told()
        self.min_age_ms: int | None = 0
        self.lost = ""  # "question" or "answer"
        self.stands_still_seconds = 0.0  # between the answer and what the worker does with it
        self.begin()

    def begin(self) -> None:
        """A worker that knows nothing; what the host runs goes on."""
        seconds: Callable[[], float] = lambda: self._world.clock.ms / 1000  # noqa: E731
        self.worker = Worker(
            self, self.executor, self.status, self._world.clock, seconds, self.min_age_ms, self.told
        )
        self.worker.start()

    def exchange(self, status: HostStatus, exchange: Exchange) -> Answer:
        """The port, as the worker has it."""
        if self.lost == "question":
            raise StoreUnavailableError("lost")
        answer = self.hosting.exchange(status, exchange)
        if self.lost == "answer":
            raise StoreUnavailableError("lost")
        self._world.clock.forward(self.stands_still_seconds)
        return answer

    def own(self, status: HostStatus) -> list[OwnRun]:
        return self.hosting.own(status)

    def content(self, sha256: str) -> bytes:
        return self.hosting.content(sha256)

    def leave(self, status: HostStatus) -> None:
        self.hosting.leave(status)

    @property
    def runs(self) -> set[str]:
        return set(self._world.names_of(self.executor.running).values())
