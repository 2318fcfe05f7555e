"""A world of two workspaces, and what every public method of the center is called with in it.

`open` is alice's, `vault` is greta's. The methods are found by reflection: a new one has no answer in the tests
until its arguments stand in the tables.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import retrofill.services.operation_center as rooms
from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Dependency, DependencyKind, ResourceGroup
from retrofill.domain.catalog.searches import TaskSearch
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import Alert, AlertMethod, AlertTrigger
from retrofill.domain.running.acts import Act
from retrofill.domain.running.places import Place
from retrofill.domain.running.searches import (
    BackfillSearch,
    DateInstanceSearch,
    DateSearch,
    InstanceSearch,
    Numbered,
    OperationSearch,
)
from retrofill.domain.selection.ways import ManualSelection
from retrofill.services.catalogs.freezing import freeze_tasks
from retrofill.services.operation_center import OperationCenter
from retrofill.services.operation_center.desk import Desk
from retrofill.services.ports.records import ErrandRecord, HostRecord, SavedFormRecord
from services.centers import WorldParts
from services.worlds import World

OPEN = ManualSelection(("open.first", "vault.goldmine", "open.last"))
DAY = date(2026, 1, 5)
ERRAND = "a" * 32  # of admin
EVERYTHING = Numbered(limit=-1)
EMAIL = Alert(AlertTrigger.EITHER, AlertMethod.EMAIL)


def make_world(home: Path) -> World:
    """Backfills 1: first, goldmine (which fails), last, which waits for it. 2: the vault's own.

    3: passage is a dry run. 4: of alice, not begun. 5: of first and slow, named after slow, both of which run.

    One night is made, and many are missed after it.
    """
    w = World(
        home,
        make_task("open.first", "0 1 * * *"),
        make_task(
            "vault.goldmine",
            "0 2 * * *",
            "open.first",
            parameters=(("karat", "24ct"),),
            tags=("shiny",),
            owner="greta",
            description="Where the ore is.",
            resource_group="deep",
            reads=("vault.ledger",),
            writes=("mart.bars",),
        ),
        make_task("vault.passage", "0 3 * * *", "open.first", resource_group="deep"),
        make_task("vault.slow", "0 3 * * *"),
        make_task(
            "open.last",
            "0 4 * * *",
            "open.first",
            "vault.passage",
            Dependency(DependencyKind.PREVIOUS, "vault.goldmine"),
            reads=("mart.bars",),
        ),
        groups=(ResourceGroup("deep", type="shared", slots=2, workspaces=("vault",)),),
        members={"open": {"alice": "administrator", "bruno": "visitor"}, "vault": {"greta": "administrator"}},
    )
    w.create(selection=OPEN, dates="2026-01-05..2026-01-06", groups=2, alert=EMAIL)
    w.finish(fails=lambda name: name.startswith("goldmine"))
    (mined,) = (row.id for name, row in w.rows(1).items() if name == "goldmine 5 02:00")
    w.operations.freeze([mined], "aurum is scarce")
    w.operations.unfreeze([mined], "aurum is found")
    w.create(selection=ManualSelection(("vault.goldmine",)))
    w.tick()  # it runs on
    w.create(selection=ManualSelection(("open.first", "open.last")))
    w.user = "alice"
    w.create(selection=ManualSelection(("open.first",)), dates="2026-02-01")
    w.user = "admin"
    w.create(selection=ManualSelection(("vault.slow", "open.first")), dates="2026-02-02")
    freeze_tasks(w.store, w.graphs.current, w.clock, w.actor, ["vault.slow"], True, "the ore is gone")
    w.tick()  # first and slow of it run
    request = json.dumps({"given": GIVEN[6], "comment": "aurum", "is_paused": False})
    with w.store.transaction() as tx:
        tx.errands.add(ErrandRecord(ERRAND, "create", "admin", request, 5))
        tx.saved_forms.put(SavedFormRecord(0, "admin", "new", None, '{"task": ["vault.goldmine"]}', 5))
        tx.hosting.note(HostRecord("etl1-4f0c9a1b", "etl1", "pull", '["default"]', 2, "0.1.0", "", 5))
    w.clock.move_to("2026-03-03T00:30")
    w.night()
    w.clock.move_to("2026-03-20T12:00")
    w.schedule.repair()
    return w


class Case:
    """One world with what of it stands in arguments."""

    def __init__(self, world: World, parts: WorldParts) -> None:
        self.world, self.parts = world, parts
        with world.store.read() as reader:
            names = {number: name for name, number in reader.task_ids().items()}
            rows = [row for i in range(1, 6) for row in reader.instance_range(*_span(reader, i))]
            self.tasks = {row.id: names[row.task_id] for row in rows}
        self.instances = sorted(self.tasks)
        self.seen = [number for number, task in self.tasks.items() if task.startswith("open.")]
        self.parts.logs.texts = {number: f"aurum {number}".encode() for number in self.instances}
        for number in self.seen:
            self.parts.logs.texts[number] = b"fine\n"

    @cached_property
    def previews(self) -> list[Any]:
        """Plans of alice's."""
        return [self.center("alice").backfills.plan(given) for given in GIVEN[:3]]

    def center(self, user: str) -> OperationCenter:
        self.world.user = user
        return OperationCenter(self.parts, self.world.actor)


