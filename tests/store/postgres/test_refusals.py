"""What can be wrong with a server, and the one sentence that is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest

from contracts.ledgers import INSTANCE, fill
from databases import postgres
from databases.wire import wired
from retrofill.domain.errors import RetrofillError, StoreBusyError, StoreUnavailableError
from retrofill.services.ports import ConstraintError, Ledger
from retrofill.store.dialects import postgresql
from retrofill.store.postgres.belonging import EmptiedStoreError, ForeignStoreError
from retrofill.store.postgres.database import WRITERS, Database
from retrofill.store.postgres.refusals import ReadOnlyStoreError, StoreUnreachableError
from retrofill.store.schema import revision
from retrofill.store.schema.revision import NewerSchemaError, StoreError
from retrofill.store.statements.ledger import UPCOMING
from store.postgres.conftest import MakeStore

PASSWORD = "not-a-secret"
_HOLDER = r"a connection of a report.* \(server process \d+, idle in its transaction for"


def change(store: Database, *acts: Callable[[Ledger], object]) -> None:
    """All in one transaction."""
    with store.transaction() as tx:
        for act in acts:
            act(tx)


def said(store: Database) -> str:
    """The error's sentence when it is looked at; no password is in it."""
    with pytest.raises(RetrofillError) as raised, store.read():
        pass
    assert PASSWORD not in f"{raised.value.message} {raised.value.hint}"
    return raised.value.message


@pytest.mark.parametrize(
    ("pattern", "put", "reason"),
    [
        (r":\d+/", ":1/", "nobody listens there"),
        (PASSWORD, "wrong", "it refuses the password"),
        (f":{PASSWORD}", "", "it asks for a password, and the URL holds none"),
        (r"/retrofill_\w+$", "/nowhere", 'database "nowhere" does not exist'),
        (r"@.*:", "@nowhere.invalid:", "resolve host 'nowhere.invalid'"),
    ],
)
def test_a_server_that_cannot_be_reached(
    make_store: MakeStore, url: str, pattern: str, put: str, reason: str
) -> None:
    """POL-13: each in one sentence that names the database and no password."""
    message = said(make_store(re.sub(pattern, put, url)))
    assert message.startswith("the database ")
    assert reason in message


