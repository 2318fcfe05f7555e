"""Sql tasks on DuckDB files, which only one process can have open.

Sql tasks queue for a file at a lock beside it; where somebody else has it open, they try again
until the run's timeout ends them. Opening a database takes DuckDB twenty milliseconds, nearly all for
its own catalog, whatever the file: a fork of a warm process finds a database without a file open
already, attaches the file and makes it the only one.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from retrofill.domain.catalog.connections import ConnectionUrlError, file_url
from retrofill.executors.runners.databases import Database, DatabaseError, Result, one_line
from retrofill.executors.runners.turns import RETRY_SECONDS, is_taken, take_turn

T = TypeVar("T")

_WITHOUT_THREADS = ({"threads": "1", "async_threads": "0"}, {"threads": "1"})
_DATABASES = "select database_name from duckdb_databases() where not internal"
# What most runs do, done once before the forks: it loads code and memory that they then share.
_REHEARSAL = (
    "set temp_directory = '.tmp'",
    "attach ':memory:' as rehearsal; use rehearsal; begin",
    "create table t(a int, b varchar); insert into t values (1, 'x'); insert into t select * from t",
    "create or replace table u as select a, count(*) as n from t where b <> '' group by a order by a; delete from t",
    "rollback; use memory; detach rehearsal",
)


class Opened(NamedTuple):
    """A database without a file and without threads, so that it outlives a fork."""

    driver: Any
    connection: Any


def open_before_fork() -> Opened:
    """Raises DatabaseError or the driver's own: there is no such driver, or it will not."""
    driver = _import_duckdb()
    for config in _WITHOUT_THREADS:
        try:
            connection = driver.connect(":memory:", config=config)
        except driver.Error:  # an option that this version does not have
            continue
        for _ in range(2):
            for statement in _REHEARSAL:
                for part in connection.extract_statements(statement):
                    connection.execute(part)
            connection.execute(_DATABASES).fetchall()
        return Opened(driver, connection)
    raise DatabaseError("DuckDB cannot be opened without threads")


def open_duckdb(url: str, say: Callable[[str], None], opened: Opened | None) -> Database:
    """Connect to the file of a URL, when its turn has come.

    Raises:
        DatabaseError: it cannot be opened; the text may hold secrets.
    """
    try:
        found = file_url(url)
    except ConnectionUrlError as error:
        raise DatabaseError(str(error)) from None
    assert found is not None
    path = found.path
    config = dict(option.partition("=")[::2] for option in found.options.split("&") if option)
    turn = take_turn(path)
    has_other_name = os.path.basename(path).partition(".")[0].lower() != "memory"
    if opened is not None and turn >= 0 and not config and has_other_name:
        return _Attached(opened, path, turn, say)
    return _DuckDB(path, config, turn, say)


class _DuckDB:
    """A file of its own."""

    def __init__(self, path: str, config: dict[str, str], turn: int, say: Callable[[str], None]) -> None:
        self._driver = _import_duckdb()
        self._turn = turn  # held until this process ends
        self._connection = self._patiently(lambda: self._driver.connect(path, config=config), say)

    def _patiently(self, act: Callable[[], T], say: Callable[[str], None]) -> T:
        """Try again while another process has the file open."""
        pause = RETRY_SECONDS[0]
        has_said = False
        while True:
            try:
                return act()
            except self._driver.Error as error:
                if not is_taken(error):
                    raise DatabaseError(one_line(error)) from None
                if not has_said:
                    say(f"Waiting: {one_line(error)}")
                    has_said = True
            time.sleep(pause)
            pause = min(pause * 1.5, RETRY_SECONDS[1])

    def begin(self) -> None:
        self._raising(self._connection.begin)

    def execute(self, statement: str, limit: int) -> Result:
        return self._raising(lambda: self._execute(statement, limit))

    def _execute(self, statement: str, limit: int) -> Result:
        changed: int | None = None
        columns: list[str] = []
        rows: list[tuple[object, ...]] = []
        for part in self._connection.extract_statements(statement):
            self._connection.execute(part)
            kinds = {kind.name for kind in part.expected_result_type}
            names = [column[0] for column in self._connection.description or ()]
            if kinds == {"NOTHING"}:
                continue
            if "CHANGED_ROWS" in kinds and names == ["Count"]:
                row = self._connection.fetchone()
                changed = row[0] if row else None
            elif names != ["Success"]:
                columns, rows = names, self._connection.fetchmany(limit)
        return Result(changed, columns, rows)

    def commit(self) -> None:
        self._raising(self._connection.commit)

    def interrupt(self) -> None:
        self._connection.interrupt()

    def abandon(self) -> None:
        with contextlib.suppress(Exception):
            self._connection.rollback()
        with contextlib.suppress(Exception):
            self._connection.close()

    def close(self) -> None:
        self._raising(self._connection.close)

    def _raising(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except self._driver.Error as error:
            raise DatabaseError(str(error).strip()) from None


class _Attached(_DuckDB):
    """A file that was attached to a database which had been opened before the fork, and took its place."""

    def __init__(self, opened: Opened, path: str, turn: int, say: Callable[[str], None]) -> None:
        self._driver = opened.driver
        # Random numbers are a connection's: those of a connection from before the fork are the same in every run.
        self._connection = opened.connection.cursor()
        self._turn = turn
        self._do("reset threads")
        with contextlib.suppress(DatabaseError):  # older versions have no such option
            self._do("reset async_threads")
        self._do(f"set temp_directory = {_quoted(path + '.tmp')}")
        self._patiently(lambda: self._connection.execute(f"attach {_quoted(path)}"), say)
        (name,) = self._databases() - {"memory"}
        self._do(f"use {_identifier(name)}")
        self._do("detach memory")

    def close(self) -> None:
        """Let go of all files, as closing the database would; that one is left to the end of the process."""
        with contextlib.suppress(DatabaseError):
            self._do("rollback")  # what the code has begun and not ended
        names = self._databases()
        end = "retrofill_end" + "_" * sum(name.startswith("retrofill_end") for name in names)
        self._do(f"attach ':memory:' as {end}")
        self._do(f"use {end}")
        for name in sorted(names):
            self._do(f"detach {_identifier(name)}")

    def abandon(self) -> None:
        with contextlib.suppress(Exception):
            self._connection.rollback()
        with contextlib.suppress(Exception):
            self.close()

    def _databases(self) -> set[str]:
        return {row[0] for row in self._raising(lambda: self._connection.execute(_DATABASES).fetchall())}

    def _do(self, statement: str) -> None:
        self._raising(lambda: self._connection.execute(statement))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _import_duckdb() -> Any:
    """The compiled module alone where it stands alone: it loads three times as fast."""
    try:
        import _duckdb

        return _duckdb
    except ImportError:
        pass
    try:
        import duckdb

        return duckdb
    except ImportError:
        raise DatabaseError("DuckDB is not installed; install retrofill[duckdb]") from None