def _span(reader: Any, backfill: int) -> tuple[int, int]:
    record = reader.find_backfill(backfill)
    dates = len(reader.dates(backfill))
    return record.first_instance_id, record.first_instance_id + record.stride * dates - 1


BACKFILLS = [(number,) for number in (1, 2, 3, 4, 5)]
GIVEN: list[dict[str, Any]] = [
    {"task": ["open.first"], "descendants": "all", "bizdate": ["2026-01-05"], "alert": "failure"},
    {"from": "open.first", "to": ["open.last"], "bizdate": ["2026-01-05"]},
    {"root": "open.first", "workspace": ["open"], "bizdate": ["2026-01-05"]},
    {"all_descendants": "open.first", "bizdate": ["2026-01-05"]},
    {"reuse": "1", "bizdate": ["2026-01-05"]},
    {"where": ["type=shell"], "bizdate": ["2026-01-05"]},
    {"task": ["vault.goldmine"], "bizdate": ["2026-01-05"]},
    {"task": ["vault.absent"], "bizdate": ["2026-01-05"]},
]
Arguments = list[tuple[Any, ...]]


def arguments(c: Case) -> dict[str, Arguments]:
    """What each method is called with; of instances all there are, also foreign ones."""
    each = [(number,) for number in c.instances]
    several = [(c.instances,)]
    tasks = [("open.first",), ("open.last",), ("vault.goldmine",), ("vault.absent",)]
    return {
        "dates.list": [
            (DateSearch(),),
            (DateSearch(workspace="open", bizdate="2026-01-05"),),
            (DateSearch(dates=[(1, 0), (2, 0)]),),
        ],
        "dates.show": [(number, 0) for (number,) in BACKFILLS],
        "dates.instances": [
            (DateInstanceSearch("2026-01-05"), EVERYTHING),
            (DateInstanceSearch("2026-01-05", "open"), EVERYTHING),
            (DateInstanceSearch("2026-01-05", "vault"), EVERYTHING),
            (DateInstanceSearch("2026-03-02"), EVERYTHING),
        ],
        "dates.instance": each,
        "dates.neighbours": [(number, below) for number in c.instances for below in (True, False)],
        "declared.list": [(), (TaskSearch(workspace="vault"),), (TaskSearch(owner="greta"),)],
        "declared.show": [(number,) for number in range(1, 7)],
        "declared.neighbours": [(number, below) for number in range(1, 7) for below in (True, False)],
        "errands.show": [(ERRAND,), ("nothing",)],
        "errands.unattended": [()],
        "backfills.list": [
            (),
            (BackfillSearch(name="v"),),
            *((BackfillSearch(text=text),) for text in ("v", "slow", "goldmine", "first", "2")),
            (BackfillSearch(task_type="shell"),),
            (BackfillSearch(status="failed"),),
            (BackfillSearch(creator="alice"),),
        ],
        "backfills.plan": [(given,) for given in GIVEN],
        "backfills.below": [(["open.first"],), (["vault.goldmine"],), (["open.first", "vault.absent"],)],
        "backfills.between": [("open.first", ["open.last"]), ("open.first", ["vault.goldmine"])],
        "backfills.ask_checks": [(preview,) for preview in c.previews],
        "backfills.alert_obstacles": [(preview,) for preview in c.previews],
        "backfills.row": BACKFILLS,
        "backfills.tag": BACKFILLS,
        "backfills.as_of": [(None,), (["x"],)],
        "instances.as_of": [(None,), (datetime(2026, 1, 1, tzinfo=UTC),)],
        "backfills.show": BACKFILLS,
        "backfills.analysis": BACKFILLS,
        "backfills.history": BACKFILLS,
        "backfills.alerts": BACKFILLS,
        "backfills.progress": BACKFILLS,
        "backfills.time_left": BACKFILLS,
        "backfills.trouble": BACKFILLS,
        "backfills.reasons": [(*call, ids) for call in BACKFILLS for ids in ((), tuple(range(1, 100)))],
        "backfills.preview_change": [(*call, Changes({"resource_group": "deep"})) for call in BACKFILLS],
        "backfills.effects": [
            (*call, act) for call in BACKFILLS for act in ("stop", "resume", "rerun", "freeze")
        ],
        "backfills.first_failures": BACKFILLS,
        "backfills.grid": BACKFILLS,
        "backfills.timeline": BACKFILLS,
        "backfills.forecast": BACKFILLS,
        "backfills.critical_path": BACKFILLS,
        "backfills.dag": BACKFILLS,
        "feed.backfill": [(*call, since) for call in BACKFILLS for since in (None, "x.1")],
        "feed.backfills": [(), ("x.1",)],
        "feed.eyes": [()],
        "groups.list": [()],
        "groups.show": [("default",), ("deep",)],
        "groups.use": [("default",), ("deep", 168)],
        "hosts.list": [(True,), ()],
        "hosts.show": [("etl1",), ("absent",)],
        "home.show": [()],
        "home.count": [()],
        "instances.list": [(), (InstanceSearch(backfills=(1,)),), (InstanceSearch(auto=True),)],
        "instances.each": [(), (InstanceSearch(states=("failed", "successful")),)],
        "instances.show": each,
        "instances.why": each,
        "instances.history": each,
        "instances.chain": each,
        "instances.code": each,
        "instances.over_dates": each,
        "instances.log": each,
        "instances.log_lines": each,
        "instances.find_in_log": [(number, "um") for number in c.instances],
        "instances.lineage": each,
        "instances.dag": [(number, 9, 9) for number in c.instances],
        "instances.states": several,
        "instances.unattended": [(), *several],
        "instances.foresee": [(act, c.instances) for act in Act]
        + [("rerun", c.instances, True), ("rerun-descendants", c.instances, False, True)],
        "instances.running_below": several,
        "names.tasks": [()],
        "names.workspaces": [()],
        "names.resource_groups": [()],
        "names.users": [()],
        "names.backfills": [(50,)],
        "operations.list": [
            (OperationSearch(),),
            (OperationSearch(backfill_id=1),),
            (OperationSearch(action="freeze-task"),),
            *((OperationSearch(instance_id=number),) for number in c.instances[:6]),
        ],
        "operations.of_task": [("open.first",), ("vault.slow",)],
        "people.users": [()],
        "people.contact": [("alice",), ("greta",), ("nobody",)],
        "people.tokens": [(), ("alice",), ("greta",)],
        "people.access_keys": [(), ("alice",), ("greta",)],
        "people.sessions": [(), ("alice",), ("greta",)],
        "people.me": [()],
        "saved.list": [("new",)],
        "saved.show": [(1,), (777,)],
        "schedule.show": [()],
        "schedule.nights": [()],
        "upkeep.doctor": [()],
        "tables.list": [(), ("mart",), ("vault.ledger",)],
        "tables.show": [("mart.bars", None, 9, 9), ("vault.ledger",), ("mart.nothing",)],
        "tasks.list": [
            (),
            ({"type": "shell"},),
            ({"workspace": "open"},),
            ({"owner": "greta"},),
            *((None, None, None, None, text) for text in ("shiny", "vault", "mart.bars", "3")),
            (None, None, None, None, None, True),
        ],
        "tasks.calendar": [
            (name, day) for (name,) in tasks for day in (None, date(2026, 1, 6), date(2026, 2, 2))
        ],
        "tasks.nights": [(["open.first", "vault.slow", "vault.absent"],)],
        "tasks.show": tasks,
        "tasks.upstream": [(name, 9) for (name,) in tasks],
        "tasks.downstream": [(name, 9) for (name,) in tasks],
        "tasks.lineage": tasks,
        "tasks.graph": [(), *tasks],
        "tasks.workspaces": [()],
        "tasks.render": [(name, DAY) for (name,) in tasks],
        "versions.about_to_publish": [()],
        "versions.list": [()],
        "versions.show": [(1,), (99,)],
        "versions.of_task": tasks,
        "versions.compare": [(name, 1, 1) for (name,) in tasks] + [("open.first", 1, 99)],
        "versions.task": [(1, name) for (name,) in tasks],
        "work.backfills_of": several,
        "work.scheduler": [()],
        "work.standstills": [()],
        "work.still_running": several,
        "work.unstarted": [([1, 2, 3, 4, 5],), ((), c.instances)],
        "versions.file": [(1, "vault/map.txt"), (1, "open/map.txt")],
    }


