"""SEC-2: every public method of the center, called by a member of one workspace, tells nothing of another one.

`open` is alice's, `vault` is greta's. The methods are found by reflection: a new one fails here until its
arguments stand in the table. `vault.passage` may be named, where it is a dry run in a backfill that alice sees
(SEL-6); nothing else of the vault may.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

import retrofill.services.operation_center as rooms
from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Dependency, DependencyKind, ResourceGroup
from retrofill.domain.errors import RetrofillError
from retrofill.domain.running.searches import BackfillSearch, InstanceSearch, OperationSearch
from retrofill.domain.selection.ways import ManualSelection
from retrofill.services.catalogs.freezing import freeze_tasks
from retrofill.services.operation_center import OperationCenter
from retrofill.services.operation_center.backfill_plans import Preview
from retrofill.services.operation_center.desk import Desk
from retrofill.services.reading.logs import OpenLog
from services.centers import FakeWatch, WorldParts
from services.worlds import World

HIDDEN = re.compile(
    r"vault(?!\.passage)|goldmine|aurum|karat|24ct|shiny|greta|the ore|vault\.slow|\bslow\b", re.IGNORECASE
)
OPEN = ManualSelection(("open.first", "vault.goldmine", "open.last"))
DAY = date(2026, 1, 5)


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
    w.create(selection=OPEN, dates="2026-01-05..2026-01-06", groups=2)
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
    freeze_tasks(w.store, w.catalog, w.clock, w.actor, ["vault.slow"], True, "the ore is gone")
    w.tick()  # first and slow of it run
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

    def center(self, user: str) -> OperationCenter:
        self.world.user = user
        return OperationCenter(self.parts, self.world.actor)


def _span(reader: Any, backfill: int) -> tuple[int, int]:
    record = reader.find_backfill(backfill)
    dates = len(reader.dates(backfill))
    return record.first_instance_id, record.first_instance_id + record.stride * dates - 1


BACKFILLS = [(number,) for number in (1, 2, 3, 4, 5)]
Arguments = list[tuple[Any, ...]]


def arguments(c: Case) -> dict[str, Arguments]:
    """What each method is called with; of instances all there are, also foreign ones."""
    each = [(number,) for number in c.instances]
    several = [(c.instances,)]
    tasks = [("open.first",), ("open.last",), ("vault.goldmine",), ("vault.absent",)]
    return {
        "backfills.list": [
            (),
            (BackfillSearch(name="v"),),
            (BackfillSearch(task_type="shell"),),
            (BackfillSearch(status="failed"),),
            (BackfillSearch(creator="alice"),),
        ],
        "backfills.row": BACKFILLS,
        "backfills.show": BACKFILLS,
        "backfills.analysis": BACKFILLS,
        "backfills.history": BACKFILLS,
        "backfills.alerts": BACKFILLS,
        "backfills.plan": [(given,) for given in _requests()],
        "backfills.ask_checks": [(_alices(c),)],
        "backfills.alert_obstacles": [(_alices(c),)],
        "backfills.progress": BACKFILLS,
        "backfills.time_left": BACKFILLS,
        "backfills.first_failures": BACKFILLS,
        "groups.list": [()],
        "groups.show": [("default",), ("deep",)],
        "instances.list": [(), (InstanceSearch(backfills=(1,)),), (InstanceSearch(auto=True),)],
        "instances.each": [(), (InstanceSearch(states=("failed", "successful")),)],
        "instances.show": each,
        "instances.why": each,
        "instances.history": each,
        "instances.log": each,
        "instances.lineage": each,
        "instances.dag": [(number, 9, 9) for number in c.instances],
        "instances.states": several,
        "instances.unattended": [(), *several],
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
        "schedule.show": [()],
        "schedule.nights": [()],
        "tasks.list": [(), ({"type": "shell"},), ({"workspace": "open"},)],
        "tasks.show": tasks,
        "tasks.graph": [(), *tasks],
        "tasks.workspaces": [()],
        "tasks.render": [(name, DAY) for (name,) in tasks],
        "versions.about_to_publish": [()],
        "versions.list": [()],
        "versions.show": [(1,), (99,)],
        "versions.task": [(1, name) for (name,) in tasks],
        "work.backfills_of": several,
        "work.has_scheduler": [(), (True,)],
        "work.is_unstarted": BACKFILLS,
        "work.missed_nights": [()],
        "work.standstills": [()],
        "work.still_running": several,
        "work.unstarted": several,
        "versions.file": [(1, "vault/map.txt"), (1, "open/map.txt")],
    }


def acts(c: Case) -> dict[str, Arguments]:
    """Each of these changes something, or refuses to."""
    several = [(c.instances,), (c.seen,)]
    tasks = [(["open.last"],), (["vault.goldmine"],), (["vault.absent"],)]
    return {
        "backfills.create": [(_alices(c),)],
        "backfills.pause": BACKFILLS,
        "backfills.resume": BACKFILLS,
        "backfills.stop": BACKFILLS,
        "backfills.change": [(number, _changes()) for (number,) in BACKFILLS],
        "backfills.rerun": BACKFILLS,
        "backfills.freeze": BACKFILLS,
        "backfills.unfreeze": BACKFILLS,
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
        "people.set_contact": [("alice", "alice@example.org"), ("greta", "g@example.org")],
        "people.create_token": [("alice",), ("greta",), ("nobody",)],
        "people.revoke_token": [(1,), (777,)],
        "people.send_test": [("alice",), ("greta",), ("nobody",)],
        "schedule.pause": [()],
        "schedule.resume": [()],
        "schedule.accept_clock": [()],
        "tasks.freeze": tasks,
        "tasks.unfreeze": tasks,
        "upkeep.remove_old": [(), (True,)],
        "upkeep.back_up": [(c.world.directory / "copy",)],
        "upkeep.restore": [(c.world.directory / "copy",)],
        "versions.deploy": [()],
        "versions.deploy_again": [(1,), (99,)],
    }


def _requests() -> list[dict[str, Any]]:
    day = {"bizdate": ["2026-01-05"]}
    return [
        {"task": ("open.first",), "descendants": "all", **day},
        {"from": "open.first", "to": ("open.last",), **day},
        {"root": "open.first", "workspace": ("open",), **day},
        {"all_descendants": "open.first", **day},
        *({"reuse": str(number), **day} for (number,) in BACKFILLS),
    ]


def _alices(c: Case) -> Preview:
    """A plan in which foreign tasks lie between hers."""
    return c.center("alice").backfills.plan(_requests()[0] | {"alert": "either"})


def _changes() -> Any:
    from retrofill.domain.planning.changes import Changes

    return Changes({"priority": 5})


def methods() -> list[str]:
    """Everything public of the center, as `noun.method`."""
    modules = [
        importlib.import_module(f"{rooms.__name__}.{m.name}") for m in pkgutil.iter_modules(rooms.__path__)
    ]
    desks = {
        name: kind for module in modules for name, kind in vars(module).items() if isinstance(kind, type)
    }
    found = []
    for noun, made in vars(OperationCenter).items():
        if isinstance(made, cached_property):
            kind = desks[made.func.__annotations__["return"]]
            public = {name for one in kind.__mro__ if one not in (Desk, object) for name in vars(one)}
            found += [f"{noun}.{name}" for name in sorted(public) if not name.startswith("_")]
    return found


METHODS = methods()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """For questions, which change nothing."""
    yield from _case(tmp_path_factory.mktemp("asked"))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """For acts, one after the other."""
    yield from _case(tmp_path_factory.mktemp("done"))


def _case(home: Path) -> Iterator[Case]:
    world = make_world(home)
    parts = WorldParts(world)
    parts.watch = FakeWatch(is_running=False)
    yield Case(world, parts)
    world.close()


def told(value: Any) -> str:
    """All words of an answer, whatever it is made of."""
    if isinstance(value, OpenLog):
        return " ".join(str(piece) for pieces in (value.pieces(), value.rest()) for piece in pieces)
    if isinstance(value, Preview):
        return f"{told(value.document)} {told(value.instances())} {told(value.notes)}"
    if isinstance(value, RetrofillError):
        return f"{value.code} {value.message} {value.hint}"
    if isinstance(value, Mapping):
        return " ".join(f"{told(key)} {told(item)}" for key, item in value.items())
    if is_dataclass(value):
        return " ".join(told(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, (list, tuple, set, frozenset, Iterator)):
        return " ".join(map(told, value))
    return str(value)


def answers(center: OperationCenter, method: str, calls: Arguments) -> str:
    """All that is said by these calls; a refusal is an answer, too, and may repeat what was asked."""
    noun, _, name = method.partition(".")
    said = []
    for call in calls:
        try:
            answer = told(getattr(getattr(center, noun), name)(*call))
        except RetrofillError as error:
            answer = told(error)
            for word in _words(call):
                answer = answer.replace(f'"{word}"', "what was asked").replace(f" {word}", " what was asked")
        said.append(answer)
    return "\n".join(said)


def _words(call: tuple[Any, ...]) -> Iterator[str]:
    for one in call:
        yield from (
            [one]
            if isinstance(one, str)
            else filter(lambda x: isinstance(x, str), one)
            if isinstance(one, list)
            else []
        )


@pytest.mark.parametrize("method", METHODS)
def test_no_answer_names_what_is_foreign(case: Case, changed: Case, method: str) -> None:
    """SEC-2, and SEL-6 for the one name that may be told."""
    questions = arguments(case)
    c, calls = (case, questions[method]) if method in questions else (changed, acts(changed)[method])
    said = answers(c.center("alice"), method, calls)
    assert not HIDDEN.search(said), said[max(0, HIDDEN.search(said).start() - 200) :][:400]


NAMING = {
    "backfills.list": "vault.slow",
    "backfills.show": "vault.goldmine",
    "backfills.analysis": "vault.goldmine",
    "backfills.history": "aurum is scarce",
    "backfills.progress": "goldmine",
    "backfills.time_left": "vault.goldmine",
    "backfills.first_failures": "aurum",
    "groups.show": "vault.goldmine",
    "instances.list": "vault.goldmine",
    "instances.why": "vault.goldmine",
    "instances.history": "aurum is scarce",
    "instances.log": "aurum",
    "instances.dag": "vault.goldmine",
    "instances.lineage": "vault.goldmine",
    "names.tasks": "the ore",
    "names.users": "greta",
    "operations.list": "the ore is gone",
    "schedule.show": "vault.goldmine",
    "work.missed_nights": "vault.goldmine",
    "tasks.list": "greta",
    "tasks.show": "24ct",
    "tasks.graph": "vault.goldmine",
    "tasks.workspaces": "greta",
    "tasks.render": "karat",
    "versions.show": "vault.goldmine",
    "versions.task": "24ct",
}


@pytest.mark.parametrize("method", NAMING)
def test_the_same_questions_tell_it_to_others(case: Case, method: str) -> None:
    """So that the test above cannot pass because nothing was there to be told."""
    assert NAMING[method] in answers(case.center("admin"), method, arguments(case)[method])


@pytest.mark.parametrize("method", [m for m in METHODS if m.startswith(("instances.", "backfills."))])
def test_a_foreign_id_is_answered_like_none(case: Case, changed: Case, method: str) -> None:
    """SEC-2: word by word."""
    questions = arguments(case)
    is_question = method in questions
    c, (call, *_) = (case, questions[method]) if is_question else (changed, acts(changed)[method])
    if not call or not isinstance(call[0], (int, list)):
        return
    foreign, absent = (2, 777_777)
    if method.startswith("instances."):
        foreign = next(number for number, task in c.tasks.items() if task == "vault.goldmine")
    ask = {
        number: [([number], *call[1:]) if isinstance(call[0], list) else (number, *call[1:])]
        for number in (foreign, absent)
    }
    center = c.center("alice")
    first, second = (answers(center, method, ask[number]) for number in (foreign, absent))
    assert first.replace(str(foreign), "N") == second.replace(str(absent), "N")


def test_every_method_has_an_answer_here(case: Case, changed: Case) -> None:
    """A method that goes leaves nothing behind in the tables."""
    assert sorted([*arguments(case), *acts(changed)]) == sorted(METHODS)
    assert json.dumps(METHODS), "there are some"
