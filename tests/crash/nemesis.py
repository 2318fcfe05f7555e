"""What kills: seeded random moments, victims and fail points, and the count of what died of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from crash.world import Process, World, kill

_LOOK_SECONDS = 0.01
_SCHEDULER, _LAUNCHER, _SUPERVISOR, _ALL, _STANDBY = "scheduler", "launcher", "supervisor", "all", "standby"
_VICTIMS = {_SCHEDULER: 45, _SUPERVISOR: 30, _LAUNCHER: 17, _ALL: 8}
_FAIL_POINTS = (
    "claim.before",
    "claim.written",
    "claim.logged",
    "claim.synced",
    "spawned",
    "ended",
    "exit.written",
    "exit.synced",
    "exit.sent",
    "start.sent",
    "tombstone.before",
    "tombstone.after",
    "launcher.received",
    "launcher.forked",
)


@dataclass(slots=True)
class Deaths:
    """Who died, by kind. Deaths at fail points are counted where they were seen: at least so many."""

    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.kinds.values())

    @property
    def supervisors(self) -> int:
        return self.kinds[_SUPERVISOR] + self.kinds["supervisor at a fail point"]


class Nemesis:
    """Runs `backfill wait` again and again, and kills around it, until the backfill has ended.

    Args:
        kills: how many deaths it causes before it lets the backfill run to its end.
        deadline_seconds: for the whole of it.
    """

    def __init__(
        self, world: World, random: Random, deaths: Deaths, kills: int, deadline_seconds: float
    ) -> None:
        self._world = world
        self._random = random
        self._deaths = deaths
        self._enough = deaths.total + kills
        self._deadline = time.monotonic() + deadline_seconds
        self._ours: set[tuple[int, str]] = set()  # what this nemesis killed itself: pid, start time
        self._points = ""
        self.used_supervisor_points = False

    def run(self, backfill_id: int) -> int:
        """Until `backfill wait` ends by itself; its exit status.

        Raises:
            TimeoutError: the backfill did not end in time.
        """
        while True:
            waiting = self._start(backfill_id)
            # Another waiting command takes over when the first one dies.
            standby = self._start(backfill_id) if self._is_angry and self._random.random() < 0.2 else None
            try:
                status = self._haunt(waiting, standby)
            finally:
                for one in (waiting, standby):
                    if one is not None:
                        _end(one)
            if status >= 0:
                return status
            if self._random.random() < 0.12:
                self._world.run("doctor")  # the counters agree at any moment, not only at the end

    @property
    def _is_angry(self) -> bool:
        return self._deaths.total < self._enough

    def _start(self, backfill_id: int) -> subprocess.Popen[bytes]:
        self._points = self._choose_points() if self._is_angry else ""
        environment = {
            "RETROFILL_FAIL_POINTS": self._points,
            "RETROFILL_FAIL_SEED": str(self._random.randrange(1 << 30)),
        }
        return self._world.popen("backfill", "wait", str(backfill_id), environment=environment)

    def _choose_points(self) -> str:
        if self._random.random() < 0.5:
            return ""
        name = self._random.choice(_FAIL_POINTS)
        if not name.startswith(("start", "tombstone", "launcher")):
            self.used_supervisor_points = True
        if self._random.random() < 0.5:
            return f"{name}@{self._random.randint(1, 6)}"
        return f"{name}%{self._random.choice((0.02, 0.05, 0.1))}"

    def _haunt(self, waiting: subprocess.Popen[bytes], standby: subprocess.Popen[bytes] | None) -> int:
        """Kill around one waiting command until it has ended; its wait status (negative: killed)."""
        next_at = time.monotonic() + self._pause()
        seen: dict[tuple[int, str], Process] = {}
        while True:
            status = waiting.poll()
            if status is not None and standby is not None:
                if status < 0:
                    self._note(_SCHEDULER, waiting.pid)
                waiting, standby = standby, None
                continue
            if status is not None:
                if status < 0:
                    self._note(_SCHEDULER, waiting.pid)
                return status
            now = time.monotonic()
            if now > self._deadline:
                raise TimeoutError
            seen = self._look(seen)
            if self._is_angry and now >= next_at:
                self._strike(waiting)
                next_at = now + self._pause()
            time.sleep(_LOOK_SECONDS)

    def _pause(self) -> float:
        """Mostly while work goes on, now and then while the scheduler is still coming up."""
        return (
            self._random.uniform(0.0, 0.4) if self._random.random() < 0.3 else self._random.uniform(0.3, 0.9)
        )

    def _strike(self, waiting: subprocess.Popen[bytes]) -> None:
        there = self._world.processes()
        kind = self._random.choices([*_VICTIMS], [*_VICTIMS.values()])[0]
        supervisors = [process for process in there if process.role == "supervisor"]
        launchers = [process for process in there if process.role == "launcher"]
        if kind == _SUPERVISOR and supervisors:
            self._kill(_SUPERVISOR, self._random.choice(supervisors))
        elif kind == _LAUNCHER and launchers:
            self._kill(_LAUNCHER, self._random.choice(launchers))
        else:
            if kind == _ALL:
                for process in [*launchers, *supervisors]:
                    self._kill(process.role, process)
            waiting.send_signal(signal.SIGKILL)  # counted when its end is seen

    def _kill(self, kind: str, process: Process) -> None:
        if kill(process):
            self._ours.add((process.pid, process.start_time))
            self._deaths.kinds[kind] += 1

    def _note(self, kind: str, pid: int) -> None:
        self._deaths.kinds[kind] += 1

    def _look(self, before: dict[tuple[int, str], Process]) -> dict[tuple[int, str], Process]:
        """Count launchers and supervisors that have gone without us, which only a fail point explains.

        A supervisor without a scheduler ends by itself, so only those are judged whose launcher
        lived before and lives now; one that comes and goes between two looks is not counted.
        """
        if not self._points:
            return {}
        there = {
            (p.pid, p.start_time): p for p in self._world.processes() if p.role in (_LAUNCHER, _SUPERVISOR)
        }
        pids = {process.pid for process in there.values()}
        for key, process in before.items():
            if key in there or key in self._ours:
                continue
            if process.role == _LAUNCHER and "launcher." in self._points:
                self._deaths.kinds["launcher at a fail point"] += 1
            elif process.role == _SUPERVISOR and process.parent in pids and self._is_of_supervisors:
                self._deaths.kinds["supervisor at a fail point"] += 1
        return there

    @property
    def _is_of_supervisors(self) -> bool:
        return not self._points.startswith(("start", "tombstone", "launcher"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
