"""Hosts: which are heard of, what runs where, what people ask of one (RUN-3, SEC-2, SEC-4)."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.cli.steps import told
from retrofill.domain.catalog.definitions import Rerun, ResourceGroup
from retrofill.domain.errors import NotPermittedError, UnknownNameError, WrongStateError
from retrofill.domain.running.searches import OperationSearch
from retrofill.services.operation_center.host_acts import SeveralHostsError
from services.fleets import Fleet
from services.worlds import MakeWorld, World

TASKS = (
    make_task("w.a", "0 1 * * *", resource_group="etl"),
    make_task("w.b", "0 2 * * *", resource_group="etl", rerun=Rerun(on_lost=True)),
    make_task("v.x", "0 3 * * *", resource_group="etl"),
    make_task("w.here", "0 4 * * *"),
)
ETL = ResourceGroup("etl", slots=8, executor="pull")
MEMBERS = {"w": {"alice": "operator"}, "v": {"greta": "visitor"}}
A, B, X = "a 5 01:00", "b 5 02:00", "x 5 03:00"


@pytest.fixture
def w(world: MakeWorld) -> World:
    """An instance of each task; nothing is started."""
    made = world(*TASKS, groups=(ETL,), members=MEMBERS)
    made.create()
    return made


@pytest.fixture
def fleet(w: World) -> Fleet:
    """Instances of `etl` are offered, and no host is there."""
    made = Fleet(w)
    w.tick()
    return made


def why(fleet: Fleet, w: World, name: str) -> str:
    return told(fleet.center.instances.why(w.id(name))["text"])


def test_what_runs_where(w: World, fleet: Fleet) -> None:
    """RUN-3, SEC-2: foreign instances are counted; whose slots they hold is known by host."""
    one, two = fleet.join("etl1"), fleet.join("etl2", "etl", "night", slots=4)
    fleet.claim(one, A, X)
    w.user = "alice"
    center = fleet.center
    rows = center.hosts.list()
    assert [(r["label"], r["state"], r["running"], r["slots"], r["resource_groups"]) for r in rows] == [
        ("etl1", "there", 2, 2, ["etl"]),
        ("etl2", "there", 0, 4, ["etl", "night"]),
    ]
    shown = center.hosts.show("etl1")
    assert ([i["task"] for i in shown["instances"]], shown["hidden"], shown["name"]) == (["w.a"], 1, one)
    assert shown["logs_at"] is None, "an address of the inside"
    queue = center.groups.show("etl")
    assert [h["name"] for h in queue["hosts"]] == [one, two]
    assert (queue["held"], queue["offered"], queue["executor"]) == (3, 1, "pull")
    held = {i["task"]: (i["host"], i["host_label"], i["offered"], i["where"]) for i in queue["running"]}
    assert held == {"w.a": (one, "etl1", False, "on etl1"), "w.b": (None, None, True, "offered to etl")}
    (row,) = [group for group in center.groups.list() if group["resource_group"] == "etl"]
    assert (row["running"], row["offered"], row["hosts"]) == (3, 1, 2)
    (run,) = center.instances.show(w.id(A))["runs"]
    assert (run["host"], run["host_label"], run["offered"]) == (one, "etl1", False)
    (local,) = [group for group in center.groups.list() if group["resource_group"] == "default"]
    assert (local["executor"], local["hosts"]) == ("local", None)


def test_an_offer_that_nobody_claims(w: World, fleet: Fleet) -> None:
    """OPS-9: nobody takes the group, nobody of those is heard of, all drain, all are full, in this order."""
    assert why(fleet, w, A) == (
        "It is offered to workers of resource group etl, and none is there; "
        "`retrofill worker --resource-group etl` starts one."
    )
    gone = fleet.join("etl9", silent=500)
    assert "none of them is heard of (etl9 was not heard of for 8 minutes)" in why(fleet, w, A)
    fleet.leave(gone)
    assert "none is there" in why(fleet, w, A), "one that has left is no worker"
    name = fleet.join("etl1", slots=2)
    assert why(fleet, w, A) == "It is offered to workers of resource group etl and is about to start there."
    fleet.claim(name, B, X)
    assert "all of them are full (etl1 carries out 2 of 2)" in why(fleet, w, A)
    fleet.center.hosts.drain("etl1")
    assert why(fleet, w, A) == (
        "It is offered to workers of resource group etl, and all of them drain (etl1); "
        f"`retrofill host undrain {name}` lets one take work again."
    )
    fleet.join("etl2", "other")
    assert "all of them drain" in why(fleet, w, A), "one of another group takes nothing of it"


def test_an_offer_that_waits_though_there_is_room(w: World, fleet: Fleet) -> None:
    """OPS-9: hosts claim within seconds; after half a minute something is wrong there."""
    name = fleet.join("etl1", slots=1)
    fleet.age(65, A)
    assert why(fleet, w, A) == (
        "It is offered to workers of resource group etl since 65 seconds, though 1 slot is free on etl1: "
        f"see what those say; `retrofill host show {name}`."
    )


def test_a_host_that_is_not_heard_of(w: World, fleet: Fleet) -> None:
    """RUN-3: its runs are unknown, then lost; what then becomes of them is the task's to say."""
    name = fleet.join("etl2")
    fleet.claim(name, A, B)
    assert why(fleet, w, A) == "It is running on etl2 (run 1)."
    fleet.hush(name, 40)
    assert why(fleet, w, A) == (
        "It was running on etl2 (run 1), which was not heard of for 40 seconds: whether it goes on there is not known; "
        "after 2 minutes of silence it fails as lost."
    )
    assert "after 2 minutes of silence it starts again elsewhere, as its task says (rerun: on_lost)" in why(
        fleet, w, B
    )
    backfill = w.find(A).backfill_id
    assert backfill is not None
    rows = fleet.center.backfills.reasons(backfill, [w.id(A)])
    assert [row["text"] for row in rows] == ["on etl2, not heard of for 40 seconds: unknown"]
    assert "whether 2 runs there go on is not known" in told(fleet.center.hosts.show("etl2")["why"])
    fleet.hush(name, 130)
    assert "it is taken for lost and fails as lost" in why(fleet, w, A)
    assert fleet.center.hosts.show(name)["state"] == "lost"


