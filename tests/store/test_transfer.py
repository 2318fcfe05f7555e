"""A store copied into another one: there and back, and what keeps it from being copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from contracts.ledgers import fill, in_state
from databases import postgres
from databases.stores import STORES
from retrofill.domain.running.states import State
from retrofill.services.ports.records import UserRecord
from retrofill.store import transfer
from retrofill.store.postgres.database import Database as ServerDatabase
from retrofill.store.transfer import CopyDiffersError, StoreInUseError

MakeStore = Callable[[str], Any]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeStore]:
    """A new store of a kind."""
    with ExitStack() as closing:
        made: list[str] = []

        def one(kind: str) -> Any:
            made.append(kind)
            room = STORES[kind](tmp_path / str(len(made)))
            closing.callback(room.close)
            store = room.open()
            closing.callback(store.close)
            return store.open()

        yield one


def full(store: Any) -> Any:
    """Something in many tables; texts that sort differently by language, bytes, nulls, large numbers."""
    fill(
        store,
        *(in_state(state, number) for number, state in enumerate(State, start=1)),
        name='Ünïcode "ß" \\ zz',
    )
    with store.transaction() as tx:
        tx.set_deployed("task", ["w.a", "w.Z", "w.ä", "w._"])
        tx.versions.add_contents({"a" * 64: bytes(range(256)), "B" * 64: b""})
        tx.start([(4, 1, "token")], "boot", 1 << 45)
        tx.interventions.remove_waits(3, [1, 2])
        tx.people.put_user(UserRecord(0, "alice", "a@example.com", "", 1, 5))
        tx.outbox.add(1, "failure", "email", 7)
        for number in range(3):
            tx.record(number, "eve", "rerun", 1, 1, comment="line\nline")
    return store


def copied(source: Any, target: Any) -> list[transfer.CopiedTable]:
    with source.transaction() as tx, target.transaction() as other:
        return transfer.copy(tx.connection, other.connection)


@pytest.mark.parametrize(("one", "other"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_there_and_back(make: MakeStore, one: str, other: str) -> None:
    """POL-13: both hold the same, and go on in the same way."""
    source, there, back = full(make(one)), make(other), make(one)
    tables = copied(source, there)
    assert copied(there, back) == tables
    counts = {table.name: table.rows for table in tables}
    assert (counts["instance"], counts["task"], counts["content"], counts["operation"]) == (7, 4, 2, 3)
    with source.read() as before, back.read() as after:
        assert before.instances(range(9)) == after.instances(range(9))
        assert before.task_ids() == after.task_ids()
    for store in (source, back):
        with store.transaction() as tx:
            assert tx.reserve_instance_ids(1) == 8
            assert tx.add_version("{}", 1, "admin") == 2


@pytest.mark.parametrize("kind", STORES)
def test_a_store_that_holds_something_is_left_alone(make: MakeStore, kind: str) -> None:
    """RUN-8."""
    source, target = full(make("sqlite")), make(kind)
    with target.transaction() as tx:
        tx.set_deployed("workspace", ["theirs"])
    with pytest.raises(StoreInUseError, match="its table workspace is not empty"):
        copied(source, target)
    with target.read() as reader:
        assert reader.task_ids() == {}


def test_many_rows_go_page_by_page(make: MakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """POL-13: keys of one column and of several."""
    monkeypatch.setattr(transfer, "ROWS", 2)
    source = full(make("sqlite"))
    tables = {table.name: table.rows for table in copied(source, make("postgresql"))}
    assert tables["instance"] == 7
    assert tables["removed_wait"] == 2


def test_a_copy_that_differs_does_not_count(make: MakeStore, tmp_path: Path) -> None:
    """RUN-1: what was written is read back."""
    source = full(make("sqlite"))
    with postgres.database() as url, closing(ServerDatabase(url, tmp_path / "target")) as target:
        postgres.execute(
            url,
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.priority = 8; RETURN NEW; END'",
            "CREATE TRIGGER lose BEFORE INSERT ON instance FOR EACH ROW EXECUTE FUNCTION lose()",
        )
        with pytest.raises(CopyDiffersError, match="the copy of instance is not what was read: 7 of 7 rows"):
            copied(source, target)
        with target.read() as reader:
            assert reader.task_ids() == {}
