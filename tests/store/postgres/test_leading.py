"""What whoever takes over does about a write that stands still (RUN-1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from e2e.sandboxes import until
from retrofill.domain.errors import StoreBusyError, StoreUnavailableError
from retrofill.domain.running.filters import OperationFilter
from retrofill.store.postgres.database import Database
from store.postgres.conftest import MakeStore


def can_write(store: Database) -> bool:
    try:
        with store.transaction() as tx:
            tx.is_term("nobody", 1)
    except StoreBusyError:
        return False
    return True


def recorded(store: Database) -> list[str]:
    """What has been done, as the record says."""
    with store.read() as reader:
        return [row.action for row in reader.latest_operations(OperationFilter(), None, 10)]


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
    assert recorded(other) == []


@pytest.mark.parametrize("is_brief", [False, True])
def test_a_write_that_stands_still_is_ended_by_its_server(make_store: MakeStore, is_brief: bool) -> None:
    """RUN-1, RUN-9: also where nobody leads, and although it was in the middle of sending; one of a worker's soon."""
    short, long = 0.5, 1_000
    stands = make_store(
        longest_write_seconds=long if is_brief else short, brief_seconds=short if is_brief else long
    ).open()
    other = make_store(home="elsewhere", patience_seconds=0.2).open()

    def write() -> None:
        with stands.transaction(is_brief=is_brief) as tx:
            tx.record(1, "admin", "deploy")
            tx.is_term("nobody", 1)
            until(lambda: can_write(other), "the write that stands still is ended")

    with pytest.raises(StoreUnavailableError):
        write()
    assert recorded(other) == []


_WAITS = (
    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND NOT l.granted AND a.xact_start < clock_timestamp() - interval '1 second'"
)


def test_who_is_brief_may_wait_for_longer_than_it_may_write(make_store: MakeStore, url: str) -> None:
    """RUN-9: others write for as long as they need; only from when it writes itself it is counted."""
    brief, other = make_store(brief_seconds=0.5).open(), make_store(home="elsewhere").open()

    def write() -> None:
        with brief.transaction(is_brief=True) as tx:
            tx.record(1, "admin", "deploy")

    with psycopg.connect(url, autocommit=True) as asking, ThreadPoolExecutor(1) as threads:
        with other.transaction() as tx:
            tx.is_term("nobody", 1)
            waiting = threads.submit(write)
            until(lambda: asking.execute(_WAITS).fetchone() == (1,), "it has waited for longer than that")
        waiting.result()
    assert recorded(other) == ["deploy"]
