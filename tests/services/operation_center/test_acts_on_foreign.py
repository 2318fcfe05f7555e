"""SEC-2, SEC-4: whatever a member of one workspace does to what is another's, nothing changes and nothing is named.

`open` is alice's, `vault` is greta's. Every act of the operation center has a row in `CALLS`: a new one fails
until it has.
"""

from __future__ import annotations

import inspect
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.errors import RetrofillError
from retrofill.domain.people.scopes import Way
from retrofill.domain.planning.changes import Changes
from retrofill.domain.running.places import Place
from retrofill.services.operation_center import OperationCenter
from retrofill.services.operation_center.backfill_acts import BackfillActs
from retrofill.services.operation_center.backfill_plans import BackfillPlans
from retrofill.services.operation_center.errands import ErrandActs
from retrofill.services.operation_center.instance_acts import InstanceActs
from retrofill.services.operation_center.people import PeopleDesk
from retrofill.services.operation_center.previews import Preview
from retrofill.services.operation_center.saved import SavedActs
from retrofill.services.operation_center.schedule_acts import ScheduleActs
from retrofill.services.operation_center.task_acts import TaskActs
from retrofill.services.operation_center.together import TogetherActs
from retrofill.services.operation_center.upkeep import UpkeepDesk
from retrofill.services.operation_center.version_acts import VersionActs
from retrofill.services.ports.records import SessionRecord
from services.centers import center_of
from services.worlds import World

GOLDMINE = make_task(
    "vault.goldmine",
    "0 2 * * *",
    "open.first",
    parameters=(("karat", "24ct"),),
    owner="greta",
    resource_group="deep",
)
HIDDEN = re.compile(r"vault|goldmine|aurum|karat|24ct|greta|\bdeep\b", re.IGNORECASE)
DAY = ["2026-01-05"]


class Case:
    """Alice's operation center, and what is another's: backfill 1 is the vault's, 2 holds tasks of both."""

    def __init__(self, home: Path) -> None:
        members = {"open": {"alice": "administrator"}, "vault": {"greta": "administrator"}}
        deep = ResourceGroup("deep", type="shared", slots=2, workspaces=("vault",))
        tasks = (make_task("open.first", "0 1 * * *"), GOLDMINE)
        self.world = w = World(home, *tasks, groups=(deep,), members=members)
        admin = center_of(w)
        self.foreign_preview: Preview = admin.backfills.plan({"task": ("vault.goldmine",), "bizdate": DAY})
        both = admin.backfills.plan({"task": ("open.first", "vault.goldmine"), "bizdate": ["2026-01-06"]})
        self.of_the_vault = admin.backfills.create(self.foreign_preview)
        self.mixed = admin.backfills.create(both)
        admin.people.add("greta", "greta@vault.example")
        self.errand = admin.errands.ask_for_backfill({"task": ("vault.goldmine",), "bizdate": DAY})
        self.token = admin.people.create_token("greta", "for the vault")["id"]
        self.access_key = admin.people.create_access_key("greta", "for the vault")["id"]
        self.world.user = "greta"
        self.saved = center_of(w).saved.save("new", {"task": ["vault.goldmine"]}, "goldmine")["id"]
        self.world.user = "admin"
        admin.people.set_password("greta", "greta's long password")
        with w.store.transaction() as tx:
            visit = SessionRecord(0, "greta", Way.LINK, "192.0.2.1", "greta's browser", 1, 1, 1 << 50, None)
            self.session = tx.signing_in.add_session("hash", visit)
        w.deploy(replace(w.catalog, tasks={**w.catalog.tasks, "vault.goldmine": replace(GOLDMINE, owner="")}))
        w.schedule.make_owed()
        with w.store.read() as reader:
            goldmine = reader.task_ids()["vault.goldmine"]
            self.instances = [row.id for row in reader.instance_range(1, 1 << 40) if row.task_id == goldmine]
        w.user = "alice"

    @property
    def directory(self) -> Path:
        return self.world.directory

    @property
    def alice(self) -> OperationCenter:
        return center_of(self.world)

    def dump(self) -> list[str]:
        """Everything that the store holds."""
        path = self.directory / ".retrofill" / "retrofill.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return list(store.iterdump())


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    found = Case(tmp_path_factory.mktemp("two"))
    yield found
    found.world.close()


Call = Callable[[Case], Any]
_UPSTREAM: list[int] = [1]

