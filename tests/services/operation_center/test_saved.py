"""What people keep of forms: their own, under a name or as a draft."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import InvalidValueError, LimitError, UnknownNameError, WrongStateError
from retrofill.services.operation_center.saved import MOST_NAMED, NameTakenError, SavedDesk
from services.centers import WorldParts, center_of
from services.worlds import MakeWorld, World

FIELDS = {"task": ["w.a", "w.b"], "name": ["ö ✓"]}


@pytest.fixture
def kept(world: MakeWorld) -> SavedDesk:
    return center_of(world(make_task("w.a", "0 1 * * *"))).saved


def of(w: World, user: str) -> SavedDesk:
    w.user = user
    return center_of(w).saved


def test_what_was_typed_comes_back(kept: SavedDesk) -> None:
    made = kept.save("new", FIELDS)
    assert made["fields"] == FIELDS
    assert kept.show(made["id"]) == made
    assert kept.list("new") == [made]
    assert kept.list("backfills") == []


def test_a_draft_goes_on_and_gets_a_name(kept: SavedDesk) -> None:
    draft = kept.save("new", FIELDS)
    again = kept.save("new", {}, form_id=draft["id"])
    assert (again["id"], again["fields"], again["name"]) == (draft["id"], {}, None)
    assert kept.save("new", {}, " mine ", draft["id"])["name"] == "mine"
    assert [one["name"] for one in kept.list("new")] == ["mine"]


def test_a_name_stands_for_what_was_saved_last(kept: SavedDesk) -> None:
    first = kept.save("new", FIELDS, "mine")
    assert kept.save("new", {}, "mine")["id"] == first["id"]
    draft = kept.save("new", FIELDS)
    with pytest.raises(NameTakenError):
        kept.save("new", FIELDS, "mine", draft["id"])
    assert kept.remove(first["id"])["fields"] == {}
    assert kept.save("new", FIELDS, "mine", draft["id"])["id"] == draft["id"]


def test_somebody_elses_is_answered_like_none(world: MakeWorld) -> None:
    """SEC-2: by every method, and it stays as it is."""
    w = world(make_task("w.a", "0 1 * * *"), members={"w": {"ann": "operator", "bob": "administrator"}})
    made = of(w, "ann").save("new", FIELDS)
    bob = of(w, "bob")
    assert bob.list("new") == []
    for act in (bob.show, bob.remove, lambda number: bob.save("new", {}, form_id=number)):
        with pytest.raises(UnknownNameError) as foreign:
            act(made["id"])
        with pytest.raises(UnknownNameError) as absent:
            act(777)
        assert foreign.value.message.replace(str(made["id"]), "777") == absent.value.message
    assert of(w, "ann").list("new") == [made]


def test_it_belongs_to_one_page(kept: SavedDesk) -> None:
    made = kept.save("new", FIELDS)
    with pytest.raises(UnknownNameError):
        kept.save("backfills", {}, form_id=made["id"])


def test_the_oldest_draft_gives_way_and_names_do_not(kept: SavedDesk) -> None:
    drafts = [kept.save("new", {})["id"] for _ in range(51)]
    assert [one["id"] for one in kept.list("new")] == drafts[:0:-1]
    for number in range(MOST_NAMED):
        kept.save("new", {}, f"view {number}")
    with pytest.raises(LimitError):
        kept.save("new", {}, "one more")
    assert kept.save("new", FIELDS, "view 3")["fields"] == FIELDS


@pytest.mark.parametrize(
    ("page", "name"), [("", None), ("a/b", None), ("x" * 41, None), ("new", " "), ("new", "n" * 129)]
)
def test_words_in_a_wrong_form_are_refused(kept: SavedDesk, page: str, name: str | None) -> None:
    with pytest.raises(InvalidValueError):
        kept.save(page, {}, name)


def test_what_is_too_large_is_refused(kept: SavedDesk) -> None:
    with pytest.raises(LimitError):
        kept.save("new", {"task": ["x" * 1000] * 600})
    assert kept.list("new") == []


def test_before_the_first_deploy_there_is_nothing(world: MakeWorld) -> None:
    w = world(make_task("w.a", "0 1 * * *"))

    class Fresh(WorldParts):
        deployed = None

    kept = center_of(w, Fresh(w)).saved
    assert kept.list("new") == []
    for act in (kept.show, kept.remove):
        with pytest.raises(UnknownNameError):
            act(1)
    with pytest.raises(WrongStateError, match="nothing is deployed yet"):
        kept.save("new", FIELDS)
