"""A world whose runs end by themselves in simulated time, and whose scheduler may die at any commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.errors import StoreUnavailableError
from retrofill.services.ports import Ledger, RunSpec
from retrofill.services.running.nights import NightMaker
from services.worlds import World
from simulation.executors import CrashError, Faults, SimulatedExecutor


class FaultyStore:
    """A store whose process may be killed before a transaction or right after its commit, of which the answer may be lost."""

    def __init__(self, store: Any, chance: Random, faults: Faults) -> None:
        self._store = store
        self.chance, self.faults = chance, faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, *, checks_references: bool = True, is_brief: bool = False) -> Iterator[Ledger]:
        self._perhaps_die()
        with self._store.transaction(checks_references=checks_references, is_brief=is_brief) as tx:
            yield tx
        self._perhaps_die()
        if self.faults.unanswered and self.chance.random() < self.faults.unanswered:
            raise StoreUnavailableError("the connection was lost before the answer to a commit had come")

    def _perhaps_die(self) -> None:
        if self.faults.crash and self.chance.random() < self.faults.crash:
            raise CrashError


class SimulatedWorld(World):
    """A world whose runs end by themselves, and whose scheduler may die."""

    simulated: SimulatedExecutor

    def __init__(self, directory: Path, chance: Random, faults: Faults, *tasks: Task, **more: Any) -> None:
        super().__init__(directory, *tasks, **more)
        self.executor.close()
        self.scheduler_store.close()
        self.simulated = SimulatedExecutor(self.clock, run_seconds, chance.random, faults)
        self.executor = self.simulated  # type: ignore[assignment]
        self.scheduler_store = FaultyStore(self.open_elsewhere(), chance, faults)
        self.crashes = self.unanswered = 0
        self._planned_ms: int | None = None
        self.is_woken = False  # by what another process has committed
        self.come_up()

    def come_up(self) -> None:
        """Start a scheduler, and again if it dies at that."""
        while True:
            try:
                self.later_starts.remove_leftovers()
                self.restart()
                self.schedule.make_due(was_down=True)
                self.scheduler.look_again()
                self.is_woken = True
                return
            except (CrashError, StoreUnavailableError):
                self.crashes += 1

    def be_away(self, seconds: int) -> None:
        """No scheduler runs for so long; what runs goes on."""
        self.clock.forward(seconds)
        self.come_up()

    @property
    def switch(self) -> NightMaker:
        """The schedule as another process holds it and lets it go on."""
        return NightMaker(self.store, self.graphs, self.clock, self.night_settings)

    def pass_on(self) -> int | None:
        """What the loop does when it wakes: make what is due, then tick; when it wakes next (ms)."""
        try:
            if self.is_woken or (self._planned_ms is not None and self._planned_ms <= self.clock.now_ms()):
                self._make_instances()
            ticked = self.scheduler.tick()
            while ticked.more:
                ticked = self.scheduler.tick()
            return _earliest(ticked.next_ms, self._planned_ms, self.simulated.next_ms)
        except CrashError:
            self.crashes += 1
            self.come_up()
        except StoreUnavailableError:  # the loop tries again
            self.unanswered += 1
            self.is_woken = True
        return self.clock.now_ms()

    def _make_instances(self) -> None:
        self.is_woken = False
        made: list[object] = [*self.later_starts.start_due(), *self.schedule.make_owed()]
        made += self.schedule.make_due(was_down=False)
        if made:
            self.scheduler.look_again()
        self._planned_ms = _earliest(self.schedule.next_ms(), self.later_starts.next_ms())


def _earliest(*moments: int | None) -> int | None:
    return min((moment for moment in moments if moment is not None), default=None)


def run_seconds(spec: RunSpec) -> float:
    """Ten to forty minutes, by task, date and run: the same in every history."""
    environment = spec.environment
    seed = f"{spec.name} {environment['RETROFILL_BIZDATE']} {environment['RETROFILL_KIND']}"
    return 600 * Random(seed).randint(1, 4)
