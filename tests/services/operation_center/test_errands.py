"""Errands: what is asked for without waiting is done once, also when whoever was asked is gone."""

from __future__ import annotations

from typing import Any

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.errors import NotPermittedError, UnknownNameError, WrongStateError
from retrofill.services.operation_center import OperationCenter
from services.centers import center_of
from services.worlds import MakeWorld, World

TASKS = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
GIVEN: dict[str, Any] = {"task": ["w.a", "w.b"], "bizdate": ["2026-01-05..2026-01-06"], "name": "again"}


def backfills(w: World) -> list[str]:
    return [row["name"] for row in center_of(w).backfills.list()["items"]]


def asked(w: World, **more: Any) -> tuple[OperationCenter, str]:
    center = center_of(w)
    return center, center.errands.ask_for_backfill(GIVEN, **more)


def test_asking_creates_nothing_yet(world: MakeWorld) -> None:
    w = world(*TASKS)
    center, errand = asked(w)
    found = center.errands.show(errand)
    assert (found["state"], found["backfill"], found["bizdates"]) == ("under_way", None, 0)
    assert backfills(w) == []
    assert [one.id for one in center.errands.unattended()] == [errand]


def test_carried_out_twice_it_is_done_once(world: MakeWorld) -> None:
    w = world(*TASKS)
    center, errand = asked(w)
    for _ in range(2):
        center.errands.carry_out(errand)
    found = center.errands.show(errand)
    assert (found["state"], found["backfill"], found["bizdates"], found["failure"]) == ("done", 1, 2, None)
    assert backfills(w) == ["again"]
    assert center.errands.unattended() == []


def test_who_takes_it_up_after_a_crash_makes_no_second_one(world: MakeWorld) -> None:
    """The backfill is noted in the transaction that adds it; here the end of the errand was not."""
    w = world(*TASKS)
    center, errand = asked(w)
    backfill_id = w.create("a")
    with w.store.transaction() as tx:
        tx.errands.note_backfill(errand, backfill_id)
    center.errands.carry_out(errand)
    found = center.errands.show(errand)
    assert (found["state"], found["backfill"]) == ("done", backfill_id)
    assert len(backfills(w)) == 1


def test_a_backfill_of_which_a_crash_left_nothing_has_failed(world: MakeWorld) -> None:
    w = world(*TASKS)
    center, errand = asked(w)
    with w.store.transaction() as tx:
        tx.errands.note_backfill(errand, 777)
    center.errands.carry_out(errand)
    found = center.errands.show(errand)
    assert found["state"] == "failed"
    assert "nothing of the backfill is left" in str(found["failure"])


def test_what_hinders_it_by_then_is_told(world: MakeWorld) -> None:
    """The task was deployed away between asking and making."""
    from domain.catalogs import make_catalog

    w = world(*TASKS)
    center, errand = asked(w)
    w.deploy(make_catalog(TASKS[0]))
    center_of(w).errands.carry_out(errand)
    found = center.errands.show(errand)
    assert found["state"] == "failed"
    assert "w.b" in str(found["failure"])
    w.deploy(make_catalog(*TASKS))
    center_of(w).errands.carry_out(errand)
    assert center.errands.show(errand) == found, (
        "what has failed once is not done later, when nobody expects it"
    )
    assert backfills(w) == []


def test_what_cannot_be_is_refused_at_once(world: MakeWorld) -> None:
    w = world(*TASKS)
    with pytest.raises(UnknownNameError):
        center_of(w).errands.ask_for_backfill({**GIVEN, "task": ["w.moon"]})
    with w.store.read() as reader:
        assert reader.errands.unended() == []


def test_a_paused_one_begins_when_somebody_resumes_it(world: MakeWorld) -> None:
    """BF-3: paused in the transaction that adds it, so that nothing starts before."""
    w = world(*TASKS)
    center, errand = asked(w, is_paused=True, comment="by hand")
    center.errands.carry_out(errand)
    w.tick()
    assert w.running() == set()
    assert center.backfills.row(1)["status"] == "paused"
    assert [(o["action"], o["comment"]) for o in center.backfills.history(1)] == [
        ("create", ""),
        ("comment", "by hand"),
        ("pause", ""),
    ]
    center.backfills.resume(1)
    w.tick()
    assert w.running() == {"a 5 01:00"}