def acts(c: Case) -> dict[str, Arguments]:
    """Each of these changes something, or refuses to."""
    several = [(c.instances,), (c.seen,)]
    tasks = [(["open.last"],), (["vault.goldmine"],), (["vault.absent"],)]
    return {
        "backfills.create": [(c.previews[0],), (c.previews[0], "of another plan")],
        "backfills.create_once": [
            ("key", GIVEN[0]),
            ("key", GIVEN[0]),
            ("key", GIVEN[1]),
            ("other", GIVEN[6]),
        ],
        "backfills.pause": BACKFILLS,
        "backfills.resume": BACKFILLS,
        "backfills.stop": BACKFILLS,
        "backfills.change": [(number, _changes()) for (number,) in BACKFILLS],
        "backfills.rerun": BACKFILLS,
        "backfills.freeze": BACKFILLS,
        "backfills.unfreeze": BACKFILLS,
        "hosts.drain": [("etl1",), ("absent",)],
        "hosts.undrain": [("etl1",), ("absent",)],
        "hosts.forget": [("etl1",), ("absent",)],
        "errands.ask_for_backfill": [(given,) for given in GIVEN],
        "errands.ask_for_rerun": [([(number, 0)], {}) for (number,) in BACKFILLS],
        "errands.carry_out": [(ERRAND,)],
        "together.resume_backfills": [([1, 2, 3],), ([3, 4],)],
        "together.stop_backfills": [([1, 2, 3],), ([4, 3],)],
        "together.stop": several,
        "together.rerun": several,
        "together.set_successful": several,
        "together.freeze": several,
        "together.unfreeze": several,
        "together.remove_waits": [(c.instances, None)],
        "together.place": [({number: Place(5) for number in c.instances},)],
        "instances.stop": several,
        "instances.rerun": several,
        "instances.rerun_descendants": [*several, (c.seen, "", True, ("open.last",))],
        "instances.set_successful": several,
        "instances.freeze": several,
        "instances.unfreeze": several,
        "instances.remove_waits": [(c.instances, None)],
        "instances.set_priority": [(c.instances, 5)],
        "instances.set_resource_group": [(c.instances, "default"), (c.seen, "deep")],
        "people.add": [("newcomer",), ("greta",)],
        "people.set_administrator": [("greta", True), ("nobody", True)],
        "people.remove": [("greta",), ("nobody",)],
        "people.set_contact": [("alice", "alice@example.org"), ("greta", "g@example.org")],
        "people.create_token": [("alice",), ("greta",), ("nobody",)],
        "people.revoke_token": [(1,), (777,)],
        "people.create_access_key": [("alice",), ("greta",), ("nobody",)],
        "people.revoke_access_key": [("RF0",)],
        "people.create_link": [("alice",), ("greta",), ("nobody",)],
        "people.set_password": [("alice", "a long password"), ("greta", "a long password")],
        "people.remove_password": [("alice",), ("greta",), ("nobody",)],
        "people.end_session": [(1,), (777,)],
        "people.end_sessions": [("alice",), ("greta",)],
        "people.send_test": [("alice",), ("greta",), ("nobody",)],
        "saved.save": [("new", {"task": ["open.first"]}), ("new", {}, "mine"), ("new", {}, None, 777)],
        "saved.remove": [(1,), (777,)],
        "schedule.pause": [()],
        "schedule.resume": [()],
        "schedule.accept_clock": [()],
        "tasks.freeze": tasks,
        "tasks.unfreeze": tasks,
        "upkeep.remove_old": [(), (True,)],
        "upkeep.back_up": [(c.world.directory / "copy",)],
        "upkeep.check_store": [()],
        "upkeep.copy_store": [("postgresql://nowhere/copy",)],
        "upkeep.migrate_store": [()],
        "upkeep.restore": [(c.world.directory / "copy",)],
        "versions.deploy": [()],
        "versions.deploy_again": [(1,), (99,)],
    }


def _changes() -> Any:
    from retrofill.domain.planning.changes import Changes

    return Changes({"priority": 5})


def desks() -> dict[str, type]:
    """The class of each desk, by its noun."""
    modules = [
        importlib.import_module(f"{rooms.__name__}.{m.name}") for m in pkgutil.iter_modules(rooms.__path__)
    ]
    kinds = {
        name: kind for module in modules for name, kind in vars(module).items() if isinstance(kind, type)
    }
    made = {noun: one for noun, one in vars(OperationCenter).items() if isinstance(one, cached_property)}
    return {noun: kinds[one.func.__annotations__["return"]] for noun, one in made.items()}


def methods() -> list[str]:
    """Everything public of the center, as `noun.method`."""
    found = []
    for noun, kind in desks().items():
        public = {name for one in kind.__mro__ if one not in (Desk, object) for name in vars(one)}
        found += [f"{noun}.{name}" for name in sorted(public) if not name.startswith("_")]
    return found
