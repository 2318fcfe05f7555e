"""How the embedded store opens its file: durable, under one lock, upgraded, never harmed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import sqlite3
import stat
from pathlib import Path

import pytest

from contracts.ledgers import INSTANCE, fill, in_state
from retrofill import failpoints
from retrofill.domain.errors import StoreFullError, StoreUnavailableError
from retrofill.domain.running.states import State
from retrofill.services.ports.records import VersionRecord
from retrofill.store.schema import tables
from retrofill.store.schema.revision import NewerSchemaError, StoreError
from retrofill.store.sqlite import database, schema
from retrofill.store.sqlite.database import Database
from store.connections import Connections, file_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".retrofill"


def test_every_commit_is_durable(home: Path) -> None:
    """RUN-1: WAL with FULL sync, and no checkpoint outside the lock."""
    seen = Connections()
    store = Database(home, watch=seen.note).open()
    asked = {
        name: seen.writer.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys")
    }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "wal_autocheckpoint": 0, "foreign_keys": 1}
    store.close()


def test_only_the_owner_may_read_it(home: Path) -> None:
    """SEC-3."""
    Database(home).open().close()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_transaction_holds_the_lock_of_writers(home: Path) -> None:
    """POL-13: from its begin to its commit."""
    store = Database(home).open()
    other = os.open(home / "write.lock", os.O_RDWR)
    with store.transaction() as tx:
        tx.reserve_instance_ids(1)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_UN)
    os.close(other)
    store.close()


def test_ids_go_on_after_those_of_an_older_program(home: Path) -> None:
    """CAT-3: which did not note them."""
    store = Database(home)
    first = fill(store)
    with file_of(store) as file:
        file.execute("DELETE FROM counter")
    assert fill(store) == first + 1
    store.close()


def test_readers_cannot_write(home: Path) -> None:
    """RUN-1: a view is opened read-only."""
    seen = Connections()
    store = Database(home, watch=seen.note)
    with store.read(), pytest.raises(sqlite3.OperationalError, match="readonly"):
        seen.reader.execute("DELETE FROM task")
    store.close()


def test_a_reader_does_not_wait_for_a_writer(home: Path) -> None:
    """RUN-1: nor the other way round."""
    store, other = Database(home), Database(home)
    with store.transaction() as tx:
        tx.add_version("{}", 1, "admin")
        with other.read() as reader:
            assert reader.current_version() is None
    store.close()
    other.close()


def test_a_long_life_keeps_the_wal_small(home: Path) -> None:
    """BF-5: checkpoints happen while it is written."""
    store = Database(home)
    big = "x" * 200_000
    for i in range(192):
        with store.transaction() as tx:
            tx.add_version(big, i, "admin")
    assert (home / "retrofill.db-wal").stat().st_size < 40 << 20
    store.close()
    assert not (home / "retrofill.db-wal").exists()


def test_a_checkpoint_that_finds_no_room_is_tried_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-1: what is committed has been committed, even where it cannot be copied into the file yet."""
    monkeypatch.setattr(database, "COMMITS_UNTIL_CHECKPOINT", 1)
    store = Database(home)
    path = home / "retrofill.db"
    with store.transaction() as tx:
        tx.add_version("x" * 1_000_000, 1, "admin")
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (size, before[1])
    )  # no file may become larger, as on a full disk
    try:
        with store.transaction() as tx:
            tx.add_version("y" * 200_000, 2, "admin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.stat().st_size == size, "it did find room"
    with store.read() as reader:
        assert reader.current_version() == (2, "y" * 200_000)
    with store.transaction() as tx:
        tx.record(3, "admin", "deploy")
    assert path.stat().st_size > size + 200_000
    store.close()


def test_names_with_odd_characters(tmp_path: Path) -> None:
    """CAT-1: a folder may be called anything."""
    home = tmp_path / "100% ?odd#=&name'"
    store = Database(home)
    with store.read() as reader:
        assert reader.current_version() is None
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [home.name]


# The schema


def test_migrations_make_what_the_tables_say(home: Path) -> None:
    """OPS-0: migrated and declared schema are the same, and so is that of a new store."""
    from sqlalchemy import create_engine

    Database(home).open().close()
    with contextlib.closing(sqlite3.connect(home / "retrofill.db")) as connection:
        made = _definitions(connection)
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection)
        migrated = _definitions(connection)
    assert made == migrated
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        engine = create_engine("sqlite://", creator=lambda: connection)
        tables.metadata.create_all(engine)
        wanted = _definitions(connection)
    assert {"instance", "instance_ready"} <= wanted.keys()
    assert migrated.keys() - {"alembic_version"} == wanted.keys()
    for name, definition in wanted.items():
        assert migrated[name] == definition, name