def test_no_connection_is_left(make_store: MakeStore, url: str, somebody: psycopg.Connection[Any]) -> None:
    """POL-13: what to do about it is said, too."""
    somebody.execute(f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT 1")
    somebody.commit()
    with (
        pytest.raises(StoreUnreachableError, match="it has no connection left") as raised,
        make_store().read(),
    ):
        pass
    assert "max_connections" in str(raised.value.hint)


def test_a_server_that_may_only_be_read(
    make_store: MakeStore, url: str, somebody: psycopg.Connection[Any]
) -> None:
    """POL-13: a replica can be looked at; who writes is told."""
    fill(make_store(), INSTANCE)
    somebody.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    somebody.commit()
    replica = make_store()
    with replica.read() as reader:
        assert [row.id for row in reader.instances([1])] == [1]
    with pytest.raises(ReadOnlyStoreError, match="read-only replica"), replica.transaction() as tx:
        tx.record(1, "admin", "deploy")


def test_tables_of_somebody_else(make_store: MakeStore) -> None:
    """CAT-1: a database that holds other things is left alone."""
    with postgres.database(is_empty=True) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE theirs (id bigint)")
        with pytest.raises(StoreError, match="tables that are not of Retrofill"), make_store(url).read():
            pass


def test_a_schema_that_is_newer(make_store: MakeStore, somebody: psycopg.Connection[Any]) -> None:
    somebody.execute("UPDATE alembic_version SET version_num = '9999'")
    somebody.commit()
    with pytest.raises(NewerSchemaError, match=f"schema 9999, this program knows up to {revision.HEAD}"):
        make_store().open()


def test_a_schema_that_is_older_is_migrated_with_what_it_holds(make_store: MakeStore) -> None:
    """CAT-3."""
    with postgres.database(is_empty=True) as url:
        _migrate(url, "0003")
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO task (id, name, deployed) VALUES (7, 'w.a', 1)")
        with make_store(url).read() as reader:
            assert reader.task_ids() == {"w.a": 7}
            assert reader.health.schema() == revision.HEAD


def _migrate(url: str, to: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    config = Config()
    config.set_main_option("script_location", str(revision.MIGRATIONS))
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
    engine.dispose()


# Whose it is


def test_two_deployments_at_one_database(make_store: MakeStore) -> None:
    """RUN-8: the second is told whose it is, and has changed nothing."""
    fill(make_store(project="flights"), INSTANCE)
    with pytest.raises(ForeignStoreError, match="belongs to the deployment flights, and this one is weather"):
        make_store(home="other", project="weather").open()
    make_store(home="second machine", project="flights").open()


def test_a_folder_that_worked_on_another_store(make_store: MakeStore, tmp_path: Path) -> None:
    """RUN-8: of two deployments of one name, too."""
    make_store().open()
    with postgres.database() as other:
        make_store(other, home="other").open()
        with pytest.raises(ForeignStoreError, match="this folder has worked on another store") as raised:
            make_store(other).open()
        (tmp_path / "home" / "store.word").unlink()
        assert "store.word" in str(raised.value.hint)
        make_store(other).open()


def test_a_database_that_was_emptied(make_store: MakeStore) -> None:
    """RUN-8: nobody begins anew by mistake."""
    make_store().open()
    with postgres.database(is_empty=True) as empty:
        store = make_store(empty)
        with pytest.raises(EmptiedStoreError, match="this is no fresh one"):
            store.is_there()
        with pytest.raises(EmptiedStoreError):
            store.open()
        assert not make_store(empty, home="new").is_there()


# Others at work


@pytest.mark.parametrize(
    "statement",
    [
        "LOCK TABLE instance",
        f"SELECT pg_advisory_xact_lock({WRITERS})",
        "UPDATE instance SET priority = 3",
    ],
)
def test_a_transaction_that_somebody_left_open(
    make_store: MakeStore, somebody: psycopg.Connection[Any], statement: str
) -> None:
    """RUN-1: who waits in vain says for whom; looking goes on where the table is not locked."""
    fill(make_store(), INSTANCE)
    somebody.execute(statement)  # type: ignore[arg-type]
    waiting = make_store(patience_seconds=0.2)
    with (
        pytest.raises(StoreBusyError, match=_HOLDER) as raised,
        waiting.transaction() as tx,
    ):
        tx.wait_for_time([1])
    assert "has kept the database" in raised.value.message
    somebody.rollback()
    with waiting.transaction() as tx:
        tx.wait_for_time([1])


def test_a_view_that_somebody_holds_keeps_nobody_from_writing(
    make_store: MakeStore, somebody: psycopg.Connection[Any]
) -> None:
    """RUN-1: a report that takes an hour."""
    store = make_store()
    fill(store, INSTANCE)
    somebody.execute("SELECT count(*) FROM instance")
    with store.transaction() as tx:
        tx.wait_for_time([1])


def test_what_contradicts_the_store_is_undone(make_store: MakeStore) -> None:
    store = make_store()
    fill(store, INSTANCE)
    with pytest.raises(ConstraintError):
        change(store, lambda tx: tx.record(1, "admin", "deploy"), lambda tx: tx.add_instances([INSTANCE]))
    with store.transaction() as tx:
        assert tx.operations("backfill_id", 1) == []


# Connections that are lost


@pytest.fixture
def store(make_store: MakeStore) -> Database:
    one = make_store()
    fill(one, INSTANCE)
    return one


def cut(somebody: psycopg.Connection[Any]) -> None:
    """End every other connection to the database, as a server does that is restarted."""
    somebody.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    somebody.commit()


def test_a_connection_that_was_lost_between_two_questions(
    store: Database, somebody: psycopg.Connection[Any]
) -> None:
    """RUN-1: nobody notices."""
    with store.read() as reader:
        assert reader.current_version_id() == 1
    cut(somebody)
    with store.read() as reader:
        assert reader.current_version_id() == 1
    cut(somebody)
    with store.transaction() as tx:
        tx.wait_for_time([1])


def test_a_connection_that_is_lost_in_the_middle(store: Database, somebody: psycopg.Connection[Any]) -> None:
    """RUN-1: all of the transaction is undone, and the next one goes on."""
    with pytest.raises(StoreUnreachableError):
        change(store, lambda tx: tx.wait_for_time([1]), lambda _: cut(somebody), lambda tx: tx.withdraw([1]))
    with store.read() as reader:
        assert reader.instances([1])[0].state == "not_run"
    with pytest.raises(StoreUnreachableError):
        look(store, somebody)


def look(store: Database, somebody: psycopg.Connection[Any]) -> None:
    with store.read() as reader:
        cut(somebody)
        reader.instances([1])


def test_the_answer_to_a_commit_is_lost(make_store: MakeStore, url: str) -> None:
    """RUN-1: whether it was committed is asked anew; nothing is taken for undone that was done."""
    with wired(url) as wire:
        store = make_store(wire.url)
        fill(store, INSTANCE)
        wire.swallows_commit = True
        change(store, lambda tx: tx.wait_for_time([1]))
        assert not wire.swallows_commit, "it was swallowed"
        with store.read() as reader:
            assert reader.instances([1])[0].state == "waiting_time"


def test_a_commit_that_does_not_reach_the_server(make_store: MakeStore, url: str) -> None:
    """RUN-1: nothing is taken for done that was not, whether COMMIT or what stands before it is lost."""
    with wired(url) as wire:
        store = make_store(wire.url)
        fill(store, INSTANCE)
        for lost in ("COMMIT", UPCOMING):
            wire.cut_before = postgresql(lost)
            with pytest.raises(StoreUnavailableError):
                change(store, lambda tx: tx.wait_for_time([1]), lambda tx: tx.upcoming())
            assert wire.cut_before is None, "it was cut"
            with store.read() as reader:
                assert reader.instances([1])[0].state == "not_run"


def test_idle_connections_that_were_lost_cost_nobody_a_question(
    make_store: MakeStore, somebody: psycopg.Connection[Any]
) -> None:
    """RUN-1: a term is renewed although all connections were lost since the last look."""
    store = make_store().open()
    views = [store.read() for _ in range(4)]
    part = store.leadership()
    with ThreadPoolExecutor(4) as pool:
        barrier = Barrier(4)
        list(pool.map(lambda view: _look_together(view, barrier), views))
    cut(somebody)
    assert part.lead(), "with the first question"
    part.resign()


def _look_together(view: AbstractContextManager[Any], barrier: Barrier) -> None:
    with view as reader:
        barrier.wait(30)  # so that each has a connection of its own
        reader.current_version_id()
