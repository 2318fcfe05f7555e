"""Three backfills and the schedule compete for slots: every start is the right one.

After every tick what started is compared with a reference that looks at all rows, and
what did not start with what `why` says about it.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalogs import SELF, make_catalog, make_task, previous
from examples import examples
from retrofill.domain.catalog.definitions import Dependency, Rerun, ResourceGroup, Task
from retrofill.domain.errors import RetrofillError
from retrofill.domain.people.roles import system_administrator
from retrofill.domain.planning.policy import Barrier, Order
from retrofill.domain.running.filters import BackfillFilter
from retrofill.domain.running.states import NOT_STARTED, State
from retrofill.domain.time.milliseconds import instant_of
from retrofill.domain.time.windows import parse_window
from retrofill.services.operations.emergencies import PRIORITIES
from retrofill.services.ports.records import InstanceRecord
from retrofill.services.reading.why import why
from services.reference_starts import Moment, expected_starts
from services.worlds import World

ADMIN = system_administrator("admin")

MOST = 80  # instances of one backfill
STEPS = 25
SCHEDULES = ["0 1 * * *", "0 2 * * *", "30 0 * * *", "0 0,1,2,12 * * *", "0 */6 * * *", "0 3 * * MON,TUE"]
ENDS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"exit_code": 1},
    {"outcome": "not_started", "exit_code": None},
    {"outcome": "lost", "exit_code": None},
]


class Contention:
    """One world with nights and backfills, and a source of chance."""

    def __init__(self, directory: Path, chance: Random) -> None:
        self.chance = chance
        names = [f"w.t{i}" for i in range(chance.randint(3, 6))]
        self.groups = self.random_groups(chance.randint(1, 3))
        tasks = [self.random_task(name, names[:i]) for i, name in enumerate(names)]
        self.world = World(
            directory,
            *tasks,
            groups=self.groups,
            now="2026-03-01T22:00",
            stops_for_auto=chance.random() < 0.7,
        )

    def random_groups(self, more: int) -> tuple[ResourceGroup, ...]:
        groups = []
        for name in ["default", *(f"g{i}" for i in range(more))]:
            slots = self.chance.randint(1, 4)
            groups.append(ResourceGroup(name, slots=slots, reserved_for_auto=self.chance.randrange(slots)))
        return tuple(groups)

    def random_task(self, name: str, above: list[str]) -> Task:
        chance = self.chance
        waits: list[str | Dependency] = [*chance.sample(above, chance.randint(0, min(len(above), 2)))]
        if chance.random() < 0.2:
            waits.append(SELF)
        if above and chance.random() < 0.2:
            waits.append(previous(chance.choice(above)))
        return make_task(
            name,
            chance.choice(SCHEDULES),
            *waits,
            priority=chance.choice([1, 1, 3, 5, 7, 8]),
            max_parallel_instances=chance.choice([None, None, 1, 2]),
            resource_group=chance.choice(self.groups).name,
            rerun=Rerun(times=chance.choice([0, 0, 1]), interval_seconds=600),
        )

    def create(self) -> None:
        """A backfill of some tasks, around the bizdates that the schedule makes too."""
        w, chance = self.world, self.chance
        first = chance.choice(["2026-02-26", "2026-03-01", "2026-03-01", "2026-03-02"])
        days = chance.randint(0, 2)
        names = sorted(task.partition(".")[2] for task in w.catalog.tasks)
        roots = chance.sample(names, k=chance.randint(2, len(names)))
        window = chance.choice([None] * 6 + ["22:00-02:00", "01:00-05:00"])
        try:
            planned = w.plan(
                *roots,
                dates=f"{first}..{first[:-2]}{int(first[-2:]) + days:02}",
                groups=chance.choice([1, 2, 4]),
                order=chance.choice([Order.ASCENDING, Order.DESCENDING]),
                barrier=chance.choice(list(Barrier)),
                run_future=chance.random() < 0.7,
                allow_risks=True,
                window=parse_window(window, "UTC") if window else None,
                resource_group=chance.choice([None, None, *w.catalog.resource_groups]),
            )
        except RetrofillError:
            return
        if planned.plan.instance_count <= MOST:
            w.creation.create(planned, w.version_id, w.user)

    # Steps

    def step(self) -> None:
        what = self.chance.randrange(13)
        if what < 5:
            for number in self.chance.sample(sorted(self.world.executor.running), k=self.few()):
                self.world.executor.end(number, **self.chance.choice(ENDS))
        elif what < 8:
            self.world.clock.forward(60 * self.chance.choice([10, 60, 60, 120, 300]))
            if self.world.schedule.make_due(was_down=False):
                self.world.scheduler.look_again()
        elif what == 8:
            self.steer()
        elif what == 9:
            rows = list(self.moment().rows)
            ids = self.chance.sample(rows, k=min(len(rows), 3))
            if self.chance.random() < 0.5:
                operation = self.chance.choice(["rerun", "freeze", "unfreeze", "stop", "set_successful"])
                getattr(self.world.operations, operation)(ids)
            else:
                self.emergency(ids)
        elif what == 10:
            self.deploy()
        elif what == 11:
            self.world.executor.obeys = not self.world.executor.obeys
        else:
            self.world.restart()

    def emergency(self, ids: list[int]) -> None:
        """OPS-7: another priority, another resource group, waits removed."""
        w = self.world
        emergencies = w.emergencies
        what = self.chance.randrange(3)
        if what == 0:
            emergencies.set_priority(ids, self.chance.choice(PRIORITIES))
        elif what == 1:
            emergencies.set_resource_group(ids, self.chance.choice(list(w.catalog.resource_groups)))
        else:
            emergencies.remove_waits(ids, None)

    def few(self) -> int:
        return min(len(self.world.executor.running), self.chance.randint(1, 3))

    def steer(self) -> None:
        w = self.world
        if self.chance.random() < 0.2:
            w.schedule.resume(ADMIN.name) or w.schedule.pause(ADMIN.name)
            w.scheduler.look_again()
            return
        with w.store.read() as reader:
            ids = [record.id for record in reader.backfills(BackfillFilter(phase="active"))]
        how = self.chance.choice(["pause", "resume", "resume", "resume", "stop", "rerun"])
        try:
            if ids:
                getattr(w.backfills, how)(self.chance.choice(ids))
        except RetrofillError:
            pass  # it does not fit where the backfill stands

    def deploy(self) -> None:
        """Other slots; now and then a group is gone for which instances wait."""
        groups = self.random_groups(len(self.groups) - 1)
        if self.chance.random() < 0.3:
            groups = groups[:-1]
        tasks = [t for t in self.world.catalog.tasks.values() if t.resource_group in {g.name for g in groups}]
        if len(tasks) > 1:
            self.world.deploy(make_catalog(*tasks, groups=groups))

    # Looking

    def moment(self) -> Moment:
        w = self.world
        holds: dict[int | None, str] = {}
        with w.store.read() as reader:
            rows = {row.id: row for row in reader.instance_range(1, 1 << 40)}
            for record in reader.backfills():
                window = w.graphs.get(reader, record.id).plan.policy.window
                if record.stopped or record.paused:
                    holds[record.id] = "stopped" if record.stopped else "paused"
                elif window is not None and not window.is_open(instant_of(w.clock.now_ms())):
                    holds[record.id] = "window"
            if reader.generations.is_held():
                holds[None] = "paused"
            limits = {
                row.id: w.graphs.of(reader, row).task(row.id).max_parallel_instances for row in rows.values()
            }
        return Moment(rows, w.catalog, holds, lambda row: limits[row.id])

    def tick_and_check(self) -> None:
        w = self.world
        before = len(w.executor.started)
        w.tick()
        started = [spec.ref.instance_id for spec in w.executor.started[before:]]
        after = self.moment()
        right = after.without(started)
        expected = expected_starts(right)
        assert len(started) == len(set(started))
        assert set(started) == expected, self.explain(right, set(started), expected)
        self.check_readiness(right)
        self.check_makes_way(right)
        self.check_why(after)
        assert w.drift() == []

    def check_readiness(self, moment: Moment) -> None:
        """OPS-0, POL-6: what waits for resources is what lacks nothing else."""
        w = self.world
        with w.store.read() as reader:
            for row in moment.rows.values():
                if row.state not in NOT_STARTED or not row.resource_group:
                    continue
                context = w.graphs.of(reader, row)
                waits = set(context.upstream(row.id)) - reader.interventions.removed_of(row.id)
                above = [moment.rows[i].state for i in waits if i in moment.rows]
                is_open = set(above) <= {State.SUCCESSFUL} and row.reason != "isolated"
                is_open = is_open and context.has_reached(reader, row.id)
                is_ready = (is_open or bool(row.ignores_waits)) and row.start_ms <= w.clock.now_ms()
                assert (row.state == State.WAITING_RESOURCES) == is_ready, (row, above)

    def check_makes_way(self, moment: Moment) -> None:
        """RUN-5: a running backfill instance is told to stop exactly when its rival is ready."""
        autos = [row for row in moment.rows.values() if row.backfill_id is None]
        ready = {
            (r.task_id, r.bizdate, r.slot)
            for r in autos
            if r.state == State.WAITING_RESOURCES and None not in moment.holds
        }
        for row in moment.of(State.RUNNING):
            if row.backfill_id is None or row.reason == "stopping":
                continue
            if (row.task_id, row.bizdate, row.slot) in ready:
                assert (row.reason == "yielded_to_auto") == self.world.stops_for_auto, row

    def check_why(self, moment: Moment) -> None:
        """OPS-9: of the predicate that decides."""
        w = self.world
        for row in moment.ready():
            with w.store.read() as reader:
                code = why(reader, w.graphs, row, w.clock.now_ms(), has_scheduler=True).code
            assert code != "starting", row
            assert code == moment.hindrance(row), row

    def explain(self, moment: Moment, started: set[int], expected: set[int]) -> str:
        def line(row: InstanceRecord) -> str:
            mark = {(True, False): "WRONGLY STARTED", (False, True): "NOT STARTED"}
            where = mark.get((row.id in started, row.id in expected), "")
            return f"  {where} {row} hindrance: {moment.hindrance(row)}"

        lines = ["ready, in the order of RUN-1:", *map(line, moment.ready()), "running:"]
        groups = [f"  {group}" for group in moment.catalog.resource_groups.values()]
        return "\n".join([*lines, *(f"  {row}" for row in moment.of(State.RUNNING)), *groups])


@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.integers(0, 10**9))
def test_every_start_is_the_right_one(seed: int) -> None:
    """RUN-1, RUN-5, RUN-6, OPS-0, OPS-9: three backfills and nights, whatever happens; the seed is shown."""
    play(seed)


def play(seed: int) -> None:
    chance = Random(seed)
    with TemporaryDirectory() as directory:
        contention = Contention(Path(directory), chance)
        try:
            for number in range(STEPS):
                if number in (0, 3, 6):
                    contention.create()
                else:
                    contention.step()
                contention.tick_and_check()
        finally:
            contention.world.close()
