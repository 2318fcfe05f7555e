"""Several instances as one: all of it is done, or nothing (OPS-1..7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.errors import Kind, LimitError, UnknownNameError
from retrofill.domain.planning.policy import PriorityError
from retrofill.domain.running.places import Place
from retrofill.domain.running.results import RefusedTogetherError
from retrofill.services.operation_center.together import TogetherActs
from retrofill.services.operations import batches
from services.centers import center_of
from services.worlds import MakeWorld, World

CHAIN = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"), make_task("w.c", "0 3 * * *"))
Act = Callable[[TogetherActs, list[int]], None]
ACTS: dict[str, Act] = {
    "stop": lambda acts, ids: acts.stop(ids),
    "rerun": lambda acts, ids: acts.rerun(ids),
    "set_successful": lambda acts, ids: acts.set_successful(ids),
    "freeze": lambda acts, ids: acts.freeze(ids),
    "unfreeze": lambda acts, ids: acts.unfreeze(ids),
    "remove_waits": lambda acts, ids: acts.remove_waits(ids, None),
    "place": lambda acts, ids: acts.place(dict.fromkeys(ids, Place(8))),
}


def ids_of(w: World, *names: str) -> list[int]:
    return [w.id(name) for name in names]


def operations(w: World) -> int:
    """How many lines the record has."""
    from retrofill.domain.running.filters import OperationFilter

    with w.store.read() as reader:
        return len(reader.latest_operations(OperationFilter(), None, 1_000))


@pytest.mark.parametrize("act", ACTS)
def test_an_instance_that_is_not_there_hinders_all(world: MakeWorld, act: str) -> None:
    """The first one that is refused is named, and nothing is changed or recorded."""
    w = world(*CHAIN)
    w.create("a", "b")
    w.tick()
    before, noted = w.states(), operations(w)
    a, b = ids_of(w, "a 5 01:00", "b 5 02:00")
    ids = [a if act == "stop" else b, 777_777]
    with pytest.raises(RefusedTogetherError) as caught:
        ACTS[act](center_of(w).together, ids)
    if caught.value.item_id != 777_777:  # the first one does not fit this act either
        assert caught.value.item_id == ids[0]
        assert caught.value.kind is Kind.WRONG_STATE
    else:
        assert (caught.value.kind, caught.value.code) == (Kind.UNKNOWN, "unknown")
    assert (w.states(), operations(w)) == (before, noted)


def test_what_can_be_done_to_all_is_done_to_all(world: MakeWorld) -> None:
    """OPS-2: the rerun of two ended ones."""
    w = world(*CHAIN)
    w.create("a", "c")
    w.finish()
    center_of(w).together.rerun(ids_of(w, "a 5 01:00", "c 5 03:00"), "anew")
    w.tick()
    assert w.running() == {"a 5 01:00", "c 5 03:00"}


def test_one_in_another_state_undoes_what_was_done_to_the_first(world: MakeWorld) -> None:
    """OPS-2: a has ended, c has not."""
    w = world(*CHAIN)
    w.create("a", "c")
    w.tick()
    w.end("a 5 01:00")
    a, c = ids_of(w, "a 5 01:00", "c 5 03:00")
    with pytest.raises(RefusedTogetherError) as caught:
        center_of(w).together.rerun([a, c])
    assert (caught.value.item_id, caught.value.kind) == (c, Kind.WRONG_STATE)
    assert w.states()["a 5 01:00"] == "successful"
    assert not w.drift()


def test_places_are_set_one_by_one(world: MakeWorld) -> None:
    """OPS-7: each gets its own, in one go."""
    w = world(*CHAIN, groups=(ResourceGroup("night", slots=1),))
    w.create("a", "b")
    a, b = ids_of(w, "a 5 01:00", "b 5 02:00")
    center = center_of(w)
    center.together.place({a: Place(8, "night"), b: Place(resource_group="night")}, "first")
    rows = [center.instances.show(number) for number in (a, b)]
    assert [(row["priority"], row["resource_group"]) for row in rows] == [(8, "night"), (1, "night")]
    (noted,) = center.instances.history(a)["operations"]
    assert (noted["action"], noted["comment"]) == (
        "set-place",
        "priority 1 -> 8, resource group default -> night. first",
    )


@pytest.mark.parametrize(
    ("place", "error"), [(Place(2), PriorityError), (Place(resource_group="moon"), UnknownNameError)]
)
def test_a_place_that_there_is_not(world: MakeWorld, place: Place, error: type[Exception]) -> None:
    w = world(*CHAIN)
    w.create("a")
    with pytest.raises(error):
        center_of(w).together.place({w.id("a 5 01:00"): place})


def test_more_than_one_transaction_may_write_is_refused(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not be one thing any more."""
    monkeypatch.setattr(batches, "MOST_ITEMS", 1)
    w = world(*CHAIN)
    w.create("a", "c")
    w.finish()
    with pytest.raises(LimitError, match="too many to be done as one"):
        center_of(w).together.rerun(ids_of(w, "a 5 01:00", "c 5 03:00"))
    assert set(w.states().values()) == {"successful"}


def test_backfills_are_stopped_all_or_none(world: MakeWorld) -> None:
    """OPS-1: one that has ended hinders the others."""
    w = world(*CHAIN)
    w.create("a")
    w.finish()
    w.create("c")
    w.tick()
    center = center_of(w)
    with pytest.raises(RefusedTogetherError) as caught:
        center.together.stop_backfills([2, 1])
    assert (caught.value.item_id, caught.value.kind) == (1, Kind.WRONG_STATE)
    assert center.backfills.row(2)["held"] is None
    center.together.stop_backfills([2], "enough")
    assert center.backfills.row(2)["held"] == "stopped"


def test_backfills_go_on_all_or_none(world: MakeWorld) -> None:
    """BF-3: one that goes on already is no refusal, one that is not there is."""
    w = world(*CHAIN)
    w.create("a")
    w.create("c")
    w.backfills.pause(1)
    center = center_of(w)
    with pytest.raises(RefusedTogetherError):
        center.together.resume_backfills([1, 77])
    assert center.backfills.row(1)["held"] == "paused"
    center.together.resume_backfills([1, 2])
    assert center.backfills.row(1)["held"] is None