CALLS: dict[str, list[Call]] = {
    "backfills.pause": [
        lambda c: c.alice.backfills.pause(c.of_the_vault),
        lambda c: c.alice.backfills.pause(c.mixed),
    ],
    "backfills.resume": [
        lambda c: c.alice.backfills.resume(c.of_the_vault),
        lambda c: c.alice.backfills.resume(c.mixed),
    ],
    "backfills.stop": [
        lambda c: c.alice.backfills.stop(c.of_the_vault),
        lambda c: c.alice.backfills.stop(c.mixed),
    ],
    "backfills.change": [
        lambda c: c.alice.backfills.change(c.of_the_vault, Changes({"groups": 2})),
        lambda c: c.alice.backfills.change(c.mixed, Changes({"resource_group": "default"})),
    ],
    "backfills.rerun": [
        lambda c: c.alice.backfills.rerun(c.of_the_vault),
        lambda c: c.alice.backfills.rerun(c.mixed),
    ],
    "backfills.freeze": [lambda c: c.alice.backfills.freeze(c.of_the_vault)],
    "backfills.unfreeze": [
        lambda c: c.alice.backfills.unfreeze(c.of_the_vault),
        lambda c: c.alice.backfills.unfreeze(c.mixed),
    ],
    "backfills.plan": [
        lambda c: c.alice.backfills.plan({"task": ("vault.goldmine",), "bizdate": DAY}),
        lambda c: c.alice.backfills.plan({"reuse": str(c.of_the_vault), "bizdate": DAY}),
        lambda c: c.alice.backfills.plan({"reuse": str(c.mixed), "bizdate": DAY}),
        lambda c: c.alice.backfills.plan({"where": ("owner=greta",), "bizdate": DAY}),
        lambda c: c.alice.backfills.plan(
            {"task": ("open.first",), "bizdate": DAY, "set": ("vault.goldmine.karat=9",)}
        ),
        lambda c: _told(
            c.alice.backfills.plan({"task": ("open.first",), "descendants": "all", "bizdate": DAY})
        ),
        lambda c: _told(c.alice.backfills.plan({"all_descendants": "open.first", "bizdate": DAY})),
    ],
    "backfills.create": [lambda c: c.alice.backfills.create(c.foreign_preview)],
    "backfills.ask_checks": [
        lambda c: c.alice.backfills.ask_checks(
            c.alice.backfills.plan({"task": ("open.first",), "bizdate": DAY})
        )
    ],
    "backfills.alert_obstacles": [
        lambda c: c.alice.backfills.alert_obstacles(
            c.alice.backfills.plan({"task": ("open.first",), "bizdate": DAY, "alert": "either"})
        )
    ],
    "instances.stop": [lambda c: c.alice.instances.stop(c.instances)],
    "instances.rerun": [
        lambda c: c.alice.instances.rerun(c.instances),
        lambda c: c.alice.instances.rerun(c.instances, ignore_dependencies=True, latest=True),
    ],
    "instances.rerun_descendants": [
        lambda c: c.alice.instances.rerun_descendants(c.instances, with_self=True),
        lambda c: c.alice.instances.rerun_descendants(c.instances, tasks=("vault.goldmine",)),
    ],
    "instances.running_below": [lambda c: c.alice.instances.running_below(c.instances, with_self=True)],
    "instances.set_successful": [lambda c: c.alice.instances.set_successful(c.instances)],
    "instances.freeze": [lambda c: c.alice.instances.freeze(c.instances)],
    "instances.unfreeze": [lambda c: c.alice.instances.unfreeze(c.instances)],
    "instances.remove_waits": [
        lambda c: c.alice.instances.remove_waits(c.instances, None),
        lambda c: c.alice.instances.remove_waits(c.instances, _UPSTREAM),
    ],
    "instances.set_priority": [lambda c: c.alice.instances.set_priority(c.instances, 8)],
    "instances.set_resource_group": [
        lambda c: c.alice.instances.set_resource_group(c.instances, "default"),
    ],
    "together.resume_backfills": [lambda c: c.alice.together.resume_backfills([c.of_the_vault])],
    "together.stop_backfills": [
        lambda c: c.alice.together.stop_backfills([c.of_the_vault]),
        lambda c: c.alice.together.stop_backfills([c.mixed]),
    ],
    "together.stop": [lambda c: c.alice.together.stop(c.instances)],
    "together.rerun": [
        lambda c: c.alice.together.rerun(c.instances),
        lambda c: c.alice.together.rerun(c.instances, latest=True),
    ],
    "together.set_successful": [lambda c: c.alice.together.set_successful(c.instances)],
    "together.freeze": [lambda c: c.alice.together.freeze(c.instances)],
    "together.unfreeze": [lambda c: c.alice.together.unfreeze(c.instances)],
    "together.remove_waits": [lambda c: c.alice.together.remove_waits(c.instances, None)],
    "together.place": [
        lambda c: c.alice.together.place(dict.fromkeys(c.instances, Place(8, "default"))),
    ],
    "errands.ask_for_backfill": [
        lambda c: c.alice.errands.ask_for_backfill({"task": ("vault.goldmine",), "bizdate": DAY}),
    ],
    "errands.ask_for_rerun": [lambda c: c.alice.errands.ask_for_rerun([(c.of_the_vault, 0)], {})],
    "errands.carry_out": [lambda c: c.alice.errands.carry_out(c.errand)],
    "people.users": [lambda c: c.alice.people.users()],
    "people.add": [lambda c: c.alice.people.add("mallory")],
    "people.set_administrator": [lambda c: c.alice.people.set_administrator("alice", True)],
    "people.remove": [lambda c: c.alice.people.remove("greta")],
    "people.contact": [lambda c: c.alice.people.contact("greta")],
    "people.set_contact": [lambda c: c.alice.people.set_contact("greta", email="mallory@open.example")],
    "people.create_token": [lambda c: c.alice.people.create_token("greta")],
    "people.tokens": [lambda c: c.alice.people.tokens(), lambda c: c.alice.people.tokens("greta")],
    "people.revoke_token": [lambda c: c.alice.people.revoke_token(c.token)],
    "people.me": [lambda c: c.alice.people.me()],
    "people.create_access_key": [lambda c: c.alice.people.create_access_key("greta")],
    "people.access_keys": [
        lambda c: c.alice.people.access_keys(),
        lambda c: c.alice.people.access_keys("greta"),
    ],
    "people.revoke_access_key": [lambda c: c.alice.people.revoke_access_key(c.access_key)],
    "people.create_link": [lambda c: c.alice.people.create_link("greta")],
    "people.set_password": [lambda c: c.alice.people.set_password("greta", "alice's idea of it")],
    "people.remove_password": [lambda c: c.alice.people.remove_password("greta")],
    "people.sessions": [lambda c: c.alice.people.sessions(), lambda c: c.alice.people.sessions("greta")],
    "people.end_session": [lambda c: c.alice.people.end_session(c.session)],
    "people.end_sessions": [lambda c: c.alice.people.end_sessions("greta")],
    "people.send_test": [lambda c: c.alice.people.send_test("greta")],
    "saved.save": [lambda c: c.alice.saved.save("new", {"task": ["open.first"]}, form_id=c.saved)],
    "saved.remove": [lambda c: c.alice.saved.remove(c.saved)],
    "schedule.pause": [lambda c: c.alice.schedule.pause()],
    "schedule.resume": [lambda c: c.alice.schedule.resume()],
    "schedule.accept_clock": [lambda c: c.alice.schedule.accept_clock()],
    "tasks.freeze": [lambda c: c.alice.tasks.freeze(["vault.goldmine"])],
    "tasks.unfreeze": [lambda c: c.alice.tasks.unfreeze(["goldmine"])],
    "upkeep.remove_old": [lambda c: c.alice.upkeep.remove_old()],
    "upkeep.back_up": [lambda c: c.alice.upkeep.back_up(c.directory / "copy.zip")],
    "upkeep.check_store": [lambda c: c.alice.upkeep.check_store()],
    "upkeep.copy_store": [lambda c: c.alice.upkeep.copy_store("postgresql://nowhere/copy")],
    "upkeep.doctor": [lambda c: c.alice.upkeep.doctor()],
    "upkeep.migrate_store": [lambda c: c.alice.upkeep.migrate_store()],
    "upkeep.restore": [lambda c: c.alice.upkeep.restore(c.directory / "copy.zip", force=True)],
    "versions.about_to_publish": [lambda c: c.alice.versions.about_to_publish()],
    "versions.deploy": [lambda c: c.alice.versions.deploy()],
    "versions.deploy_again": [lambda c: c.alice.versions.deploy_again(1)],
}
DESKS = {
    "errands": (ErrandActs,),
    "together": (TogetherActs,),
    "backfills": (BackfillActs, BackfillPlans),
    "instances": (InstanceActs,),
    "people": (PeopleDesk,),
    "saved": (SavedActs,),
    "schedule": (ScheduleActs,),
    "tasks": (TaskActs,),
    "upkeep": (UpkeepDesk,),
    "versions": (VersionActs,),
}
TYPED = re.compile(r"\bvault\.goldmine\b|\bgoldmine\b|owner=greta|\bgreta\b|\bdeep\b")


