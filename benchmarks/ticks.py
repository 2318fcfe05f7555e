"""(h) What a tick costs with much in the store, how long what is ready waits, what a night takes."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import RETROFILL, Line, await_quiet, median, scratch, spread
from projects import dates, write

from retrofill.bootstrap.centers import open_call
from retrofill.domain.planning.policy import Policy
from retrofill.domain.selection.ways import ManualSelection
from retrofill.domain.time.bizdates import parse_range
from retrofill.domain.time.milliseconds import instant_of, ms_of
from retrofill.services.backfills.creation import BackfillCreation
from retrofill.services.backfills.requests import Request, make_plan
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.run_specs import RunSpecs
from retrofill.services.instances.schedule_graph import plan_of_night
from retrofill.services.ports import RunEnd, RunRef, RunSpec
from retrofill.services.running.nights import NightMaker, ScheduleSettings
from retrofill.services.running.scheduler import Scheduler
from retrofill.services.upkeep.clocks import accept_clock
from retrofill.store.sqlite.database import Database

_TASKS = 500
_HELD_DATES = 4
_TICKS = 300
_BACKFILLS = 50
_CHAIN, _DATES = 4, 3
_PATIENCE_SECONDS = 120
_NIGHT_TASKS = 10_000


def run(repeats: int, is_long: bool, patience: float) -> list[Line]:
    return [
        *_idle_ticks(2_000 if is_long else 400, patience),
        *_ready_to_start(patience),
        _night(min(repeats, 3), patience),
    ]


# A tick with nothing to do


class _NothingRuns:
    """An executor for ticks that start nothing."""

    boot_id = "bench"
    host = None

    def start(self, runs: Sequence[RunSpec]) -> None:
        assert not runs

    def poll(self) -> list[RunEnd]:
        return []

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        assert not refs
        return []

    def stop(self, ref: RunRef) -> None: ...

    def fileno(self) -> int:
        return 0

    def close(self) -> None: ...


class _At:
    """A clock that stands still."""

    def __init__(self, at: datetime) -> None:
        self.ms = ms_of(at)

    def now_ms(self) -> int:
        return self.ms


def _idle_ticks(bizdates: int, patience: float) -> list[Line]:
    """In a store whose instances have all ended, then with ready ones that a pause holds."""
    with scratch() as folder:
        tasks = [f"t{n}: {{}}" for n in range(_TASKS)]
        empty, full = write(folder / "empty", tasks), write(folder / "full", tasks)
        _create(full, datetime(2000, 1, 1, tzinfo=UTC), bizdates, paused=False)
        _end_all(full)
        await_quiet(patience)
        ended = f"{_TASKS * bizdates:,} ended instances"
        lines = [
            _idle_line(f"{ended}, nothing new", full, empty, looks=False),
            _idle_line(f"{ended}, others have written", full, empty, looks=True),
        ]
        _create(full, datetime(1990, 1, 1, tzinfo=UTC), _HELD_DATES, paused=True)
        lines.append(
            _idle_line(f"and {_TASKS * _HELD_DATES:,} ready ones that are held", full, empty, looks=False)
        )
    return lines


def _idle_line(what: str, full: Path, empty: Path, looks: bool) -> Line:
    found, bare = _ticks(full, looks), _ticks(empty, looks)
    return Line(
        f"a tick with nothing to do, {what}, ms",
        spread(found, 1000, 3),
        f"an empty store {spread(bare, 1000, 3)}",
        median(found) / median(bare),
        {"seconds": median(found), "empty_seconds": median(bare)},
    )


def _create(directory: Path, first: datetime, bizdates: int, paused: bool) -> None:
    project = open_call(str(directory))
    names = tuple(project.folder.catalog.tasks)
    request = Request(
        ManualSelection(names), Policy(ranges=(parse_range(dates(bizdates, first.date())),), groups=10)
    )
    planned = make_plan(project.folder.catalog, request, project.limits, instant_of(project.clock.now_ms()))
    version_id = project.center.versions.deploy()["version"]
    creation = BackfillCreation(project.store, project.graphs, project.clock)
    number = creation.create(planned, version_id, project.user)
    if paused:
        project.center.backfills.pause(number)
    project.close()


def _end_all(directory: Path) -> None:
    """As if everything had run: the state that most instances of a store are in."""
    with closing(sqlite3.connect(directory / ".retrofill" / "retrofill.db")) as store:
        store.execute(
            "UPDATE instance SET state = 'successful', open_waits = 0, started_ms = due_ms, ended_ms = due_ms"
        )
        store.execute("UPDATE backfill_date SET reached = 1, successful = total")
        store.execute("UPDATE backfill SET started_ms = created_ms, ended_ms = created_ms")
        store.commit()


def _ticks(directory: Path, looks: bool) -> list[float]:
    """Seconds of ticks; `looks`: each as after a commit of another process."""
    store = Database(directory / ".retrofill")
    clock = _At(datetime(2026, 1, 1, tzinfo=UTC))
    specs = RunSpecs(directory, {}.get, "python3")
    accept_clock(store, clock, "benchmark")
    scheduler = Scheduler(store, _NothingRuns(), clock, specs, GraphCache())
    scheduler.start()
    found = []
    for number in range(_TICKS + 10):
        if looks:
            scheduler.look_again()
        began = time.perf_counter()
        scheduler.tick()
        if number >= 10:  # the first ones load the catalog
            found.append(time.perf_counter() - began)
    store.close()
    return found


# From ready to started


def _ready_to_start(patience: float) -> list[Line]:
    """Chains of `sleep`: from the last command of one task to the first one of the next, as tasks saw it."""
    found = {}
    with scratch() as folder:
        for count in (1, _BACKFILLS):
            stamps = folder / f"stamps-{count}"
            stamp = f'echo "$RETROFILL_INSTANCE $(date +%s%N)" >> {stamps}'
            work = f"run: '{stamp}; sleep 1; {stamp}'"
            tasks = [f"t1: {{{work}}}"]
            tasks += [f"t{n}: {{{work}, depends_on: [t{n - 1}]}}" for n in range(2, _CHAIN + 1)]
            directory = write(folder / str(count), tasks, slots=2 * count)
            for _ in range(count):
                _create(directory, datetime(2020, 1, 1, tzinfo=UTC), _DATES, paused=False)
            await_quiet(patience)
            with _scheduler(directory):
                _await_ends(directory)
            found[count] = _gaps(directory, stamps)
    few, many = found[1], found[_BACKFILLS]
    return [
        Line(
            f"from ready to its first command, {_BACKFILLS} backfills active, ms",
            spread(many, 1000, 1),
            f"one backfill {spread(few, 1000, 1)}",
            median(many) / median(few),
            {"seconds": median(many), "alone_seconds": median(few)},
        )
    ]


@contextlib.contextmanager
def _scheduler(directory: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [RETROFILL, "--project", str(directory), "scheduler"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE_SECONDS)


def _await_ends(directory: Path) -> None:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    with closing(_reading(directory)) as store:
        while store.execute("SELECT 1 FROM backfill WHERE ended_ms IS NULL LIMIT 1").fetchone():
            if time.monotonic() > give_up_at:
                raise SystemExit("the backfills did not end")
            time.sleep(0.2)


def _gaps(directory: Path, stamps: Path) -> list[float]:
    """Seconds between two instances of which one waits for the other."""
    seen: dict[int, list[int]] = {}
    for line in stamps.read_text().splitlines():
        instance_id, at_ns = map(int, line.split())
        seen.setdefault(instance_id, []).append(at_ns)
    with closing(_reading(directory)) as store:
        pairs = store.execute(
            "SELECT a.id, b.id FROM instance a JOIN instance b ON b.backfill_id = a.backfill_id "
            "AND b.bizdate = a.bizdate AND b.task_id = a.task_id + 1"
        ).fetchall()
    return [(min(seen[below]) - max(seen[above])) / 1e9 for above, below in pairs]


def _reading(directory: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{directory}/.retrofill/retrofill.db?mode=ro", uri=True)


# A night


def _night(repeats: int, patience: float) -> Line:
    """Making the instances of one bizdate, about three edges a task, against only planning them."""
    from projects import layers

    nights, plans = [], []
    with scratch() as folder:
        directory = layers(folder / "night", _NIGHT_TASKS)
        store = Database(directory / ".retrofill")
        with store.read() as reader:
            catalog = GraphCache().current(reader)
            deployed_ms = reader.first_deployed_ms()
        assert catalog is not None
        assert deployed_ms is not None
        for number in range(repeats):
            evening = instant_of(deployed_ms) + timedelta(days=number + 1)
            clock = _At(evening.replace(hour=23, minute=30))
            graphs = GraphCache()
            with store.read() as reader:
                graphs.current(reader)
            schedule = NightMaker(store, graphs, clock, ScheduleSettings(23 * 60 + 30, 1))
            accept_clock(store, clock, "benchmark")
            await_quiet(patience)
            began = time.perf_counter()
            made = schedule.make_due(was_down=True)
            nights.append(time.perf_counter() - began)
            began = time.perf_counter()
            plan_of_night(catalog, made[0], None)
            plans.append(time.perf_counter() - began)
        store.close()
    return Line(
        f"a night of {_NIGHT_TASKS:,} tasks, s",
        spread(nights),
        f"planning them {spread(plans, 1, 3)}",
        median(nights) / median(plans),
        {"seconds": nights, "plan_seconds": plans},
    )
