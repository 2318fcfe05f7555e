"""A clock that only tests move, an executor whose runs end when a test says so, and somewhere for messages to go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from retrofill.domain.time.clocks import Boot
from retrofill.services.ports import Message, RunEnd, RunRef, RunSpec
from retrofill.services.ports.dispatching import Offered
from retrofill.services.ports.feed import Ear
from retrofill.services.ports.hosting import Offer
from retrofill.services.ports.hosts import Host
from retrofill.services.ports.notifying import Delivered


class FakeClock:
    """Stands still until it is told to move."""

    def __init__(self, text: str) -> None:
        self._ms = ms(text)
        self._boot_id, self._boot_ms = 1, 1_000_000
        self.jumped_ms = 0

    def now_ms(self) -> int:
        return self._ms

    @property
    def ms(self) -> int:
        return self._ms

    @ms.setter
    def ms(self, value: int) -> None:
        """Time passes; it cannot go back, so that what goes back is the clock alone."""
        if value < self._ms:
            self.jump((value - self._ms) / 1000)
            return
        self._boot_ms += value - self._ms
        self._ms = value

    def boot(self) -> Boot:
        """What no change of the clock changes."""
        return Boot(f"boot {self._boot_id}", self._boot_ms)

    def start_machine(self) -> None:
        """It was down: what the clock shows now is all that there is."""
        self._boot_id, self._boot_ms = self._boot_id + 1, 0

    @property
    def true_ms(self) -> int:
        """What it would show had nobody changed it."""
        return self._ms - self.jumped_ms

    def jump(self, seconds: float) -> None:
        """Somebody changes the clock: no time passes."""
        self._ms += round(seconds * 1000)
        self.jumped_ms += round(seconds * 1000)

    def move_to(self, text: str) -> None:
        self.ms = ms(text)

    def forward(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


def ms(text: str) -> int:
    """Milliseconds of an ISO instant, UTC where it says nothing else."""
    instant = datetime.fromisoformat(text)
    return round((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)


class FakeExecutor:
    """Runs nothing: a test ends runs by `end`. Like the real one, it tells each end once.

    Args:
        obeys: whether a stop ends the run at once.
    """

    boot_id = "this-boot"
    host: str | None = None

    def __init__(self, clock: FakeClock, obeys: bool = True) -> None:
        self._clock = clock
        self.obeys = obeys
        self.running: dict[int, RunSpec] = {}
        self._began: dict[int, float] = {}
        self.started: list[RunSpec] = []
        self.told_to_stop: list[RunRef] = []
        self.adopted: list[RunRef] = []
        self._ends: list[RunEnd] = []
        self._pipe = os.pipe()

    def start(self, runs: Sequence[RunSpec]) -> None:
        for spec in runs:
            assert spec.ref.instance_id not in self.running, "started while it still runs"
            self.running[spec.ref.instance_id] = spec
            self._began[spec.ref.instance_id] = self._clock.now_ms() / 1000
            self.started.append(spec)

    def poll(self) -> list[RunEnd]:
        ends, self._ends = self._ends, []
        return ends

    def fileno(self) -> int:
        return self._pipe[0]

    def stop(self, ref: RunRef) -> None:
        self.told_to_stop.append(ref)
        if self.obeys and ref.instance_id in self.running:
            self.end(ref.instance_id, outcome="stopped", exit_code=None, signal=15)

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        self.adopted = list(refs)
        return self.poll()

    def stir(self) -> None:
        """Have something to tell, from now on and for ever."""
        os.write(self._pipe[1], b"x")

    def close(self) -> None:
        for descriptor in self._pipe:
            os.close(descriptor)

    def end(
        self,
        instance_id: int,
        exit_code: int | None = 0,
        outcome: str = "exited",
        signal: int | None = None,
        message: str = "",
    ) -> None:
        """Let a run end; the next poll tells it."""
        spec = self.running.pop(instance_id)
        began, now = self._began[instance_id], self._clock.now_ms() / 1000
        self._ends.append(RunEnd(spec.ref, outcome, exit_code, signal, began, now, message))


class FakeHosts:
    """Keeps who has beaten, and how often hosts and schedulers were called."""

    def __init__(self) -> None:
        self.beaten: list[str] = []
        self.calls = 0
        self.replies = 0

    def beat(self, host: str | None = None) -> None:
        self.beaten.append(host or "this")

    def all(self) -> list[Host]:
        return [Host(name, 1) for name in dict.fromkeys(self.beaten)]

    def call(self) -> None:
        self.calls += 1

    def reply(self) -> None:
        self.replies += 1

    def listen(self, home: Path) -> Ear:
        raise NotImplementedError


class FakeDispatcher:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.offered: list[Offered] = []
        self.withdrawn: list[Offer] = []

    def offer(self, offers: Sequence[Offered]) -> None:
        self.offered += offers

    def withdraw(self, offers: Sequence[Offer]) -> None:
        self.withdrawn += offers

    def alive(self, host: str) -> bool | None:
        return None

    def trouble(self) -> str | None:
        return None

    def close(self) -> None:
        """Holds nothing."""


class FakeNotifier:
    """Keeps what it is given; `fault` is raised instead, `missing` are methods that are not set up."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Message]] = []
        self.tries = 0
        self.fault: BaseException | None = None
        self.missing: tuple[str, ...] = ()

    def obstacle(self, method: str) -> str | None:
        return f"no {method} here" if method in self.missing else None

    def send(self, method: str, address: str, message: Message) -> None:
        self.tries += 1
        if self.fault is not None:
            raise self.fault
        self.sent.append((method, address, message))


class FakePoster:
    """Keeps what it is given; `fault` is raised instead, `missing` are webhooks that are not set up."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str | None, Delivered]] = []
        self.tries: list[str] = []  # ids of deliveries
        self.fault: BaseException | None = None
        self.missing: tuple[str, ...] = ()

    def obstacle(self, name: str) -> str | None:
        return f"no {name} here" if name in self.missing else None

    def post(self, name: str, address: str | None, delivered: Delivered) -> None:
        self.tries.append(delivered.id)
        if self.fault is not None:
            raise self.fault
        self.posted.append((name, address, delivered))


class FakePasswords:
    """Hashes at once, and counts how often it was asked."""

    def __init__(self, rounds: int = 1) -> None:
        self.rounds = rounds
        self.asked = 0

    def hash(self, password: str) -> str:
        return f"{self.rounds}:{password[::-1]}"

    def matches(self, hashed: str | None, password: str) -> bool:
        self.asked += 1
        return hashed is not None and hashed.partition(":")[2] == password[::-1]

    def is_outdated(self, hashed: str) -> bool:
        return hashed != self.hash(hashed.partition(":")[2][::-1])
