"""What kills: seeded random moments, victims and fail points, and the count of what died of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from crash.world import Process, World, died_by, runs_under, send

if TYPE_CHECKING:
    from crash.crew import Crew

_LOOK_SECONDS = 0.01
_LONGEST_PAUSE = 0.5
_STANDS_STILL = 0.25  # share of strikes that stop somebody for a while instead of killing
_SCHEDULER, _LAUNCHER, _SUPERVISOR, _ALL = "scheduler", "launcher", "supervisor", "all"
_VICTIMS = {_SCHEDULER: 45, _SUPERVISOR: 30, _LAUNCHER: 17, _ALL: 8}
_WORKER, _POOL, _CELERY = "worker", "pool", "celery"
_CELERY_WORDS = {_POOL: "child of Celery's pool", _CELERY: "Celery"}
_OF_A_CREW = {_SCHEDULER: 18, _SUPERVISOR: 18, _LAUNCHER: 8, _ALL: 3, _WORKER: 20}
_OF_A_SITE = 14  # each thing that can happen to it
FAIL_POINTS = (
    "claim.before",
    "claim.written",
    "claim.logged",
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
COMMIT_POINTS = ("store.begun", "store.commit", "store.committed")
FAULTS = (
    "fault.launch=EAGAIN",
    "fault.supervisor=EMFILE",
    "fault.fork=EAGAIN",
    "fault.claim=ENOSPC",
    "fault.claim=EIO",
    "fault.log=ENOSPC",
    "fault.log=EMFILE",
    "fault.chdir=EIO",
    "fault.spawn=ENOMEM",
    "fault.spawn=EAGAIN",
    "fault.pidfd=EPERM",
    "fault.store=ENOSPC",
    "fault.store=EIO",
)
_FAULTY_SHARE = 0.35  # of the schedulers have calls that fail now and then
_SUPERVISOR_POINTS = ("claim", "spawned", "ended", "exit")
_LAUNCHERS_A_SCHEDULER = 3  # a scheduler gives up when its launchers die again and again at once


@dataclass(slots=True)
class Deaths:
    """Who died, by kind. Deaths at fail points are counted where they were seen: at least so many."""

    kinds: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)  # by how many processes were started with them
    stood_still: int = 0  # who was stopped by a signal for a while, and did not die of it

    @property
    def total(self) -> int:
        return sum(self.kinds.values())

    @property
    def words(self) -> str:
        words = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common() if count)
        return f"{words}; {self.stood_still} stood still for a while"


class Nemesis:
    """Runs `backfill wait` again and again, and kills around it, until the backfill has ended.

    Args:
        fail_points: names, taken one after the other, so that all have their turn.
        kills: how many deaths it causes before it lets the backfill run to its end.
        patience_seconds: for how long no task may begin or end; a slow machine proves nothing.
    """

    def __init__(
        self,
        world: World,
        random: Random,
        deaths: Deaths,
        fail_points: Iterator[str],
        kills: int,
        patience_seconds: float,
    ) -> None:
        self._world = world
        self._random = random
        self._deaths = deaths
        self._fail_points = fail_points
        self._enough = deaths.total + kills
        self._patience_seconds = patience_seconds
        self._deadline = time.monotonic() + patience_seconds
        self._events_bytes = 0
        self._ours: set[tuple[int, str]] = set()  # what this nemesis killed itself: pid, start time
        self._points = ""
        self._launcher_deaths = 0
        self._standing: list[tuple[float, Process]] = []  # until when each stands still
        self.crew: Crew | None = None  # where workers carry out what is offered
        self.struck: set[tuple[int, int]] = set()  # runs, by instance id and number, whose supervisor died
        # A supervisor that dies at a fail point may stay unseen; without them, all deaths are known.
        self.knows_all = random.random() < 0.5

    def run(self, backfill_id: int) -> int:
        """Until `backfill wait` ends by itself; its exit status.

        Raises:
            TimeoutError: the backfill does not come to its end.
        """
        while True:
            waiting = self._start(backfill_id)
            troubles = self._troubles
            # Another waiting command takes over when the first one dies.
            standby = self._start(backfill_id) if self._is_angry and self._random.random() < 0.2 else None
            try:
                status = self._haunt(waiting, standby)
            finally:
                self._let_go_on(float("inf"))
                for one in (waiting, standby):
                    if one is not None:
                        _end(one)
            is_faulty = "fault." in self._points or troubles != self._troubles
            if status in (0, 1) or (status > 1 and not is_faulty):
                return status
            if self._random.random() < 0.12:
                self._world.ask_doctor()  # the counters agree at any moment, not only at the end

    @property
    def _is_angry(self) -> bool:
        return self._deaths.total < self._enough

    @property
    def _troubles(self) -> int:
        return 0 if self._world.site is None else self._world.site.troubles

    def _start(self, backfill_id: int) -> subprocess.Popen[bytes]:
        self._points = self._choose_points() if self._is_angry else ""
        environment = self._with(self._points)
        return self._world.popen("backfill", "wait", str(backfill_id), environment=environment)

    def _with(self, points: str) -> dict[str, str]:
        return {
            "RETROFILL_FAIL_POINTS": points,
            "RETROFILL_FAIL_SEED": str(self._random.randrange(1 << 30)),
        }

    def for_worker(self) -> dict[str, str]:
        """The environment of the next worker that is started."""
        return self._with(self._choose_points() if self._is_angry else "")

    def _choose_points(self) -> str:
        """Where the scheduler and its processes die, and which of their calls fail now and then."""
        words = [self._choose_point()]
        if self._random.random() < _FAULTY_SHARE:
            fault = self._random.choice(FAULTS)
            self._deaths.faults[fault] += 1
            words.append(f"{fault}%{self._random.choice((0.05, 0.2, 0.5))}")
        return " ".join(word for word in words if word)

    def _choose_point(self) -> str:
        if self._random.random() < 0.35:
            return ""
        name = next(n for n in self._fail_points if not (self.knows_all and n.startswith(_SUPERVISOR_POINTS)))
        if self._random.random() < 0.5:
            return f"{name}@{self._random.randint(2, 7)}"
        return f"{name}%{self._random.choice((0.02, 0.05, 0.1))}"

    def _haunt(self, waiting: subprocess.Popen[bytes], standby: subprocess.Popen[bytes] | None) -> int:
        """Kill around one waiting command until it has ended; its wait status (negative: killed)."""
        self._launcher_deaths = 0
        next_at = self._first_strike()
        looks = _Looks(self._deaths)
        while True:
            status = waiting.poll()
            if status is not None:
                if status < 0:
                    self._deaths.kinds[_SCHEDULER] += 1
                if standby is None:
                    return status
                waiting, standby = standby, None
                next_at, looks = self._first_strike(), _Looks(self._deaths)
                continue
            now = time.monotonic()
            self._let_go_on(now)
            if self.crew is not None:
                self.crew.keep()
            self._look_for_progress(now)
            if now > self._deadline:
                raise TimeoutError
            if self._points or next_at is None:
                there = self._world.processes()
                if next_at is None and any(process.role == "task" for process in there):
                    next_at = now + self._random.uniform(0.0, _LONGEST_PAUSE)
                if self._points:
                    looks.look(there, self._points, self._ours)
            if next_at is not None and now >= next_at and (self._is_angry or self._points):
                self._strike(waiting)
                next_at = now + self._random.uniform(0.0, _LONGEST_PAUSE)
            time.sleep(_LOOK_SECONDS)

    def _first_strike(self) -> float | None:
        """Now and then while the scheduler is still coming up; mostly (None) once its first task runs."""
        if self._random.random() < 0.2:
            return time.monotonic() + self._random.uniform(0.0, _LONGEST_PAUSE)
        return None

    def _strike(self, waiting: subprocess.Popen[bytes]) -> None:
        there = self._world.processes()
        if self._random.random() < _STANDS_STILL:
            self._stop_for_a_while([process for process in there if process.role != "task"])
            return
        # After the last kill, a scheduler with fail points gives way to one without.
        kind = self._choose_kind(there) if self._is_angry else _SCHEDULER
        supervisors = [process for process in there if process.role == _SUPERVISOR]
        launchers = [process for process in there if process.role == _LAUNCHER]
        if kind == _SUPERVISOR and supervisors:
            busy = {process.parent for process in there if process.role == "task"}
            worth = [process for process in supervisors if process.pid in busy] or supervisors
            self._kill_supervisor(self._random.choice(worth if self._random.random() < 0.8 else supervisors))
        elif kind == _LAUNCHER and launchers and self._launcher_deaths < _LAUNCHERS_A_SCHEDULER:
            self._launcher_deaths += 1
            self._kill(self._random.choice(launchers))
        elif kind in (_WORKER, _POOL, _CELERY) and (victims := [one for one in there if one.role == kind]):
            victim = self._random.choice(victims)
            if send(victim, signal.SIGKILL) and kind != _WORKER:  # whose end is counted where it is missed
                self._deaths.kinds[_CELERY_WORDS[kind]] += 1
        elif self._world.site is not None and kind in self._world.site.strikes:
            self._world.site.strike(kind, self._random)
            self._deaths.kinds[kind] += 1
        else:
            if kind == _ALL:
                for process in launchers:
                    self._kill(process)
                for process in supervisors:
                    self._kill_supervisor(process)
            waiting.send_signal(signal.SIGKILL)  # counted where its end is seen
            waiting.wait()

    def _choose_kind(self, there: list[Process]) -> str:
        victims = _VICTIMS
        if self._world.site is not None:
            victims = _OF_A_CREW | dict.fromkeys(self._world.site.strikes, _OF_A_SITE)
            if any(process.role == _CELERY for process in there):
                victims |= {_POOL: _OF_A_SITE, _CELERY: _OF_A_SITE // 2}
        return self._random.choices([*victims], [*victims.values()])[0]

    def _stop_for_a_while(self, ours: list[Process]) -> None:
        """A process that stands still keeps its locks and its runs; nobody may take them for free."""
        if not ours:
            return
        process = self._random.choice(ours)
        if send(process, signal.SIGSTOP):
            self._deaths.stood_still += 1
            self._deaths.faults[f"{process.role} stood still"] += 1
            self._standing.append((time.monotonic() + self._random.uniform(0.0, 2 * _LONGEST_PAUSE), process))

    def _look_for_progress(self, now: float) -> None:
        events = self._world.oracle / "events"
        size = events.stat().st_size if events.exists() else 0
        if size != self._events_bytes:
            self._events_bytes = size
            self._deadline = now + self._patience_seconds

    def _let_go_on(self, now: float) -> None:
        if self._world.site is not None:
            self._world.site.heal(now)
        for until, process in self._standing:
            if until <= now:
                send(process, signal.SIGCONT)
        self._standing = [one for one in self._standing if one[0] > now]

    def _kill_supervisor(self, process: Process) -> None:
        """Where all deaths are to be known, halt it first: what has a process then is lost, and nothing else."""
        if self.knows_all:
            send(process, signal.SIGSTOP)
            runs = runs_under(process)
            if not runs:
                send(process, signal.SIGCONT)
                return
            self.struck |= runs
        self._kill(process)

    def _kill(self, process: Process) -> None:
        if send(process, signal.SIGKILL):
            self._ours.add((process.pid, process.start_time))
            self._deaths.kinds[process.role] += 1


class _Looks:
    """Finds launchers and supervisors that died at a fail point; counts only what is certain.

    A launcher that was killed is its scheduler's zombie for a while, and says by which signal
    it died. A supervisor whose launcher lives on for two more looks has not ended by itself.
    """

    def __init__(self, deaths: Deaths) -> None:
        self._deaths = deaths
        self._before: dict[tuple[int, str], Process] = {}
        self._missing: list[tuple[int, Process]] = []

    def look(self, processes: Iterable[Process], points: str, ours: set[tuple[int, str]]) -> None:
        there = {(p.pid, p.start_time): p for p in processes if p.role in (_LAUNCHER, _SUPERVISOR)}
        pids = {process.pid for process in there.values()}
        for key, process in self._before.items():
            if key in there or key in ours:
                continue
            if process.role == _LAUNCHER:
                if died_by(process) == signal.SIGKILL:
                    self._deaths.kinds["launcher at a fail point"] += 1
            elif points.startswith(_SUPERVISOR_POINTS):
                self._missing.append((0, process))
        waiting = [(looks + 1, process) for looks, process in self._missing if process.parent in pids]
        self._deaths.kinds["supervisor at a fail point"] += sum(looks > 2 for looks, _ in waiting)
        self._missing = [(looks, process) for looks, process in waiting if looks <= 2]
        self._before = there


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