def test_a_refused_backfill_is_a_failure(world: MakeWorld) -> None:
    """VER-2: it is stored without instances; here because it would run against the order of its own cycles."""
    w = world(make_task("w.a", "0 1 * * *", SELF))
    center = center_of(w)
    errand = center.errands.ask_for_backfill(
        {"task": ["w.a"], "bizdate": ["2026-01-05..2026-01-06"], "order": "desc"}
    )
    center.errands.carry_out(errand)
    found = center.errands.show(errand)
    assert (found["state"], found["backfill"]) == ("failed", 1)
    assert "backfill 1 failed its check" in str(found["failure"])


def test_an_errand_is_of_who_asked(world: MakeWorld) -> None:
    """SEC-2: to others it is not there; only who serves sees that it is left."""
    w = world(*TASKS, members={"w": {"ann": "operator", "bob": "operator"}})
    w.user = "ann"
    _, errand = asked(w)
    w.user = "bob"
    bob = center_of(w)
    for act in (bob.errands.show, bob.errands.carry_out):
        with pytest.raises(UnknownNameError):
            act(errand)
    assert bob.errands.unattended() == []
    w.user = "admin"
    assert [one.user for one in center_of(w).errands.unattended()] == ["ann"]


def test_a_visitor_asks_in_vain(world: MakeWorld) -> None:
    """SEC-4."""
    w = world(*TASKS, members={"w": {"eve": "visitor"}})
    w.user = "eve"
    with pytest.raises(NotPermittedError):
        asked(w)


def test_a_rerun_of_dates(world: MakeWorld) -> None:
    """OPS-3: of what has ended on them, in order."""
    w = world(*TASKS)
    center, errand = asked(w)
    center.errands.carry_out(errand)
    w.finish()
    w.clock.move_to("2026-03-02T13:00")
    again = center.errands.ask_for_rerun([(1, 1)], {}, "new data")
    center.errands.carry_out(again)
    w.tick()
    assert w.running() == {"a 6 01:00"}
    assert center.errands.show(again)["state"] == "done"


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("has_ended", [True, False])
def test_a_rerun_that_was_begun_before_a_crash_is_done(
    world: MakeWorld, below: bool, has_ended: bool
) -> None:
    """What runs again since it was asked for is left alone, and who asked has no reason to ask again."""
    w = world(*TASKS)
    center, errand = asked(w)
    center.errands.carry_out(errand)
    w.finish()
    again = center.errands.ask_for_rerun([(1, 0)], {"task_name": "a"}, below=below)
    w.clock.move_to("2026-03-02T13:00")
    w.do("rerun", "a 5 01:00")
    if has_ended:
        w.finish()
    before = w.states()
    center.errands.carry_out(again)
    found = center.errands.show(again)
    assert (found["state"], found["failure"]) == ("done", None)
    assert w.states() == before


def test_a_rerun_of_nothing_is_refused_at_once(world: MakeWorld) -> None:
    """Nothing has ended, or nothing that fits."""
    w = world(*TASKS)
    center, errand = asked(w)
    center.errands.carry_out(errand)
    with pytest.raises(WrongStateError, match="no ended instance"):
        center.errands.ask_for_rerun([(1, 0)], {})
    w.finish()
    with pytest.raises(WrongStateError, match="no ended instance"):
        center.errands.ask_for_rerun([(1, 0)], {"task_name": "moon"})
    with w.store.read() as reader:
        assert reader.errands.unended() == []


def test_a_rerun_with_what_lies_below(world: MakeWorld) -> None:
    """OPS-4."""
    w = world(*TASKS)
    center, errand = asked(w)
    center.errands.carry_out(errand)
    w.finish()
    w.clock.move_to("2026-03-02T13:00")
    again = center.errands.ask_for_rerun([(1, 0)], {"task_name": "a"}, below=True)
    center.errands.carry_out(again)
    assert {name for name, state in w.states().items() if state != "successful"} == {"a 5 01:00", "b 5 02:00"}
