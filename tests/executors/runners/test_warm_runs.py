"""sql tasks are forks of a process that has imported what they need: as quick as that, and as separate as others."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from executors.rooms import (
    Room,
    collect,
    kill,
    marked_processes,
    parent_of,
    read_process,
    wait_for_end,
    wait_until,
)
from retrofill.executors.local import adoption, processes
from retrofill.services.ports import RunSpec

_PROGRAM = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as connection:
    print(*connection.execute(sys.argv[2]).fetchone(), sep="\\n")
"""
_FORKING = """
import json, os, signal, sys
from retrofill.executors.kernel import MarkSpace
from retrofill.executors.local.orders import RunOrder
from retrofill.executors.local.spawning import Carrier, fork

def run(payload):
    status = dict(line.split(":") for line in open("/proc/self/status").read().splitlines())
    print(json.dumps({
        "variables": dict(os.environ),
        "seen_by_others": open("/proc/self/environ").read().split(chr(0)),
        "payload": payload.decode(),
        "descriptors": [int(name) for name in os.listdir("/proc/self/fd")][:3],
        "ignored": status["SigIgn"].strip(), "handled": status["SigCgt"].strip(),
    }))
    return 0

mark = MarkSpace("RETROFILL_RUN", 256)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, print)
os.open("/dev/null", os.O_RDONLY)
fields = b"run 7.1.token 1 1 0 / sql".split() + [b"name\\nurl\\ncode", b"0", b"0", b"day=x y", b"RETROFILL_RUN=7.1.token"]
pid = fork(RunOrder(fields), 1, Carrier("sql", run, mark))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@contextmanager
def waiting(room: Room, **changes: object) -> Iterator[tuple[RunSpec, processes.Process]]:
    """A run of DuckDB that waits for its file, and its process."""
    executor = room.executor()
    path = room.path("w.duckdb")
    spec = room.spec("select 1", type="sql", url=f"duckdb:///{path}", **changes)  # type: ignore[arg-type]
    with duckdb.connect(str(path)):
        executor.start([spec])
        wait_until(lambda: room.log(spec), "the task's words")
        name = adoption.name_of(spec.ref)
        (process,) = processes.marked_with([name])[name]
        yield spec, process


def comm(process: processes.Process) -> str:
    return read_process(process.pid, "comm").decode().strip()


def test_a_fork_is_known_by_its_mark(room: Room) -> None:
    """RUN-4: it is a child of its supervisor in a session of its own, and others see whose it is."""
    with waiting(room) as (_, process):
        assert comm(process) == "retrofill-sql"
        assert process.parent in room.supervisors()
        assert os.getsid(process.pid) == process.pid


def test_a_fork_holds_nothing_of_its_supervisor(room: Room) -> None:
    """RUN-3: neither its socket nor its lock, or nobody would see it die."""
    with waiting(room) as (spec, process):
        folder = Path(f"/proc/{process.pid}/fd")
        log = str(room.log_path(spec))
        expected = sorted(["/dev/null", log, log, str(room.path(".w.duckdb.lock"))])

        def is_all() -> bool:
            held = []
            for name in os.listdir(folder):
                with contextlib.suppress(FileNotFoundError):  # a try to open the locked file, just given up
                    held.append(os.readlink(folder / name))
            return sorted(held) == expected

        wait_until(is_all, "it holds nothing else")


def test_a_fork_ends_when_its_supervisor_has_died(room: Room) -> None:
    """RUN-3: lost, and gone."""
    with waiting(room) as (_, process):
        kill(parent_of(process.pid))
        (end,) = collect(room.executors[0], 1)
        assert end.outcome == "lost"
        wait_for_end([process.pid])


def test_what_is_read_at_a_programs_start_is_respected(room: Room) -> None:
    """CAT-10: a task with such a variable is a program of its own."""
    with waiting(room, environment={"LC_ALL": "C"}) as (spec, process):
        assert comm(process) != "retrofill-sql"
        assert marked_processes(spec)


def test_a_fork_has_only_what_its_order_says(room: Room) -> None:
    """SEC-3: no variable of the process that it was forked from, no signal that this one ignores or handles."""
    environment = {**os.environ, processes.MARK: " " * processes.MARK_BYTES, "secret": "hush"}
    log = subprocess.run(
        [sys.executable, "-c", _FORKING], check=False, env=environment, capture_output=True, text=True
    )
    assert log.stderr == ""
    seen = json.loads(log.stdout)
    assert seen["variables"] == {"day": "x y", processes.MARK: "7.1.token"}
    assert f"{processes.MARK}=7.1.token" in seen["seen_by_others"]
    assert seen["payload"] == "name\nurl\ncode"
    assert seen["descriptors"] == [0, 1, 2]
    assert not int(seen["ignored"], 16) & (1 << (signal.SIGTERM - 1) | 1 << (signal.SIGHUP - 1))
    assert int(seen["handled"], 16) == 0
    assert int(seen["ignored"], 16) & (1 << (signal.SIGPIPE - 1)), (
        "a lost connection is an error, not a death"
    )


def test_duckdb_is_as_if_opened_directly(room: Room) -> None:
    """PAR-4: names, settings and files are those of a program that opens the file."""
    asked = (
        "select concat_ws('; ', current_database(), current_schema(), current_setting('threads'), "
        "current_setting('temp_directory'), "
        "(select list(database_name order by 1) from duckdb_databases() where not internal)) as seen"
    )
    path = room.path("it's w.duckdb")
    code = f"create table main.t(a int); create table r as {asked}"
    end, log = room.run(code, type="sql", url=f"duckdb:///{path}")
    assert end.exit_code == 0, log
    assert sorted(file.name for file in room.folder.glob("[!.]*w.duckdb*")) == ["it's w.duckdb"]
    direct = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(path), f"{asked}, (select seen from r)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    here, there = direct.stdout.splitlines()
    assert here == there


def test_no_two_runs_of_duckdb_draw_the_same_numbers(room: Room) -> None:
    """PAR-4: forks of one process, and yet random values and UUIDs are of each run alone."""
    path = room.path("w.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t(u uuid, x double)")
    code = "insert into t select uuid(), random() from range(3)"
    specs = [room.spec(code, type="sql", url=f"duckdb:///{path}") for _ in range(4)]
    executor = room.executor()
    executor.start(specs)
    assert {end.exit_code for end in collect(executor, len(specs))} == {0}
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("select count(distinct u), count(distinct x) from t").fetchone() == (12, 12)


def test_a_duckdb_file_may_have_any_name(room: Room) -> None:
    """PAR-4: also one that DuckDB uses itself."""
    for name in ("memory.duckdb", "temp.duckdb", 'a "b".duckdb', "retrofill_end.duckdb"):
        end, log = room.run("create table t(a int)", type="sql", url=f"duckdb:///{room.path(name)}")
        assert end.exit_code == 0, log
        with duckdb.connect(str(room.path(name))) as connection:
            assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_what_the_code_attaches_and_begins_is_let_go(room: Room) -> None:
    """PAR-4: as at the end of any program: what it has not committed is not there."""
    other = room.path("o.duckdb")
    code = f"attach '{other}' as o; create table o.t(a int); use o; begin; insert into t values (1)"
    end, log = room.run(code, type="sql", url=f"duckdb:///{room.path('w.duckdb')}")
    assert end.exit_code == 0, log
    assert not list(room.folder.glob("*.wal"))
    with duckdb.connect(str(other)) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_sqlite_tasks_take_turns(room: Room) -> None:
    """PAR-4: on one file, whatever each does first, none is told that the database is locked."""
    path = room.path("w.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute("create table t(a int)")
    codes = (
        "insert into t select count(*) from t",
        "select count(*) from t; insert into t values (-1); select count(*) from t",
        "begin; select count(*) from t; insert into t values (-2); commit",
    )
    specs = [room.spec(code, type="sql", url=f"sqlite:///{path}") for code in codes for _ in range(4)]
    executor = room.executor()
    executor.start(specs)
    ends = collect(executor, len(specs))
    assert {end.exit_code for end in ends} == {0}, [room.log(spec) for spec in specs]
    with sqlite3.connect(path) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (len(specs),)


def test_a_sqlite_file_that_somebody_writes(room: Room) -> None:
    """PAR-4: the task waits, says so, and goes on; by another name the file is the same."""
    path = room.path("w.sqlite")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("create table t(a int)")
    other.execute("begin immediate")
    executor = room.executor()
    spec = room.spec("insert into t values (1)", type="sql", url=f"sqlite:///file:{path}?mode=rw&uri=true")
    executor.start([spec])
    wait_until(lambda: room.log(spec), "the task's words")
    assert room.log(spec) == "Waiting: another program is writing to the database\n"
    other.execute("commit")
    assert collect(executor, 1)[0].exit_code == 0
    assert other.execute("select count(*) from t").fetchone() == (1,)


def test_sqlite_as_it_is_used(room: Room) -> None:
    """PAR-4: rows that a change returns, a file that may only be read, text that a driver might mistake."""
    path = room.path("w.sqlite")
    url = f"sqlite:///{path}"
    code = "create table t(a int, b text); insert into t values (1, '%s ? :x') returning a, b; select '100%' as p"
    end, log = room.run(code, type="sql", url=url)
    assert end.exit_code == 0, log
    assert "1  %s ? :x\n" in log
    end, log = room.run(
        "select a from t; select b from t", type="sql", url=f"sqlite:///file:{path}?mode=ro&uri=true"
    )
    assert end.exit_code == 0, log
    end, log = room.run(
        "insert into t(a) values (2); select 1", type="sql", url=f"sqlite:///file:{path}?mode=ro&uri=true"
    )
    assert "attempt to write a readonly database" in log
    end, log = room.run("insert into t(a) values (2)", type="sql", url="sqlite:////no/such/folder/x")
    assert log == "Cannot open the connection: unable to open database file\n"
