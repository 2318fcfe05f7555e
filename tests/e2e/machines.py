"""Machines that share a store on a PostgreSQL server: folders with processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

from e2e.sandboxes import RETROFILL, Sandbox, until

PATIENCE = 90.0


class Machine(Sandbox):
    """One of several machines: a folder of its own, and the server's database."""

    def __init__(self, home: Path, url: str) -> None:
        super().__init__(home)
        self.url = url
        self.clock: dict[str, str] = {}  # what makes its clock wrong

    def environment(self, more: object) -> dict[str, str]:
        return super().environment(more) | {"RETROFILL_STORE": self.url} | self.clock  # type: ignore[arg-type]

    def process(self, *words: str, **more: str) -> Process:
        """A command that runs until it is asked to end."""
        return Process(self, words, more)

    def end(self) -> None:
        """Kill what was started here."""
        for process in self.processes:
            process.kill()
            process.wait()


class Process:
    """A process of `retrofill`, and what it says."""

    def __init__(self, machine: Machine, words: tuple[str, ...], more: dict[str, str]) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [RETROFILL, *words],
            cwd=machine.home,
            env=machine.environment(more),
            stderr=subprocess.PIPE,
            text=True,
        )
        machine.processes.append(self.process)  # type: ignore[arg-type]
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(self.process.stderr)

    def says(self, what: str) -> None:
        try:
            until(lambda: any(what in line for line in self.said), f"it says {what!r}", PATIENCE)
        except AssertionError:
            raise AssertionError(f"it does not say {what!r}, but {self.said}") from None

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.process.pid, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait()
