"""sql tasks: transactions, results and errors in the log, one DuckDB file among many who want it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import duckdb
import pytest

from executors.rooms import Room, collect, read_process, wait_until
from retrofill.executors.runners.others import last_result
from retrofill.executors.runners.output import Mask

_USER = """
import duckdb, sys
try:
    duckdb.connect(sys.argv[1]).execute('insert into t values (200)')
except duckdb.IOException:
    pass
"""
_HOLDER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print(1, flush=True)
input()
"""


@pytest.fixture
def url(room: Room) -> str:
    return f"duckdb:///{room.path('w.duckdb')}"


def query(room: Room, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(room.path("w.duckdb"))) as connection:
        return connection.execute(sql).fetchall()


def test_statements_in_one_transaction(room: Room, url: str) -> None:
    """PAR-4: what each did is in the log."""
    code = "create table t(a int, b varchar);\ninsert into t values (1, 'x'), (2, null);\nselect * from t order by a;"
    end, log = room.run(code, type="sql", url=url)
    lines = [line.rpartition(" (")[0] if line.startswith("[") else line for line in log.splitlines()]
    assert end.exit_code == 0
    assert lines == [
        "[1/3] create table t(a int, b varchar)",
        "[2/3] insert into t values (1, 'x'), (2, null) -> 2 rows",
        "[3/3] select * from t order by a",
        "a  b",
        "-  ----",
        "1  x",
        "2  null",
        "(2 rows)",
    ]


def test_a_failed_statement_undoes_all(room: Room, url: str) -> None:
    """OPS-0: the sentence names the statement, and nothing of it stays."""
    end, log = room.run("create table t(a int);\n-- why\nselect * from nope where x = 1", type="sql", url=url)
    assert (end.exit_code, end.message) == (1, "exit status 1")
    assert "Statement 2 of 2, in line 3, failed: Catalog Error: Table with name nope does not exist!" in log
    assert "The statement: select * from nope where x = 1\n" in log
    assert "Nothing was changed: the transaction was rolled back.\n" in log
    assert log.splitlines()[-1].startswith(
        "Statement 2 of 2, in line 3, failed: "
    )  # others show the last line
    assert "Traceback" not in log
    assert query(room, "from duckdb_tables()") == []


def test_own_transactions_are_left_alone(room: Room, url: str) -> None:
    code = "begin; create table t(a int); commit; select * from nope"
    end, log = room.run(code, type="sql", url=url)
    assert end.exit_code == 1
    assert "rolled back" not in log
    assert query(room, "select count(*) from t") == [(0,)]


def test_what_cannot_be_in_a_transaction(room: Room, url: str) -> None:
    end, log = room.run("create table t(a int); checkpoint; select 1", type="sql", url=url)
    assert (end.exit_code, log.splitlines()[0]) == (
        0,
        "Not in one transaction, because a statement cannot be part of one.",
    )


def test_large_results_are_cut(room: Room, url: str) -> None:
    _, log = room.run("select range as n, repeat('x', 100) from range(1000)", type="sql", url=url)
    assert log.endswith("(the first 40 rows)\n")
    assert log.count("\n") == 44
    assert max(map(len, log.splitlines()[1:])) < 60


def test_many_tasks_on_one_file(room: Room, url: str) -> None:
    """PAR-4: sql tasks, a python task and a user's program share a DuckDB file; all succeed, none is lost."""
    with duckdb.connect(str(room.path("w.duckdb"))) as connection:
        connection.execute("create table t(a int)")
    path = str(room.path("w.duckdb"))
    python = f"import duckdb\nwith duckdb.connect({path!r}) as c: c.execute('insert into t values (100)')"
    specs = [room.spec(f"insert into t values ({i})", type="sql", url=url) for i in range(6)]
    specs.insert(3, room.spec(python, type="python"))
    executor = room.executor()
    executor.start(specs)
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _USER, path], check=True)
    ends = collect(executor, 7)
    assert {end.exit_code for end in ends} == {0}, [room.log(spec) for spec in specs]
    numbers = [row[0] for row in query(room, "select a from t where a <> 200 order by a")]
    assert numbers == [0, 1, 2, 3, 4, 5, 100]


def test_a_file_that_somebody_has_open(room: Room, url: str) -> None:
    """PAR-4: the task waits, says so, and goes on when the file is free."""
    call = [sys.executable, "-c", _HOLDER, str(room.path("w.duckdb"))]
    holder = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    executor = room.executor()
    spec = room.spec("select 42 as answer", type="sql", url=url)
    executor.start([spec])
    wait_until(lambda: room.log(spec), "the task's words")
    assert room.log(spec).startswith("Waiting: IO Error: Could not set lock on file")
    assert executor.poll() == []
    holder.communicate()
    assert collect(executor, 1)[0].exit_code == 0
    assert "42" in room.log(spec)


def test_waiting_ends_with_the_runs_timeout(room: Room, url: str) -> None:
    """RUN-4."""
    with duckdb.connect(str(room.path("w.duckdb"))):
        end, _ = room.run("select 1", type="sql", url=url, timeout_seconds=1)
    assert end.outcome == "timeout"


def test_stopping_a_query(room: Room, url: str) -> None:
    """OPS-1: promptly, in the middle of a statement, and nothing of it stays."""
    executor = room.executor()
    endless = "create table u as select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
    spec = room.spec(f"create table t(a int); {endless}", type="sql", url=url)
    executor.start([spec])
    wait_until(lambda: "[1/2]" in room.log(spec), "the first statement")
    executor.stop(spec.ref)
    (end,) = collect(executor, 1, seconds=8)
    assert end.outcome == "stopped"
    assert end.exit_code == 143
    assert room.log(spec).endswith("Stopped; the transaction was rolled back.\n")
    assert query(room, "from duckdb_tables()") == []


