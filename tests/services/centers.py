"""An operation center on a world: as its user asks and does, with logs in memory and a scheduler that seems to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.domain.people.server_keys import BYTES, ServerKey
from retrofill.lineage import SqlLineage
from retrofill.services.catalogs.lineage import Lineages
from retrofill.services.instances.run_specs import RunSpecs
from retrofill.services.operation_center import OperationCenter
from retrofill.services.ports.health import Found
from retrofill.services.ports.hosts import Host
from retrofill.services.ports.leadership import Leader
from retrofill.services.ports.logs import LogPart, NoLogError
from retrofill.services.reading.log_index import LineIndexes
from services.fakes import FakeNotifier, FakePasswords, FakePoster

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.running.startable import Known
    from retrofill.services.backfills.requests import PlanLimits
    from retrofill.services.ports import Check, Clock, RunRef, Store
    from retrofill.services.ports.watching import Standstill
    from retrofill.services.running.nights import NightMaker
    from services.worlds import World


@dataclass(frozen=True)
class WorldCatalog:
    """What is deployed."""

    catalog: Catalog
    version_id: int | None
    contents: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class MemoryLogs:
    """Logs by instance, whatever the run."""

    texts: dict[int, bytes] = field(default_factory=dict)

    def read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        if ref.instance_id not in self.texts:
            raise NoLogError(f"run {ref.run_number} of instance {ref.instance_id} has no log")
        text = self.texts[ref.instance_id]
        return LogPart(min(offset, len(text)), text[offset : offset + limit], 0, len(text))

    def read_tail(self, ref: RunRef, limit: int) -> LogPart:
        return self.read(ref, max(0, len(self.texts.get(ref.instance_id, b"")) - limit), limit)

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        return ()


@dataclass
class FakeWatch:
    """As if a scheduler ran, or none."""

    is_running: bool = True
    still: tuple[Standstill, ...] = ()
    living: frozenset[str] = frozenset()
    host: str | None = None
    left: dict[str, int] = field(default_factory=dict)  # by name of a host, until its runs are lost
    lost_after_ms: int = 120_000

    def leader(self) -> Leader | None:
        return Leader("here", 7, None, True) if self.is_running else None

    def starts(self, *, auto: bool = False) -> bool:
        return self.is_running

    def standstills(self) -> tuple[Standstill, ...]:
        return self.still

    def living_runs(self) -> frozenset[str]:
        return self.living

    def hosts(self) -> list[Host]:
        return [Host(name, left_ms) for name, left_ms in self.left.items()]


class FakePremises:
    """A machine on which all is well."""

    def disk(self) -> Iterator[Found]:
        yield Found("disk", True, "there is room")

    def machines(self) -> Iterator[Found]:
        yield from ()

    def runner(self) -> Iterator[Found]:
        yield Found("runner", True, "works")

    def secrets(self) -> Iterator[Found]:
        yield Found("secrets", True, "are to be had")

    def webhooks(self) -> Iterator[Found]:
        yield from ()

    def files(self) -> Iterator[Found]:
        yield Found("logs", True, "somewhere on this disk")


class WorldParts:
    """What a center works with."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.graphs = world.graphs
        self.watch = FakeWatch()
        self.logs = MemoryLogs()
        self.line_indexes = LineIndexes()
        self.premises = FakePremises()

    @property
    def store(self) -> Store:
        return self._world.store

    has_store = True

    @property
    def clock(self) -> Clock:
        return self._world.clock

    @property
    def deployed(self) -> WorldCatalog:
        return WorldCatalog(self._world.catalog, self._world.version_id)

    @property
    def folder(self) -> WorldCatalog:
        return self.deployed

    @property
    def in_force(self) -> Catalog:
        return self._world.catalog

    @cached_property
    def specs(self) -> RunSpecs:
        return RunSpecs(self._world.directory, self._world.secrets.get, "")

    def specs_with_names(self) -> RunSpecs:
        return RunSpecs(self._world.directory, lambda name: f"${{secret:{name}}}", "")

    def schedule(self) -> NightMaker:
        return self._world.schedule

    @property
    def directory(self) -> Path:
        return self._world.directory

    interpreter = "python3"
    working_folders: Mapping[str, str] = MappingProxyType({})
    passwords = FakePasswords()
    server_key = ServerKey(bytes(BYTES))
    public_origin = "https://retrofill.example.org"
    owns_folder = False

    def note_deployed(self, catalog: Catalog, version_id: int, is_folder: bool) -> None:
        """What is deployed is looked up anew."""

    def notifier(self) -> FakeNotifier:
        return FakeNotifier()

    def poster(self) -> FakePoster:
        return FakePoster()

    @property
    def webhooks(self) -> tuple[str, ...]:
        return ()

    retention_days = 30

    def lineages(self, catalog: Catalog) -> Lineages:
        return Lineages(catalog, SqlLineage(catalog.connections), self._world.actor.sees)

    @property
    def limits(self) -> PlanLimits:
        return self._world.limits

    def known_of(self, catalog: Catalog) -> Known:
        return self._world.known

    def checks_of(self, catalog: Catalog) -> list[Check]:
        return []


def center_of(world: World, parts: WorldParts | None = None) -> OperationCenter:
    """In the name of the world's user."""
    return OperationCenter(parts or WorldParts(world), world.actor)