def test_what_needs_somebody(w: World, fleet: Fleet) -> None:
    """OPS-9, SEC-2: offers that nobody takes, after a minute, and silent hosts with runs; to who sees any of these."""
    fleet.age(30, A, B)
    assert needs(fleet) == []
    fleet.age(100, X)
    assert needs(fleet) == [("no_worker", "etl")]
    name = fleet.join("etl2")
    assert needs(fleet) == []
    fleet.claim(name, A, B, X)
    fleet.hush(name, 100)
    assert needs(fleet) == [("unknown_host", name)]
    (found,) = (c for c in fleet.center.upkeep.doctor() if c["check"] == "hosts")
    assert not found["ok"]
    assert "Host etl2 was not heard of for 100 seconds; whether 3 runs there go on" in told(found["detail"])
    assert fleet.center.home.count()["needs"] == 1
    w.user = "greta"
    assert needs(fleet) == [("unknown_host", name)], "one run there is hers"
    w.user = "alice"
    fleet.hush(name, 1)
    (found,) = (c for c in fleet.center.upkeep.doctor() if c["check"] == "hosts")
    assert (found["ok"], told(found["detail"])) == (True, "etl: 1 host, 3 of 2 slots taken")


def needs(fleet: Fleet) -> list[tuple[str, str | None]]:
    return [(need["kind"], need["name"]) for need in fleet.center.home.show()["needs"]]


def test_a_need_of_others_is_none(world: MakeWorld) -> None:
    """SEC-2: who sees none of what is offered is not told."""
    w = world(*TASKS, groups=(ETL,), members=MEMBERS)
    w.create("a")
    fleet = Fleet(w)
    w.tick()
    fleet.age(100, A)
    w.user = "greta"
    assert needs(fleet) == []


