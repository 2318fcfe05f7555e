"""How long revisions are kept: deleting goes with writing, in whatever process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from contracts.ledgers import INSTANCE, fill
from databases.stores import STORES
from retrofill.services.ports.revisions import KEPT
from retrofill.store.statements.revisions import PRUNE_EVERY


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as closing:
        room = STORES[request.param](tmp_path / "store")
        closing.callback(room.close)
        one = room.open()
        closing.callback(one.close)
        yield one


def write(store: Any, times: int = 1) -> None:
    for _ in range(times):
        with store.transaction() as tx:
            tx.wait_for_time([1])


def numbers(store: Any) -> list[int]:
    with store.read() as reader:
        return [row[0] for row in reader.connection.execute("SELECT number FROM revision ORDER BY number")]


def test_old_ones_go_with_new_ones(store: Any) -> None:
    """A reader that looked away for so long is told to look at everything anew."""
    fill(store, INSTANCE)
    with store.transaction() as tx:
        tx.connection.execute(
            "INSERT INTO revision (number, backfills, whole, instances, rights) VALUES (?, '', '', '', 0)",
            (KEPT + 10,),
        )
    assert numbers(store) == [1, KEPT + 10]
    write(store, PRUNE_EVERY)
    assert numbers(store) == [*range(KEPT + 10, KEPT + 11 + PRUNE_EVERY)]
    with store.read() as reader:
        assert reader.revisions.since(1, 5) is None
        assert len(reader.revisions.since(KEPT + 10, 5)) == 5
