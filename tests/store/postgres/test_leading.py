"""What whoever takes over does about a write that stands still (RUN-1)."""

from __future__ import annotations

import pytest

from e2e.sandboxes import until
from retrofill.domain.errors import StoreBusyError, StoreUnavailableError
from retrofill.store.postgres.database import Database
from store.postgres.conftest import MakeStore


def can_write(store: Database) -> bool:
    try:
        with store.transaction() as tx:
            tx.is_term("nobody", 1)
    except StoreBusyError:
        return False
    return True


def test_a_write_that_stands_still_is_ended_by_who_takes_over(make_store: MakeStore) -> None:
    """RUN-1: it would keep everybody from writing; what it had written is undone, and it is told so."""
    stands, other = make_store().open(), make_store(home="elsewhere", patience_seconds=0.2).open()
    part = other.leadership(term_seconds=0.3)

    def takes_over() -> bool:
        assert part.lead()
        part.resign()
        return can_write(other)

    def write() -> None:
        with stands.transaction() as tx:
            tx.record(1, "admin", "deploy")
            tx.is_term("nobody", 1)
            assert not can_write(other)
            until(takes_over, "the write that stands still is ended")

    with pytest.raises(StoreUnavailableError):
        write()
    with other.read() as reader:
        assert list(reader.operations("backfill_id", 1)) == []


def test_a_write_that_stands_still_is_ended_by_its_server(make_store: MakeStore) -> None:
    """RUN-1: also where nobody leads, and although it was in the middle of sending."""
    stands = make_store(longest_write_seconds=0.5).open()
    other = make_store(home="elsewhere", patience_seconds=0.2).open()

    def write() -> None:
        with stands.transaction() as tx:
            tx.record(1, "admin", "deploy")
            tx.is_term("nobody", 1)
            until(lambda: can_write(other), "the write that stands still is ended")

    with pytest.raises(StoreUnavailableError):
        write()
    with other.read() as reader:
        assert list(reader.operations("backfill_id", 1)) == []
