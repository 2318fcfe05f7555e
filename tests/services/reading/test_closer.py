"""One instance looked at closely: the chain to its cause, its code with its values, its other bizdates."""

from __future__ import annotations

from domain.catalogs import SELF, make_task
from retrofill.domain.planning.policy import Barrier, Order
from services.worlds import MakeWorld


def test_the_chain_leads_to_what_failed(world: MakeWorld) -> None:
    """OPS-9: link by link, also over dates; each says how many of its waits are open."""
    w = world(
        make_task("w.a", "0 1 * * *", SELF),
        make_task("w.x", "0 1 * * *"),
        make_task("w.b", "0 2 * * *", "w.a", "w.x"),
        make_task("w.c", "0 3 * * *", "w.b"),
    )
    w.create(dates="2026-01-05..2026-01-06", barrier=Barrier.TASK)
    w.finish(fails=lambda name: name.startswith("a 5"))
    chain = w.center.instances.chain(w.id("c 5 03:00"))
    assert chain["code"] == "upstream"
    assert [link["id"] for link in chain["links"]] == [
        w.id("c 5 03:00"),
        w.id("b 5 02:00"),
        w.id("a 5 01:00"),
    ]
    assert [(link["open"], link["upstream"]) for link in chain["links"]] == [(1, 1), (1, 2), (0, 0)]
    assert chain["links"][-1]["state"] == "failed"


def test_what_all_an_instance_needs_is_told_in_the_order_of_asking(world: MakeWorld) -> None:
    """OPS-9: what comes behind the constraint is not known yet."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    number = w.create()
    conditions = w.center.instances.chain(w.id("b 5 02:00"))["conditions"]
    assert {one["name"]: one["holds"] for one in conditions} == {
        "held": True,
        "turn": True,
        "upstream": False,
        "time": None,
        "window": None,
        "scheduler": None,
        "slot": None,
    }
    w.backfills.pause(number)
    paused = w.center.instances.chain(w.id("b 5 02:00"))["conditions"]
    assert [one["holds"] for one in paused] == [False, *[None] * 6]
    w.backfills.resume(number)
    w.finish()
    assert w.center.instances.chain(w.id("b 5 02:00"))["conditions"] == []


def test_code_is_told_with_its_values(world: MakeWorld) -> None:
    """PAR-4, CAT-9: where they stand, as they will be; secrets stay names (SEC-3)."""
    code = "echo $day ${day} $HOME; echo $token"
    given = (("day", "$bizdate"), ("token", "${secret:TOKEN}"))
    w = world(make_task("w.a", "0 1 * * *", code=code, parameters=given), secrets={"TOKEN": "hush hush"})
    w.create()
    found = w.center.instances.code(w.id("a 5 01:00"))
    assert "".join(part["text"] for part in found["parts"]) == code
    assert [(part["text"], part["value"]) for part in found["parts"] if part["parameter"]] == [
        ("$day", "20260105"),
        ("${day}", "20260105"),
        ("$token", "${secret:TOKEN}"),
    ]
    assert "hush" not in str(found)
    assert [(one["name"], one["written"], one["overridden"]) for one in found["parameters"]] == [
        ("day", "$bizdate", False),
        ("token", "${secret:TOKEN}", False),
    ]


def test_other_bizdates_of_backfills_and_nights(world: MakeWorld) -> None:
    """BF-2: by bizdate, whatever order they run in."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *"))
    w.create(dates="2026-01-05..2026-01-09", order=Order.DESCENDING)
    found = w.center.instances.over_dates(w.id("b 7 02:00"))["items"]
    assert [one["bizdate"] for one in found] == [f"2026-01-0{day}" for day in range(5, 10)]
    assert [one["id"] for one in found] == [w.id(f"b {day} 02:00") for day in range(5, 10)]
    w.clock.move_to("2026-03-03T00:30")
    w.night()
    (row,) = [row for name, row in w.auto_rows().items() if name.startswith("a ")]
    (auto,) = w.center.instances.over_dates(row.id)["items"]
    assert (auto["id"], auto["bizdate"]) == (row.id, row.bizdate)
