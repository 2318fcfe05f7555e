"""What `doctor` is told of a server."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from contracts.ledgers import INSTANCE, fill
from e2e.sandboxes import until
from retrofill.services.ports.health import Found
from retrofill.store.postgres.condition import condition
from retrofill.store.postgres.database import Database
from store.postgres.conftest import MakeStore


def found(store: Database, **limits: int) -> dict[str, Found]:
    with store.read() as reader:
        return {
            one.check: one
            for one in condition(store.shown, reader, lambda ask: ask(reader.connection), **limits)
        }


@pytest.fixture
def store(make_store: MakeStore) -> Database:
    one = make_store()
    fill(one, *(INSTANCE._replace(id=number, task_id=number) for number in range(1, 101)))
    return one


def test_nothing_is_wrong(store: Database) -> None:
    """POL-13."""
    with store.read() as reader:
        assert {one.check: one.ok for one in store.condition(reader)} == {
            "store": True,
            "snapshots": True,
            "dead rows": True,
        }


def test_a_transaction_that_somebody_keeps_open(store: Database, somebody: psycopg.Connection[Any]) -> None:
    """POL-13: who it is, and for how long."""
    somebody.execute("SELECT count(*) FROM instance")
    told = found(store, old_seconds=0)["snapshots"]
    assert not told.ok
    assert str(told.detail).startswith("a connection of a report")
    assert "idle in its transaction" in str(told.detail)
    somebody.commit()
    assert found(store)["snapshots"].ok


def test_rows_that_nobody_clears_away(store: Database, somebody: psycopg.Connection[Any]) -> None:
    """POL-13: what somebody may still look at cannot be."""
    somebody.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM instance")
    for _ in range(3):
        with store.transaction() as tx:
            tx.connection.execute("UPDATE instance SET state = state, start_ms = start_ms + 1")
    store.close()  # a session tells its counts when it ends

    def told() -> Found:
        return found(store, many_dead_rows=200)["dead rows"]

    until(lambda: not told().ok, "the server has counted")
    assert str(told().detail).startswith("table instance holds 300 dead rows beside 100 living ones")
