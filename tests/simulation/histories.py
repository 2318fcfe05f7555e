"""A scheduler, its users and their bad luck, day after day, in a seeded world.

The real services run on the real store; the clock moves from one event to the next. Whatever
fails is repeated by the same seed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from domain.catalogs import SELF, make_task, previous
from retrofill.domain.catalog.definitions import Dependency, Rerun, ResourceGroup, Task
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.errors import RetrofillError
from retrofill.domain.people.roles import system_administrator
from retrofill.domain.planning.policy import Alert, AlertTrigger, Barrier, OnFailure, Order
from retrofill.domain.running.filters import UNFINISHED, BackfillFilter, InstanceFilter
from retrofill.domain.running.states import State
from retrofill.domain.time.cron import parse
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.stored import alert_of
from retrofill.services.operations.emergencies import PRIORITIES
from simulation.executors import Faults
from simulation.watch import Watch
from simulation.worlds import SimulatedWorld

ADMIN = system_administrator("admin")

FAULTS = Faults(
    crash=0.006,
    unanswered=0.004,
    never_started=0.01,
    told_late=0.01,
    told_twice=0.02,
    lost=0.01,
    fails=0.04,
    timeout=0.01,
)
_CRONS = ["0 1 * * *", "0 1 * * *", "0 2 * * *", "0 4 * * *", "0 5 * * MON", "0 6 1 * *"]
_MOST = 60  # instances of a backfill
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True)
class Scale:
    """How much happens."""

    tasks: int = 8
    days: int = 12
    actions_per_day: float = 4.0
    hourly: float = 0.15  # share of tasks with several slots a day


class History:
    """Days of one world, with everything that people do."""

    def __init__(self, directory: Path, seed: int, scale: Scale = Scale(), faults: Faults = FAULTS) -> None:
        self.chance = Random(seed)
        self.scale, self.faults = scale, replace(faults)
        tasks = self._tasks(scale.tasks)
        self.world = SimulatedWorld(
            directory,
            Random(seed + 1),
            self.faults,
            *tasks,
            groups=(
                ResourceGroup("default", slots=4, reserved_for_auto=1),
                ResourceGroup("small", slots=2),
            ),
            now="2026-01-01T12:00",
            stops_for_auto=self.chance.random() < 0.7,
        )
        self.watch = Watch(self.world, self.world.simulated)
        self.steps = 0

    def close(self) -> None:
        self.world.close()

    def run(self) -> None:
        """All days, then quiet ones until everything has come to its end."""
        w = self.world
        for day in range(self.scale.days):
            noon = w.clock.ms + _DAY * 1000
            acts = sorted(self.chance.random() for _ in range(self._how_many()))
            for moment in acts:
                self._live_until(noon - round((1 - moment) * _DAY * 1000))
                self._act()
            self._live_until(noon)
            if self.chance.random() < 0.7:
                self._mend()
            if day % 60 == 59:
                self.watch.look_at_all()
        self._come_to_an_end()

    @property
    def summary(self) -> str:
        """What it was about, in a line."""
        w = self.world
        lost = f"{w.crashes} crashes, {w.unanswered} answers lost"
        return f"{self.scale.days} days, {self.steps} steps, {len(w.simulated.runs)} runs, {lost}"

    def _how_many(self) -> int:
        rate = self.scale.actions_per_day
        return int(rate) + (self.chance.random() < rate % 1)

    def _live_until(self, until_ms: int) -> None:
        """Move the clock from event to event."""
        w = self.world
        while True:
            next_ms = w.pass_on()
            self._look(acted=False)
            if next_ms is None or next_ms > until_ms:
                break
            w.clock.ms = max(w.clock.ms, next_ms)
        w.clock.ms = max(w.clock.ms, until_ms)

    def _look(self, acted: bool) -> None:
        self.steps += 1
        self.watch.look(acted)

    # What people do

    def _act(self) -> None:
        w = self.world
        often = [self._backfill, self._operate, self._operate, self._steer]
        what = self.chance.choice(
            [
                *(*often, *often, self._emergency, self._deploy, self._deploy, self._turn_the_clock),
                *(self._hold, self._be_away, w.come_up),
            ]
        )
        with suppress(RetrofillError):  # it did not fit: so it changed nothing
            what()
        self.world.is_woken = True
        self._look(acted=True)

    def _backfill(self) -> None:
        w, chance = self.world, self.chance
        today = instant_of(w.clock.now_ms()).date()
        first = today - timedelta(days=chance.choice([1, 1, 2, 5, 40]))
        last = first + timedelta(days=chance.randint(0, 4))
        roots = chance.sample(sorted(name.partition(".")[2] for name in w.catalog.tasks), k=3)
        planned = w.plan(
            *roots,
            dates=f"{first}..{last}",
            groups=chance.choice([1, 2, 4]),
            order=chance.choice(list(Order)),
            **self._how_it_bears_failures(),
            run_future=chance.random() < 0.5,
            allow_risks=True,
            alert=chance.choice([None, Alert(AlertTrigger.EITHER)]),
        )
        if planned.plan.instance_count <= _MOST:
            w.creation.create(planned, w.version_id, w.user)

    def _how_it_bears_failures(self) -> dict[str, Any]:
        """POL-6, POL-14."""
        barrier, on_failure = self.chance.choice(
            [
                (Barrier.DATE, OnFailure.STOP),
                (Barrier.DATE, OnFailure.CONTINUE),
                (Barrier.TASK, OnFailure.STOP),
            ]
        )
        most = self.chance.choice([None, None, 1, 3])
        return {"barrier": barrier, "on_failure": on_failure, "max_failures": most}

    def _operate(self) -> None:
        with self.world.store.read() as reader:
            rows = list(reader.instance_range(self.watch.horizon, 1 << 40))[-150:]
        names = ["rerun", "set_successful", "freeze", "unfreeze", "stop", "rerun_descendants"]
        ids = [row.id for row in self.chance.sample(rows, k=min(len(rows), self.chance.randint(1, 4)))]
        name, operations = self.chance.choice(names), self.world.operations
        if name == "rerun":
            latest = self.chance.random() < 0.3
            operations.rerun(ids, ignore_waits=self.chance.random() < 0.3, latest=latest)
        elif name == "rerun_descendants":
            if self.chance.random() < 0.5:
                operations.stop(operations.running_below(ids, include_self=True))
            operations.rerun_descendants(ids, include_self=self.chance.random() < 0.5)
        else:
            getattr(operations, name)(ids)

    def _emergency(self) -> None:
        """OPS-7: an administrator changes single instances that have not run yet."""
        w = self.world
        with w.store.read() as reader:
            rows = list(reader.instance_range(self.watch.horizon, 1 << 40, InstanceFilter(states=UNFINISHED)))
        ids = [row.id for row in self.chance.sample(rows, k=min(len(rows), 3))]
        emergencies = w.emergencies
        what = self.chance.randrange(3)
        if what == 0:
            emergencies.set_priority(ids, self.chance.choice(PRIORITIES))
        elif what == 1:
            emergencies.set_resource_group(ids, self.chance.choice(["default", "small"]))
        else:
            emergencies.remove_waits(ids, None)
            self.watch.note_removed(ids)

    def _steer(self) -> None:
        with self.world.store.read() as reader:
            ids = [record.id for record in reader.backfills(BackfillFilter(phase="active"), limit=4)]
        how = self.chance.choice(["pause", "resume", "stop", "rerun", "freeze", "unfreeze"])
        if not ids:
            return
        chosen, backfills = self.chance.choice(ids), self.world.backfills
        if how == "rerun":
            backfills.rerun(chosen, self.chance.random() < 0.5, ignore_waits=self.chance.random() < 0.3)
        else:
            getattr(backfills, how)(chosen)

    def _be_away(self) -> None:
        """AUTO-3: for longer than missed nights are caught up with, now and then."""
        self.world.be_away(_DAY * self.chance.choice([1, 2, 9]))

    def _deploy(self) -> None:
        """Other times or another priority for one task, and perhaps one task more or less (AUTO-1, AUTO-2)."""
        tasks = dict(self.world.catalog.tasks)
        name = self.chance.choice(sorted(tasks))
        tasks[name] = replace(tasks[name], priority=self.chance.choice([1, 3, 5, 7, 8]))
        if self.chance.random() < 0.6:
            times = parse(self.chance.choice([*_CRONS, "30 1 * * *", "0 3,15 * * *"]))
            how = self.chance.choice(["next_day", "immediate"])
            tasks[name] = replace(tasks[name], schedule=times, generation=how)
        extra = tasks.pop("w.extra", None)
        if extra is None:
            tasks["w.extra"] = make_task("w.extra", "0 3 * * *", self.chance.choice(sorted(tasks)))
        self.world.deploy(self.world.catalog.frozen_copy_of(tasks))
        if self.chance.random() < 0.8:  # else it was killed before it made what it owes
            self.world.switch.make_owed()

    def _turn_the_clock(self) -> None:
        """TIME-8: by little or by much; somebody, or a time server, turns it back soon or much later."""
        w = self.world
        jump = self.chance.choice([-_HOUR // 2, 5 * _MINUTE, 3 * _HOUR, 3 * _DAY, 60 * _DAY, -2 * _DAY])
        w.clock.jump(jump)
        self._look(acted=True)
        if self.chance.random() < 0.6:
            self._live_until(w.clock.ms + 1000 * self.chance.choice([5, _HOUR, 6 * _HOUR]))
            w.clock.jump(-jump)

    def _hold(self) -> None:
        self.world.switch.pause("admin")

    def _mend(self) -> None:
        """Somebody takes every obstacle away, but what never ended as far as anybody knows."""
        w = self.world
        if w.simulated.has_late:
            w.come_up()
        w.switch.resume("admin")
        w.clock.jump(-w.clock.jumped_ms / 1000)
        with w.store.read() as reader:
            active = reader.backfills(BackfillFilter(phase="active"), limit=10_000)
            records = [record for record in active if record.paused or record.stopped]
            unfinished = reader.instance_range(self.watch.horizon, 1 << 40)
            rows = [row for row in unfinished if row.state in (State.FROZEN, State.FAILED)]
        for record in records:
            with suppress(RetrofillError):
                w.backfills.resume(record.id)
        w.operations.unfreeze([row.id for row in rows if row.state == State.FROZEN])
        w.operations.set_successful([row.id for row in rows if row.reason != "sibling_failed"])
        w.is_woken = True
        self._look(acted=True)

    def _come_to_an_end(self) -> None:
        """I9: with every obstacle taken away, everything succeeds."""
        w = self.world
        for name in Faults.__slots__:
            setattr(self.faults, name, 0.0)
        for _ in range(60):
            self._mend()
            self._live_until(w.clock.ms + _DAY * 1000)
            if not self._unfinished_before(w.clock.ms - 2 * _DAY * 1000):
                break
        self.watch.look_at_all()
        assert not self._unfinished_before(w.clock.ms - 2 * _DAY * 1000)
        self._check_nights()
        self._check_schedules()
        self._check_runs()
        self._check_alerts()

    def _unfinished_before(self, due_ms: int) -> list[str]:
        with self.world.store.read() as reader:
            asked = InstanceFilter(states=UNFINISHED, due_before_ms=due_ms)
            rows = reader.instance_range(1, 1 << 40, asked)
            return [str(row) for row in rows]

    def _check_nights(self) -> None:
        """AUTO-1, AUTO-3: every bizdate has its night, once."""
        with self.world.store.read() as reader:
            made = [
                g.bizdate for g in reader.generations.between("2026-01-01", "2030-01-01") if g.kind == "night"
            ]
            missed = reader.generations.missed()
        days = [date.fromisoformat(night) for night in sorted([*made, *missed])]
        assert days == [days[0] + timedelta(days=i) for i in range(len(days))]
        assert len(days) >= self.scale.days

    def _check_schedules(self) -> None:
        """AUTO-1, AUTO-2: a bizdate has a task at the times of one version; no chain is broken by a deploy."""
        w = self.world
        with w.store.read() as reader:
            names = {i: name for name, i in reader.task_ids().items()}
            versions = [w.graphs.catalog(reader, v.id) for v in reader.versions.latest(10_000)]
            rows = [
                row for day in reader.generations.bizdates(-1) for row in reader.generations.instances(day)
            ]
            by_date: dict[tuple[str, date], dict[int, int]] = {}
            for row in rows:
                place = names[row.task_id], date.fromisoformat(row.bizdate)
                by_date.setdefault(place, {})[row.slot] = row.id
            context = w.graphs.schedule(reader)
            for (name, bizdate), slots in by_date.items():
                known = [v.tasks[name].schedule.slots for v in versions if name in v.tasks]
                assert any(set(slots) <= set(own) for own in known), (name, bizdate, slots)
                task = context.task(slots[min(slots)])
                before = by_date.get((name, bizdate - timedelta(days=1)))
                is_first = (
                    min(slots) == task.schedule.slots[0]
                )  # of what a deploy made, the first may be over
                if task.depends_on_itself and before is not None and is_first:
                    last = before[max(before)]
                    is_later = last > slots[min(slots)]  # the night before was made after it
                    assert is_later or last in context.upstream(slots[min(slots)]), (name, bizdate)

    def _check_runs(self) -> None:
        """I3, I5: every run that really ended is in the ledger as it ended, and nothing else is."""
        real = {ref: run.end for ref, run in self.world.simulated.runs.items()}
        with self.world.store.read() as reader:
            kept = {
                (run.instance_id, run.number, run.token): run
                for row in reader.instance_range(1, 1 << 40)
                for run in reader.runs(row.id)
                if run.ended_ms is not None
            }
        ended = {(r.instance_id, r.run_number, r.token): e for r, e in real.items()}
        assert set(kept) <= set(ended)
        for key, run in kept.items():
            assert (run.outcome, run.exit_code) == (ended[key].outcome, ended[key].exit_code), run
        alive = {
            (r.spec.ref.instance_id, r.spec.ref.run_number, r.spec.ref.token)
            for r in self.world.simulated.running()
        }
        assert set(ended) - set(kept) <= alive

    def _check_alerts(self) -> None:
        """POL-9: a round's event is queued once, and the last one tells of the success."""
        with self.world.store.read() as reader:
            records = reader.backfills(BackfillFilter(phase="active"), limit=10_000)
            alerts = {
                record.id: [(a.round, a.event, a.method) for a in reader.outbox.of_backfill(record.id)]
                for record in records
            }
        for record in records:
            queued = alerts[record.id]
            assert len(queued) == len(set(queued)), record
            if alert_of(record) is not None and self.world.status(record.id) == "succeeded":
                assert (max(queued)[0], "success", "email") in queued, (record, queued)

    # The world

    def _tasks(self, count: int) -> list[Task]:
        names = [f"w.t{i:02}" for i in range(count)]
        return [self._task(name, names[:i]) for i, name in enumerate(names)]

    def _task(self, name: str, above: list[str]) -> Task:
        chance = self.chance
        waits: list[str | Dependency] = [*chance.sample(above[-5:], chance.randint(0, min(len(above), 2)))]
        if chance.random() < 0.2:
            waits.append(SELF)
        if above and chance.random() < 0.15:
            waits.append(previous(chance.choice(above)))
        more: dict[str, Any] = {"type": TaskType.VIRTUAL} if chance.random() < 0.1 else {}
        return make_task(  # type: ignore[no-any-return]
            name,
            "0 */6 * * *" if chance.random() < self.scale.hourly else chance.choice(_CRONS),
            *waits,
            priority=chance.choice([1, 3, 5, 7, 8]),
            max_parallel_instances=chance.choice([None, None, 1, 2]),
            resource_group=chance.choice(["default", "default", "small"]),
            rerun=Rerun(times=chance.choice([0, 1, 2]), interval_seconds=600, on_lost=chance.random() < 0.5),
            **more,
        )
