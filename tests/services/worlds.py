"""A deployed catalog on a real store, with a fake clock and a fake executor.

Instances are written `a 5 07:00`: task `w.a`, bizdate 5 January 2026, slot 07:00.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from databases.stores import STORES, chosen
from domain.catalogs import make_catalog
from retrofill.cli.steps import told
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup, Task
from retrofill.domain.people.roles import Actor, system_administrator
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.option_forms import Around
from retrofill.domain.planning.options import CHANGEABLE, read_all
from retrofill.domain.planning.policy import Policy
from retrofill.domain.running.filters import BackfillFilter, InstanceFilter
from retrofill.domain.running.startable import Known, Lack
from retrofill.domain.selection.choice import Limits
from retrofill.domain.selection.ways import ManualSelection, Selection
from retrofill.domain.time.bizdates import parse_range
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.backfills.creation import BackfillCreation
from retrofill.services.backfills.estimates import gather_facts
from retrofill.services.backfills.expecting import Expecting
from retrofill.services.backfills.knowing import with_ledger
from retrofill.services.backfills.later_starts import LaterStarts
from retrofill.services.backfills.requests import PlanLimits, PlannedBackfill, Request, make_plan
from retrofill.services.backfills.steering import BackfillSteering
from retrofill.services.catalogs import deploy as catalogs
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.run_specs import RunSpecs
from retrofill.services.operation_center import OperationCenter
from retrofill.services.operations.emergencies import Emergencies
from retrofill.services.operations.operations import Operations
from retrofill.services.people.access import Access
from retrofill.services.people.clerks import find_actor
from retrofill.services.ports import Reader
from retrofill.services.ports.records import InstanceRecord
from retrofill.services.reading.backfills import BackfillReader
from retrofill.services.reading.documents import BackfillRow
from retrofill.services.reading.redaction import shown_why
from retrofill.services.reading.view import View
from retrofill.services.reading.why import why
from retrofill.services.running.nights import NightMaker, ScheduleSettings
from retrofill.services.running.offering import Offering
from retrofill.services.running.scheduler import Scheduler
from retrofill.services.running.tick_report import TickReport
from retrofill.services.upkeep.consistency import drift, schedule_drift
from services.fakes import FakeClock, FakeDispatcher, FakeExecutor, FakeHosts
from store.connections import Connections

NIGHTS = ScheduleSettings(generation_minute=23 * 60 + 30, catch_up_nights=7)
LIMITS = PlanLimits(Limits(), max_bizdates=3_660, max_instances=1_000_000)


class Explained(NamedTuple):
    """`Why` with its sentence in words."""

    code: str
    text: str
    blockers: tuple[dict[str, object], ...]
    cause: dict[str, object] | None


class World:
    """One store, one scheduler, one user."""

    def __init__(
        self,
        directory: Path,
        *tasks: Task,
        groups: tuple[ResourceGroup, ...] = (),
        slots: int = 4,
        now: str = "2026-03-02T12:00",
        user: str = "admin",
        limits: PlanLimits = LIMITS,
        secrets: Mapping[str, str] = MappingProxyType({}),
        auto: bool = True,
        stops_for_auto: bool = True,
        nights: ScheduleSettings = NIGHTS,
        members: Mapping[str, Mapping[str, str]] | None = None,
        stores: str | None = None,
        hosts: FakeHosts | None = None,
    ) -> None:
        """
        Args:
            stores: the kind of database that the store lies in.
            hosts: other machines that share it.
        """
        self.hosts = hosts
        self.secrets = secrets
        self.auto, self.stops_for_auto, self.night_settings = auto, stops_for_auto, nights
        self.directory = directory
        self.clock = FakeClock(now)
        self.connections = Connections()  # of people's commands
        self.stores = STORES[stores or chosen()](directory / ".retrofill")
        self.store = self.stores.open(self.clock.boot, self.connections.note)
        self.scheduler_store = self.open_elsewhere()
        self.user = user
        self.limits = limits
        self.executor = FakeExecutor(self.clock)
        self.dispatcher = FakeDispatcher()
        self.catalog = make_catalog(
            *tasks, groups=(ResourceGroup("default", slots=slots), *groups), members=members
        )
        self.deploy(self.catalog)
        self.restart()

    def deploy(self, catalog: Catalog) -> int:
        self.catalog = catalog
        self.version_id, _ = catalogs.deploy(
            self.store, catalog, system_administrator(self.user), self.clock.now_ms()
        )
        return self.version_id

    def restart(self) -> None:
        """A new scheduler that knows nothing but the ledger."""
        self.graphs = GraphCache()
        specs = RunSpecs(self.directory, self.secrets.get, "python3")
        graphs = GraphCache()
        self.scheduler = Scheduler(
            self.scheduler_store,
            self.executor,
            self.clock,
            specs,
            graphs,
            auto=self.auto,
            stops_for_auto=self.stops_for_auto,
            offering=None if self.hosts is None else Offering(self.hosts, lambda _: self.dispatcher),
        )
        self.schedule = NightMaker(self.scheduler_store, graphs, self.clock, self.night_settings)
        self.schedule.repair()
        self.scheduler.start()

    def close(self) -> None:
        self.executor.close()
        self.scheduler_store.close()
        self.store.close()
        self.stores.close()

    def open_elsewhere(self) -> Any:
        """The store as another process or thread has it."""
        return self.stores.open(self.clock.boot)

    @property
    def known(self) -> Known:
        """What runs would find: the secrets of this world, and every program and driver."""
        return Known(
            lambda name: None if name in self.secrets else Lack("is not set", f"Set {name}."),
            lambda _: True,
            lambda _: None,
            "python3",
        )

    @property
    def actor(self) -> Actor:
        """Who acts: `user`, with the roles that the deployed members give."""
        with self.store.read() as reader:
            return self._actor(reader)

    def _actor(self, reader: Reader) -> Actor:
        found = find_actor(reader.people, self.catalog, self.user)
        assert found is not None, self.user
        return found

    def view(self, reader: Reader) -> View:
        """What the user sees of one moment of the ledger."""
        return View(reader, self.graphs, self._actor(reader), self.clock.now_ms())

    @property
    def center(self) -> OperationCenter:
        """What the user may ask and do."""
        from services.centers import center_of

        return center_of(self)

    def access(self, reader: Reader) -> Access:
        return Access(reader, self.graphs, self._actor(reader))

    # Backfills

    @property
    def backfills(self) -> BackfillSteering:
        return BackfillSteering(self.store, self.graphs, self.clock, self.actor)

    @property
    def creation(self) -> BackfillCreation:
        return BackfillCreation(self.store, self.graphs, self.clock)

    @property
    def later_starts(self) -> LaterStarts:
        """What a scheduler that has just begun goes on with."""
        return LaterStarts(self.store, self.graphs, self.clock, self.limits, known_of=lambda _: self.known)

    def plan(
        self, *roots: str, dates: str = "2026-01-05", selection: Selection | None = None, **policy: Any
    ) -> PlannedBackfill:
        names = tuple(f"w.{name}" for name in roots) or tuple(self.catalog.tasks)
        ranges = tuple(parse_range(text) for text in dates.split())
        request = Request(selection or ManualSelection(names), Policy(ranges=ranges, **policy))
        now_ms = self.clock.now_ms()
        with self.store.read() as reader:
            facts = gather_facts(reader, self.graphs, now_ms)
        rights = self.actor.rights(self.catalog)
        planned = make_plan(self.catalog, request, self.limits, instant_of(now_ms), facts, rights)
        with self.store.read() as reader:
            return with_ledger(planned, reader, self.graphs, rights)

    def create(self, *roots: str, dates: str = "2026-01-05", **more: Any) -> int:
        """A backfill of these tasks, or of all."""
        return self.creation.create(self.plan(*roots, dates=dates, **more), self.version_id, self.user)

    @property
    def operations(self) -> Operations:
        return Operations(self.store, self.graphs, self.clock, self.actor)

    @property
    def emergencies(self) -> Emergencies:
        return Emergencies(self.operations, self.catalog.resource_groups)

    def do(self, operation: str, *names: str, **more: Any) -> list[str | None]:
        """An operation on instances by name; errors as sentences, None where it was done."""
        results = getattr(self.operations, operation)([self.id(name) for name in names], **more)
        return [result.error.message if result.error else None for result in results]

    # Looking

    def rows(self, backfill_id: int | None = None) -> dict[str, InstanceRecord]:
        """Every instance by its written name; of the newest backfill where none is named."""
        with self.store.read() as reader:
            names = {i: name for name, i in reader.task_ids().items()}
            record = reader.backfills(limit=1)[0] if backfill_id is None else None
            wanted = record.id if record else backfill_id
            return {
                written(names[row.task_id], row): row
                for row in reader.instance_range(1, 1 << 40, InstanceFilter(backfill_id=wanted))
            }

    def auto_rows(self) -> dict[str, InstanceRecord]:
        """Every auto triggered instance by its written name."""
        with self.store.read() as reader:
            names = {i: name for name, i in reader.task_ids().items()}
            rows = [
                row for day in reader.generations.bizdates(-1) for row in reader.generations.instances(day)
            ]
            return {written(names[row.task_id], row): row for row in rows}

    def auto_states(self) -> dict[str, str]:
        return {
            name: f"{row.state} {row.reason}" if row.reason else row.state
            for name, row in self.auto_rows().items()
        }

    def id(self, name: str) -> int:
        """Of an instance of the newest backfill; with `auto` before it, of an auto triggered one."""
        kind, _, rest = name.partition(" ")
        return self.auto_rows()[rest].id if kind == "auto" else self.rows()[name].id

    def find(self, name: str) -> InstanceRecord:
        """An instance by its written name, with `auto` before it if it is auto triggered."""
        instance_id = self.id(name)
        with self.store.read() as reader:
            row = reader.find_instance(instance_id)
        assert row is not None
        return row

    def state(self, name: str) -> str:
        """`state` or `state reason`."""
        row = self.rows()[name]
        return f"{row.state} {row.reason}" if row.reason else row.state

    def states(self) -> dict[str, str]:
        return {name: row.state for name, row in self.rows().items()}

    def running(self) -> set[str]:
        return {name for name, row in self.rows().items() if row.state == "running"}

    def row(self, backfill_id: int) -> BackfillRow:
        Expecting(self.store, self.graphs, self.clock).look(has_moved=True)
        with self.store.read() as reader:
            record = reader.find_backfill(backfill_id)
            assert record is not None
            return BackfillReader(self.view(reader)).row(record)

    def status(self, backfill_id: int) -> str:
        return str(self.row(backfill_id)["status"])

    def why(self, name: str, has_scheduler: bool = True) -> Explained:
        """The explanation as `user` reads it in a terminal."""
        instance_id = self.id(name)
        with self.store.read() as reader:
            row = reader.find_instance(instance_id)
            assert row is not None
            explained = why(reader, self.graphs, row, self.clock.now_ms(), has_scheduler)
            found = shown_why(self.access(reader), row, explained)
        return Explained(found.code, told(found.text), found.blockers, found.cause)

    def drift(self) -> list[str]:
        """Counters that differ from the states, over all backfills and the schedule."""
        with self.store.read() as reader:
            return [
                sentence
                for record in reader.backfills(BackfillFilter(phase="active"))
                for sentence in drift(reader, self.graphs, record)
            ] + schedule_drift(reader, self.graphs)

    # Running

    def tick(self) -> TickReport:
        return self.scheduler.tick()

    def night(self, was_down: bool = False) -> list[str]:
        """Make the nights that are due, then tick; their bizdates."""
        made = self.schedule.make_due(was_down)
        self.scheduler.look_again()
        self.tick()
        return [str(bizdate) for bizdate in made]

    def end(self, *names: str, **how: Any) -> None:
        """Let runs end, then tick."""
        for name in names:
            self.executor.end(self.id(name), **how)
        self.tick()

    def finish(self, fails: Callable[[str], bool] = lambda _: False) -> list[set[str]]:
        """Tick and end all runs, wave by wave, until nothing starts; the waves that ran."""
        waves = []
        while True:
            self.tick()
            ids = sorted(self.executor.running)
            if not ids:
                return waves
            names = self.names_of(ids)
            waves.append(set(names.values()))
            for instance_id in ids:
                self.executor.end(instance_id, 1 if fails(names[instance_id]) else 0)

    def names_of(self, ids: Iterable[int]) -> dict[int, str]:
        """Names of instances, by id."""
        with self.store.read() as reader:
            tasks = {i: name for name, i in reader.task_ids().items()}
            return {row.id: written(tasks[row.task_id], row) for row in reader.instances(ids)}


MakeWorld = Callable[..., World]


def written(task: str, row: InstanceRecord) -> str:
    """`a 5 07:00`."""
    day = row.bizdate[-2:].lstrip("0")
    return f"{task.partition('.')[2]} {day} {timedelta(minutes=row.slot)!s:0>8}"[:-3]


def changes_of(**given: Any) -> Changes:
    """Changes as a person gives them: texts and switches by the names of inputs."""
    texts = {name: value if isinstance(value, bool) else str(value) for name, value in given.items()}
    return Changes(read_all(CHANGEABLE, texts, Around(None, "", str)))