def test_stopping_a_task_that_waits_for_its_file(room: Room, url: str) -> None:
    """OPS-1."""
    executor = room.executor()
    with duckdb.connect(str(room.path("w.duckdb"))):
        spec = room.spec("select 1", type="sql", url=url)
        executor.start([spec])
        wait_until(lambda: room.log(spec), "the task's words")
        executor.stop(spec.ref)
        (end,) = collect(executor, 1, seconds=8)
    assert end.outcome == "stopped"


def test_other_databases(room: Room) -> None:
    """PAR-4: any SQLAlchemy URL, in one transaction too, definitions of tables included."""
    url = f"sqlite:///{room.path('w.sqlite')}"
    end, log = room.run(
        "create table t(a int); insert into t values (1), (2); select * from t", type="sql", url=url
    )
    assert end.exit_code == 0
    assert "-> 2 rows" in log
    assert log.endswith("a\n-\n1\n2\n(2 rows)\n")
    end, log = room.run(
        "create table u(a int); insert into t values (3); select * from nope", type="sql", url=url
    )
    assert end.exit_code == 1
    assert "Statement 3 of 3, in line 1, failed: no such table: nope\n" in log
    with sqlite3.connect(room.path("w.sqlite")) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (2,)
        assert connection.execute("select count(*) from sqlite_master").fetchone() == (1,)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("duckdb:////no/such/folder/x.duckdb", "Cannot open the connection: IO Error: Cannot open file"),
        ("nonsense", "Cannot open the connection: Could not parse SQLAlchemy URL"),
        ("duckdb://x", "Cannot open the connection: the url has two slashes"),
        ("oracle+cx_oracle://u:geheim@h/x", "Cannot open the connection: its driver is not installed"),
        ("postgresql+psycopg://etl:geheim@127.0.0.1:1/mart", "Cannot open the connection: connection failed"),
        ("gibtsnicht://u:geheim@h/x", "Cannot open the connection: Can't load plugin"),
    ],
)
def test_a_connection_that_cannot_be_opened(room: Room, url: str, sentence: str) -> None:
    """SEC-3: one sentence, no traceback, no password."""
    end, log = room.run("select 1", type="sql", url=url)
    assert end.exit_code == 1
    assert log.startswith(sentence)
    assert "Traceback" not in log
    assert "geheim" not in log


def test_connections_are_on_no_command_line(room: Room) -> None:
    """SEC-3: nor in the environment, the journal or the log."""
    path = room.path("w.duckdb")
    with duckdb.connect(str(path)):
        executor = room.executor()
        spec = room.spec("select 'code'", type="sql", url=f"duckdb:///{path}?password=geheim")
        executor.start([spec])
        wait_until(lambda: room.log(spec), "the task's words")
        told = [
            read_process(int(name), file)
            for name in os.listdir("/proc")
            if name.isdigit() and int(name) != os.getpid()
            for file in ("cmdline", "environ")
        ]
        executor.stop(spec.ref)
        collect(executor, 1)
    assert not [text for text in told if b"geheim" in text]
    assert b"geheim" not in b"".join(path.read_bytes() for path in (*room.journals(), room.log_path(spec)))


@pytest.mark.parametrize(
    ("url", "text", "masked"),
    [
        ("postgresql://u:s%40cret@h/d", "no entry for s@cret", "no entry for ***"),
        ("postgresql://u:s%40cret@h/d", "bad s%40cret", "bad ***"),
        ("postgresql://u:hush@h/d", "cannot parse postgresql://u:hush@h/d", "cannot parse ***"),
        ("x://h/d?access_token=abc%2Fd&x=name", "token abc/d of name", "token *** of name"),
        ("duckdb:////data/w.duckdb", "cannot open /data/w.duckdb", "cannot open /data/w.duckdb"),
        ("postgresql://u@h/d", "no password for u", "no password for u"),
    ],
)
def test_masking(url: str, text: str, masked: str) -> None:
    """SEC-3: passwords, written either way, secret-looking options and the URL."""
    assert Mask(url)(text) == masked


class _Cursor:
    """A driver's cursor after a batch: results in turn, an exception where a statement failed."""

    def __init__(self, *results: int | list[tuple[object, ...]] | Exception) -> None:
        self._left = list(results)
        self.is_closed = False
        self._show(self._left.pop(0))

    def _show(self, result: int | list[tuple[object, ...]] | Exception) -> None:
        if isinstance(result, Exception):
            raise result
        is_rows = isinstance(result, list)
        self.description = [("n", None)] if is_rows else None
        self.rowcount = -1 if is_rows else result
        self._rows = result if is_rows else []

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        return self._rows[:size]

    def nextset(self) -> bool:
        if self._left:
            self._show(self._left.pop(0))
            return True
        return False

    def close(self) -> None:
        self.is_closed = True


def test_all_results_of_a_batch_are_waited_for() -> None:
    """PAR-4: SQL Server runs a batch on while its results are fetched, and tells an error with the result."""
    cursor = _Cursor(3, [(1,), (2,)], 5)
    assert last_result(cursor, 1) == (5, ["n"], [(1,)])
    assert cursor.is_closed
    with pytest.raises(ValueError, match="duplicate key"):
        last_result(_Cursor(3, ValueError("duplicate key")), 1)
