"""How often a tick waits for the server, and how much of a table a question reads (docs/decisions/0014)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from contracts.ledgers import INSTANCE, fill
from databases.wire import Wire, wired
from domain.catalogs import make_task
from retrofill.services.ports.hosting import Offer
from retrofill.services.ports.records import ReportedEnd
from retrofill.store.postgres.database import Database
from services.worlds import World
from store.postgres.conftest import MakeStore

_CHAIN = 40


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    names = [f"w.t{number}" for number in range(_CHAIN)]
    tasks = [make_task(name, "0 1 * * *", *names[:number][-1:]) for number, name in enumerate(names)]
    made = World(tmp_path, *tasks, stores="postgresql", slots=1)
    yield made
    made.close()


@pytest.fixture
def wire(world: World) -> Iterator[Wire]:
    """Over which the world's scheduler reaches its server."""
    with wired(world.stores.url) as one:  # type: ignore[union-attr]
        world.scheduler_store = Database(one.url, world.directory / ".retrofill", "demo", world.clock.boot)
        world.restart()
        yield one
        world.scheduler_store.close()


def least(wire: Wire, acts: list[Callable[[], object]]) -> tuple[int, list[str]]:
    """The one of these that waited least: other tests write to the same server, which makes a tick look around."""
    found = []
    for act in acts:
        wire.counted()
        act()
        found.append(wire.counted())
    return min(found)


def test_what_workers_write_is_no_reason_to_read_everything_again(make_store: MakeStore) -> None:
    """RUN-1: a claim is told to who looks on, and changes nothing that is to be decided; nor does a report."""
    leader, server = make_store().open(), make_store(home="elsewhere")
    fill(leader, INSTANCE)
    with leader.transaction() as tx:
        before = tx.others_commits()
        tx.start([(1, 1, "token")], "", 1, executor="pull")
        revision = tx.revisions.last()
    with server.transaction() as tx:
        tx.hosting.claim([Offer(1, 1, "token")], "etl1", "boot", 2)
    with server.transaction() as tx:
        tx.hosting.report("etl1", [ReportedEnd(1, 1, "token", "exited", 0, None, 2, 3, "")])
    with leader.transaction() as tx:
        assert tx.others_commits() == before
        assert [one.instances for one in tx.revisions.since(revision, 9) or ()] == [(1,), (1,)]
        assert [end.token for end in tx.hosting.take_reports()] == ["token"]
    with server.transaction() as tx:
        tx.mark_stopping(1)
    with leader.transaction() as tx:
        assert tx.others_commits() != before


def test_a_tick_waits_for_its_server_a_few_times(world: World, wire: Wire) -> None:
    """RUN-1: once for what it begins with, for each question that follows from an answer, and for the commit."""
    world.create()
    world.tick()
    names = [f"t{number} 5 01:00" for number in range(_CHAIN - 1)]
    waits, statements = least(wire, [partial(world.end, name) for name in names])
    assert world.running() == {f"t{_CHAIN - 1} 5 01:00"}
    assert waits <= 5, statements
    assert len(statements) <= 16, statements


def test_an_idle_tick(world: World, wire: Wire) -> None:
    """RUN-1: once for what it begins with, once for the queue, once for the commit."""
    world.create()
    waits, statements = least(wire, [world.tick] * 100)
    assert waits <= 3, statements


def test_questions_by_id_read_nothing_else(make_store: MakeStore) -> None:
    """RUN-1: whatever statistics say of a table that was just filled."""
    store = make_store()
    fill(store, *(INSTANCE._replace(id=number, task_id=number) for number in range(1, 2_001)))
    with store.transaction() as tx:
        assert [row.id for row in tx.instances([3, 5])] == [3, 5]
        assert [row.id for row in tx.open_of([3, 5])] == [3, 5]
        read = tx.connection.execute(
            "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'instance'"
        ).fetchone()[0]
    assert read <= 4