def test_a_store_of_the_version_before(home: Path) -> None:
    """CAT-3: it is migrated when it is opened, with what it holds."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    home.mkdir()
    config = Config()
    config.set_main_option(
        "script_location", str(Path(schema.__file__).parent.parent / "schema" / "migrations")
    )
    with create_engine(f"sqlite:///{home / 'retrofill.db'}").begin() as old:
        config.attributes["connection"] = old
        command.upgrade(config, "0002")
        old.exec_driver_sql(
            "INSERT INTO catalog_version (document, created_ms, created_by) VALUES (?, 5, 'alice')",
            ('{"tasks": {"w.a": {}, "w.b": {}}}',),
        )
    store = Database(home)
    with store.read() as reader:
        assert reader.health.schema() == schema.HEAD
        assert reader.versions.latest(-1) == [VersionRecord(1, 5, "alice", 2, None)]
    store.close()


def _definitions(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Parts of every table's and index's definition, whatever their order, quotes and spacing."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: sorted(_parts(sql)) for name, sql in rows}


def _parts(sql: str) -> list[str]:
    """A definition cut at the commas of its outermost brackets."""
    parts, depth = [""], 0
    for letter in sql.replace('"', ""):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if (letter == "," and depth == 1) or (letter in "()" and depth == (letter == "(")):
            parts.append("")
        else:
            parts[-1] += letter
    return [" ".join(part.split()) for part in parts]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'done'",
        "state = 'frozen'",
        "frozen_from = 'not_run'",
        "state = 'running'",
        "open_waits = -1",
        "kind = 'walk'",
        "task_id = NULL",
        "task_id = 99",
        "backfill_id = 99",
    ],
)
def test_the_file_refuses_what_cannot_be(home: Path, change: str) -> None:
    """OPS-0, CAT-3: CHECKs and foreign keys hold, whoever writes."""
    seen = Connections()
    store = Database(home, watch=seen.note)
    fill(store, INSTANCE)
    with pytest.raises(sqlite3.IntegrityError):
        seen.writer.execute(f"UPDATE instance SET {change} WHERE id = 1")
    store.close()


def test_the_check_of_states_is_the_state_table(home: Path) -> None:
    """OPS-0: made from it."""
    store = Database(home).open()
    with file_of(store) as file:
        (sql,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'instance'").fetchone()
    assert all(f"'{state.value}'" in sql for state in State)
    store.close()


def test_a_newer_store_is_refused_and_left_alone(home: Path) -> None:
    """CAT-1: naming both versions."""
    store = Database(home).open()
    with file_of(store) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    before = (home / "retrofill.db").read_bytes()
    with pytest.raises(NewerSchemaError, match=f"schema 9999, this program knows up to {schema.HEAD}"):
        Database(home).open()
    assert (home / "retrofill.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"x" * 5_000, b"SQLite format 3\0" + b"\xff" * 5_000, b"\0" * 5_000])
def test_what_is_no_database_is_refused_and_left_alone(home: Path, content: bytes) -> None:
    """CAT-1."""
    home.mkdir()
    (home / "retrofill.db").write_bytes(content)
    with pytest.raises(StoreError, match="cannot be used as a store"):
        Database(home).open()
    assert (home / "retrofill.db").read_bytes() == content


# What questions cost


@pytest.mark.parametrize("state", [State.WAITING_RESOURCES, State.WAITING_TIME])
def test_what_waits_in_others_costs_nothing(home: Path, state: State) -> None:
    """BF-5: a status is asked on every tick; the steps of SQLite are counted, not the time."""
    seen = Connections()
    store = Database(home, watch=seen.note)
    own = fill(store, in_state(state, 1))
    fill(store, in_state(state, 2))
    beside_one = _steps(store, seen, own)
    fill(store, *[in_state(state, number) for number in range(3, 1_000)])
    assert _steps(store, seen, own) == beside_one
    store.close()


def _steps(store: Database, seen: Connections, backfill_id: int) -> int:
    """Of SQLite's machine, for what waits in a backfill."""
    with store.read() as reader:
        reader.has_waiting(backfill_id), reader.waiting(backfill_id)  # the statements are prepared
        with seen.steps(seen.reader) as steps:
            assert sum(reader.has_waiting(backfill_id)) == 1
            assert sum(reader.waiting(backfill_id)) == 1
    assert len(steps) > 10
    return len(steps)


@pytest.mark.parametrize(("error", "kind"), [("ENOSPC", StoreFullError), ("EIO", StoreUnavailableError)])
def test_a_commit_that_the_disk_refuses_is_rolled_back(
    tmp_path: Path, error: str, kind: type[Exception]
) -> None:
    """RUN-3: nothing of it is there, and the next one is."""
    store = Database(tmp_path)
    store.open()
    with failpoints.asked_for(f"fault.store={error}@1"), pytest.raises(kind), store.transaction() as tx:
        tx.set_deployed("task", ["w.a"])
    with store.transaction() as tx:
        assert tx.task_ids() == {}
        tx.set_deployed("task", ["w.b"])
    with store.read() as reader:
        assert list(reader.task_ids()) == ["w.b"]
    store.close()
