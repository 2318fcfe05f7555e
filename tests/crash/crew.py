"""The workers of a world: each in a home of its own, started anew whenever it has ended, until the crew is dismissed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Mapping

from crash.nemesis import Deaths
from crash.site import WORKERS
from crash.world import World

_SLOTS = 3
_LEAVING_SECONDS = 30.0


class Crew:
    """Of a world whose resource group `default` is theirs.

    Args:
        environment: of the next worker that is started: where it dies, and what fails.
    """

    def __init__(self, world: World, deaths: Deaths, environment: Callable[[], Mapping[str, str]]) -> None:
        self._world = world
        assert world.site is not None
        self._site = world.site
        self._deaths = deaths
        self._environment = environment
        self._there: dict[str, tuple[subprocess.Popen[bytes], int]] = {}  # with the troubles at its start
        self.complaints: list[str] = []

    def keep(self) -> None:
        """Start those that are not there."""
        for name in WORKERS:
            if name in self._there:
                process, troubles = self._there[name]
                status = process.poll()
                if status is None:
                    continue
                self._note(name, status, troubles)
            troubles = -1 if self._site.is_cut else self._site.troubles
            self._there[name] = self._start(name, self._environment()), troubles

    def _start(self, name: str, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
        words = ["worker", "--home", str(self._world.directory / "workers" / name), "--slots", str(_SLOTS)]
        if self._site.executor != "pull":
            words += ["--executor", self._site.executor, "--resource-group", "default"]
        return self._world.popen(*words, environment={"RETROFILL_STORE": self._site.links[name].url, **more})

    def _note(self, name: str, status: int, troubles: int) -> None:
        if status < 0:
            self._deaths.kinds["worker"] += 1
        elif troubles == self._site.troubles:  # none before it was there, none since
            self.complaints.append(f"worker {name} ended by itself with {status}")

    def kill(self, name: str) -> None:
        """Its end is noted when it is missed."""
        if name in self._there:
            self._there[name][0].kill()
            self._there[name][0].wait()

    def dismiss(self) -> None:
        """Let all leave; by then nothing is left for them to do."""
        self._site.heal(float("inf"))
        for process, _ in self._there.values():
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for name, (process, _) in self._there.items():
            try:
                process.wait(_LEAVING_SECONDS)
            except subprocess.TimeoutExpired:
                self.complaints.append(f"worker {name} did not leave in {_LEAVING_SECONDS:.0f} s")
                process.kill()
                process.wait()
        self._there.clear()
