"""What every store must do for errands: they outlive who carries them out, and end once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retrofill.services.ports import ConstraintError, Store
from retrofill.services.ports.records import ErrandRecord

ERRAND = ErrandRecord("a" * 32, "create", "ann", "{}", 5)


def add(store: Store, *records: ErrandRecord) -> None:
    with store.transaction() as tx:
        for record in records:
            tx.errands.add(record)


def test_an_errand_comes_back(opener: Callable[[], Store]) -> None:
    """With the backfill that it has made, and what became of it, also to another process."""
    store = opener()
    add(store, ERRAND)
    with store.transaction() as tx:
        tx.errands.note_backfill(ERRAND.id, 7)
    with opener().read() as reader:
        assert reader.errands.find(ERRAND.id) == ERRAND._replace(backfill_id=7)
        assert reader.errands.find("b" * 32) is None
    with store.transaction() as tx:
        tx.errands.end(ERRAND.id, 9, "no such task")
        tx.errands.end(ERRAND.id, 99, None)
    with opener().read() as reader:
        assert reader.errands.find(ERRAND.id) == ERRAND._replace(
            backfill_id=7, ended_ms=9, failure="no such task"
        )


def test_what_is_left_is_found_oldest_first(store: Store) -> None:
    others = [ERRAND._replace(id=name * 32, created_ms=ms) for name, ms in (("b", 8), ("c", 3), ("d", 4))]
    add(store, ERRAND, *others)
    with store.transaction() as tx:
        tx.errands.end("d" * 32, 9, None)
        assert [one.created_ms for one in tx.errands.unended()] == [3, 5, 8]


def test_old_ones_are_forgotten_once_they_have_ended(store: Store) -> None:
    add(store, ERRAND, *(ERRAND._replace(id=name * 32) for name in "bc"))
    with store.transaction() as tx:
        tx.errands.end(ERRAND.id, 10, None)
        tx.errands.end("b" * 32, 20, None)
        tx.errands.forget(20)
        found = [tx.errands.find(name * 32) is not None for name in "abc"]
    assert found == [False, True, True]


def test_an_id_is_given_once(store: Store) -> None:
    add(store, ERRAND)
    with pytest.raises(ConstraintError):
        add(store, ERRAND)