def _told(preview: Preview) -> tuple[Any, list[Any]]:
    return preview.document, list(preview.instances())


def test_every_act_stands_in_the_table() -> None:
    """SEC-4: one that is not called here is not known to ask who calls it."""
    acts = {
        f"{noun}.{name}"
        for noun, classes in DESKS.items()
        for one in classes
        for name, found in inspect.getmembers(one, inspect.isfunction)
        if not name.startswith("_") and name not in ("view", "view_if_deployed", "as_of")
    }
    assert acts == CALLS.keys()


@pytest.mark.parametrize(
    ("act", "number"), [(act, n) for act, calls in CALLS.items() for n in range(len(calls))]
)
def test_nothing_changes_and_nothing_is_named(case: Case, act: str, number: int) -> None:
    """SEC-2, SEC-4: what alice typed herself may be repeated to her where it is said that there is no such thing."""
    before = case.dump()
    try:
        answer = CALLS[act][number](case)
        said = _words(answer)
    except RetrofillError as error:
        said = f"{error.message} {error.hint}"
        if error.code == "unknown" or act in ("backfills.plan",):
            said = TYPED.sub("", said)
    assert case.dump() == before
    assert not HIDDEN.search(said), said
    assert not (case.directory / "copy.zip").exists()


def _words(answer: Any) -> str:
    """An answer with everything that is in it, errors of items too."""
    items = answer if isinstance(answer, list | tuple) else [answer]
    errors = [getattr(item, "error", None) for item in items]
    return " ".join([repr(answer), *(f"{e.message} {e.hint}" for e in errors if e is not None)])
