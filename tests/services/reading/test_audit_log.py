"""The record of what people did, page by page, for who sees little of it (OPS-8)."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.running.filters import OperationFilter
from retrofill.services.people.access import Access
from retrofill.services.reading.audit_log import MOST_LOOKED_AT, latest
from services.worlds import MakeWorld, World

MEMBERS = {"open": {"alice": "administrator"}, "vault": {"greta": "administrator"}}
EVERYTHING = OperationFilter()


@pytest.fixture
def w(world: MakeWorld) -> World:
    """A record in which the vault has done much more than one page looks at, and alice something before and after."""
    w = world(make_task("open.a", "0 1 * * *"), make_task("vault.b", "0 1 * * *"), members=MEMBERS)
    w.create()
    own, foreign = w.id("a 5 01:00"), w.id("b 5 01:00")

    def note(count: int, instance: int, comment: str) -> None:
        line = (w.clock.now_ms(), "greta", "freeze", 1, instance, None, None, comment, None)
        with w.store.transaction() as tx:
            tx.record_many([line] * count)

    note(1, own, "first")
    note(MOST_LOOKED_AT + 10, foreign, "aurum")
    note(2, own, "last")
    w.user = "alice"
    return w


def test_a_page_ends_after_so_many_lines_and_says_that_there_are_more(w: World) -> None:
    """SEC-2: what is foreign costs no more than one page, whoever asks."""
    with w.store.read() as reader:
        access = Access(reader, w.graphs, w.actor)
        found, following = latest(reader, access, EVERYTHING, 50)
        assert [one.comment for one in found] == ["last", "last"]
        assert following is not None
        rest, end = latest(reader, access, EVERYTHING, 50, following)
        assert [one.comment for one in rest if one.comment] == ["first"]
        assert end is None


def test_a_full_page_goes_on_after_its_last_line(w: World) -> None:
    with w.store.read() as reader:
        access = Access(reader, w.graphs, w.actor)
        (newest,), following = latest(reader, access, EVERYTHING, 1)
        assert following == newest.id
        (next_one,), _ = latest(reader, access, EVERYTHING, 1, following)
        assert (next_one.comment, next_one.id) == ("last", newest.id - 1)


def test_who_sees_all_sees_all(w: World) -> None:
    w.user = "admin"
    with w.store.read() as reader:
        found, following = latest(reader, Access(reader, w.graphs, w.actor), EVERYTHING, 3)
        assert [one.comment for one in found] == ["last", "last", "aurum"]
        assert following == found[-1].id
