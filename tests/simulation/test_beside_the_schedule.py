"""A large backfill beside the schedule, for a fortnight: the same world with it and without it.

Run times depend on task and bizdate only, so that whatever differs is the backfill's doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import ResourceGroup, Task
from simulation.executors import Faults, Run
from simulation.watch import Watch
from simulation.worlds import SimulatedWorld

SLOTS = 4
LONGEST_MS = 40 * 60_000  # of any run
# At most three are ready at once. What a backfill makes of them has priority 3 at most (POL-12).
TASKS = (
    make_task("w.a", "0 1 * * *", priority=8),
    make_task("w.b", "0 1 * * *", priority=5),
    make_task("w.c", "30 1 * * *", "w.a", priority=3),
    make_task("w.d", "0 2 * * *", "w.b", "w.c", priority=7),
    make_task("w.e", "0 6 * * *", priority=3),
    make_task("w.f", "10 6 * * *", "w.d", "w.e", priority=5),
    make_task("w.g", "0 16 * * *", priority=3),
)
Key = tuple[str, str]  # task, bizdate


@dataclass(frozen=True)
class Life:
    """What ran. `priority` and `due_ms` are of instances, by the id of each."""

    runs: list[Run]
    priority: dict[int, int]
    due_ms: dict[int, int]

    def autos(self) -> dict[Key, Run]:
        return {key(run): run for run in self.runs if is_auto(run)}


def key(run: Run) -> Key:
    return run.spec.name, run.spec.environment["RETROFILL_BIZDATE"]


def is_auto(run: Run) -> bool:
    return run.spec.environment["RETROFILL_KIND"] == "auto"


def live(directory: Path, days: int, reserved: int, has_backfill: bool) -> Life:
    group = ResourceGroup("default", slots=SLOTS, reserved_for_auto=reserved)
    w = SimulatedWorld(directory, Random(1), Faults(), *TASKS, groups=(group,), now="2026-01-01T12:00")
    watch, steps = Watch(w, w.simulated), 0
    try:
        if has_backfill:
            w.create(dates="2024-01-01..2025-12-20", groups=10)
        end_ms = w.clock.ms + days * 86_400_000
        while w.clock.ms < end_ms:
            next_ms = w.pass_on()
            steps += 1
            if steps % 100 == 0:  # thousands of rows: not every time
                watch.look(acted=False)
            w.clock.ms = min(end_ms, next_ms or end_ms)
        with w.store.read() as reader:
            rows = list(reader.instance_range(1, 1 << 40))
        return Life(
            list(w.simulated.runs.values()), {r.id: r.priority for r in rows}, {r.id: r.due_ms for r in rows}
        )
    finally:
        w.close()


@pytest.fixture(scope="module", params=[5, pytest.param(14, marks=pytest.mark.slow)])
def days(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_no_auto_triggered_instance_waits_but_for_what_runs_already(tmp_path: Path, days: int) -> None:
    """RUN-1, RUN-5: later than without the backfill by no more than the runs that it finds running.

    An instance of which the upstream came late comes as much later; on its own account it waits
    for a slot no longer than the longest run.
    """
    alone = live(tmp_path / "alone", days, 0, has_backfill=False).autos()
    life = live(tmp_path / "beside", days, 0, has_backfill=True)
    beside = life.autos()
    assert len(alone) >= (days - 1) * len(TASKS)
    assert sum(1 for run in life.runs if not is_auto(run)) > 100 * days
    late = 0
    for task in TASKS:
        for when, before in ((k, run) for k, run in alone.items() if k[0] == task.name):
            above = [(d.task, when[1]) for d in task.depends_on]
            shift = max((beside[k].ends_ms - alone[k].ends_ms for k in above), default=0)
            if when not in beside:
                continue  # it was to start at the very end
            delay = beside[when].started_ms - before.started_ms
            assert 0 <= delay <= max(shift, 0) + LONGEST_MS, (when, delay)
            late += delay > 0
    assert late, "the backfill was never in the way, so nothing was tested"
    check_that_nothing_overtakes(life)


def check_that_nothing_overtakes(life: Life) -> None:
    """While an auto triggered instance is ready, no backfill instance starts but of a higher priority."""
    autos = life.autos()
    tasks: dict[str, Task] = {task.name: task for task in TASKS}
    for (name, bizdate), run in autos.items():
        above = [autos[d.task, bizdate] for d in tasks[name].depends_on]
        ready_ms = max([life.due_ms[run.instance_id], *(up.ends_ms for up in above)])
        for other in life.runs:
            if ready_ms <= other.started_ms < run.started_ms and not is_auto(other):
                higher = life.priority[other.instance_id] > life.priority[run.instance_id]
                assert higher, f"{other.spec.name} overtook {name} of {bizdate}"


def test_reserved_slots_never_hold_a_backfill_instance(tmp_path: Path, days: int) -> None:
    """RUN-6: so that the schedule runs as if there were no backfill."""
    reserved = 3
    alone = live(tmp_path / "alone", days, reserved, has_backfill=False).autos()
    life = live(tmp_path / "beside", days, reserved, has_backfill=True)
    assert {k: run.started_ms for k, run in life.autos().items()} == {
        k: run.started_ms for k, run in alone.items()
    }
    backfill = sorted((run.started_ms, run.ends_ms) for run in life.runs if not is_auto(run))
    assert len(backfill) > 20 * days
    ends = [end for _, end in backfill]
    for number, (start, _) in enumerate(backfill):
        assert sum(1 for end in ends[:number] if end > start) < SLOTS - reserved