def test_draining(w: World, fleet: Fleet) -> None:
    """SEC-4, OPS-8: a system administrator asks, by label or name; it is recorded, and asking twice changes nothing."""
    name = fleet.join("etl1")
    fleet.claim(name, A)
    hosts = fleet.center.hosts
    assert hosts.drain("etl1", "new kernel") == {
        "name": name, "label": "etl1", "state": "draining", "running": 1, "unchanged": False,
    }  # fmt: skip
    assert hosts.drain(name)["unchanged"]
    fleet.join("etl1")  # started anew, it says the same of itself
    assert "1 run goes on" in told(hosts.show("etl1")["why"])
    assert hosts.undrain("etl1")["state"] == "there"
    lines = [(o["action"], o["comment"]) for o in fleet.center.operations.list(OperationSearch(), 2)["items"]]
    assert lines == [("undrain-host", f"etl1 ({name})"), ("drain-host", f"etl1 ({name}): new kernel")]
    w.user = "alice"
    for act in (fleet.center.hosts.drain, fleet.center.hosts.undrain, fleet.center.hosts.forget):
        with pytest.raises(NotPermittedError):
            act("etl1")


def test_forgetting(w: World, fleet: Fleet) -> None:
    """RUN-3: not while runs live there or it is heard of; a name that is gone is unknown."""
    name = fleet.join("etl1")
    hosts = fleet.center.hosts
    with pytest.raises(WrongStateError, match="heard of 1 seconds ago"):
        hosts.forget(name)
    fleet.claim(name, A)
    fleet.hush(name, 500)
    with pytest.raises(WrongStateError, match="1 run lives there"):
        hosts.forget(name)
    other = fleet.join("etl2", silent=500)
    assert [row["label"] for row in hosts.list()] == ["etl1"], "nothing lives on the other one"
    assert [row["label"] for row in hosts.list(everything=True)] == ["etl1", "etl2"]
    assert hosts.forget("etl2")["state"] == "forgotten"
    with pytest.raises(UnknownNameError, match='no host "etl2"; did you mean "etl1"'):
        hosts.show("etl2")
    assert other not in {row["name"] for row in hosts.list(everything=True)}


def test_two_of_one_label(w: World, fleet: Fleet) -> None:
    """A label is people's; the name says which one."""
    names = [fleet.join("etl1", word="aaaa"), fleet.join("etl1", word="bbbb")]
    assert [row["label"] for row in fleet.center.hosts.list()] == names, "told apart wherever they are shown"
    with pytest.raises(SeveralHostsError, match="etl1-aaaa, etl1-bbbb"):
        fleet.center.hosts.drain("etl1")
    assert fleet.center.hosts.drain(names[1])["name"] == names[1]


def test_machines_that_schedule_are_hosts(w: World, fleet: Fleet) -> None:
    """They beat as well, and take nothing that could be drained; one that is gone with nothing is none."""
    fleet.hush("main-00000000", 2)
    fleet.hush("old-00000000", 9_999)
    (row,) = fleet.center.hosts.list(everything=True)
    assert (row["name"], row["executor"], row["slots"], row["state"]) == (
        "main-00000000",
        "local",
        None,
        "there",
    )
    assert fleet.center.hosts.show("main-00000000")["instances"] == []
    with pytest.raises(WrongStateError, match="schedules or stands by"):
        fleet.center.hosts.drain("main-00000000")


def test_a_store_of_one_machine_offers_nothing(w: World) -> None:
    """OPS-9: what waits for other machines says why it waits."""
    w.tick()
    fleet = Fleet(w)
    fleet.parts.watch.host = None
    assert why(fleet, w, A).startswith(
        "Resource group etl runs on other machines (executor pull), which cannot reach the store"
    )


def test_what_is_gone_for_good_is_forgotten(w: World, fleet: Fleet) -> None:
    """RET-1: what has left, or was never heard of again, for so long; not while a run lives there."""
    fleet.claim(fleet.join("etl1"), A)
    fleet.leave(fleet.join("etl2"))
    fleet.join("etl3")
    with w.store.transaction() as tx:
        assert tx.hosting.forget_gone(tx.hosting.now_ms() - 60_000) == 1
        assert [record.label for record in tx.hosting.all()] == ["etl1", "etl2"]
        assert tx.hosting.forget_gone(tx.hosting.now_ms() + 60_000) == 1
        assert [record.label for record in tx.hosting.all()] == ["etl1"]
