"""The databases that sql tasks run on: DuckDB files directly, all others through SQLAlchemy.

Only one process can have a DuckDB file open. Sql tasks queue for it at a lock file beside it;
where somebody else has it open, they try again until the run's timeout ends them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from retrofill.executors.runners.turns import RETRY_SECONDS, is_taken, take_turn

T = TypeVar("T")


class DatabaseError(Exception):
    """What the database says is wrong; its text may hold secrets."""


class Result(NamedTuple):
    """What a statement did: rows changed where the database tells, and the first rows it returned."""

    changed: int | None
    columns: list[str]
    rows: list[tuple[object, ...]]


class Database(Protocol):
    """One connection. All raise DatabaseError; `interrupt` may be called from another thread."""

    def begin(self) -> None: ...

    def execute(self, statement: str, limit: int) -> Result: ...

    def commit(self) -> None: ...

    def interrupt(self) -> None: ...

    def abandon(self) -> None:
        """Roll back what is open, and close; never raises."""
        ...

    def close(self) -> None: ...


def open_database(url: str, say: Callable[[str], None]) -> Database:
    """Connect; waits for a DuckDB file that is in use.

    Raises:
        DatabaseError: it cannot be opened; the text may hold secrets.
    """
    if url.startswith("duckdb:"):
        return _DuckDB(url, say)
    return _Other(url)


class _DuckDB:
    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        self._driver = _import_duckdb()
        rest, _, query = url.removeprefix("duckdb:").removeprefix("//").removeprefix("/").partition("?")
        config = dict(option.partition("=")[::2] for option in query.split("&") if option)
        self._path = rest or ":memory:"
        self._turn = -1 if self._path == ":memory:" else take_turn(self._path)
        self._connection = self._connect(config, say)

    def _connect(self, config: dict[str, str], say: Callable[[str], None]) -> Any:
        pause = RETRY_SECONDS[0]
        has_said = False
        while True:
            try:
                return self._driver.connect(self._path, config=config)
            except self._driver.Error as error:
                if not is_taken(error):
                    raise DatabaseError(_one_line(error)) from None
                if not has_said:
                    say(f"Waiting: {_one_line(error)}")
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


class _Other:
    """Any database that SQLAlchemy knows."""

    def __init__(self, url: str) -> None:
        try:
            import sqlalchemy
            from sqlalchemy.pool import NullPool
        except ImportError as error:
            raise DatabaseError(f"a part is not installed: {error}") from None
        self._errors: tuple[type[Exception], ...] = (sqlalchemy.exc.SQLAlchemyError, OSError)
        try:
            self._engine = sqlalchemy.create_engine(url, poolclass=NullPool)
        except ImportError as error:
            raise DatabaseError(f"its driver is not installed: {error}") from None
        except self._errors as error:
            raise DatabaseError(_one_line(error)) from None
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._is_together = False
        self._connection = self._raising(self._connect)

    def _connect(self) -> Any:
        """Outside of a transaction, so that each statement stands for itself until `begin`."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def begin(self) -> None:
        if self._is_sqlite:  # its driver would end the transaction at every change of a table
            self._raising(lambda: self._connection.exec_driver_sql("BEGIN"))
        else:
            self._raising(self._begin_own)
        self._is_together = True

    def _begin_own(self) -> None:
        self._connection.close()
        self._connection = self._engine.connect()
        self._connection.begin()

    def execute(self, statement: str, limit: int) -> Result:
        return self._raising(lambda: self._execute(statement, limit))

    def _execute(self, statement: str, limit: int) -> Result:
        result = self._connection.exec_driver_sql(statement)
        if not result.returns_rows:
            return Result(result.rowcount if result.rowcount >= 0 else None, [], [])
        columns = list(map(str, result.keys()))
        rows = [tuple(row) for row in result.fetchmany(limit)]
        result.close()
        return Result(None, columns, rows)

    def commit(self) -> None:
        if self._is_sqlite:
            self._raising(lambda: self._connection.exec_driver_sql("COMMIT"))
        else:
            self._raising(self._connection.commit)

    def interrupt(self) -> None:
        driver = self._connection.connection.driver_connection
        for name in ("cancel", "interrupt"):
            act = getattr(driver, name, None)
            if act is not None:
                with contextlib.suppress(Exception):
                    act()
                return
        os._exit(143)  # this driver cannot be interrupted; the server rolls back

    def abandon(self) -> None:
        with contextlib.suppress(Exception):
            if self._is_sqlite and self._is_together:
                self._connection.exec_driver_sql("ROLLBACK")
        with contextlib.suppress(Exception):
            self._connection.close()

    def close(self) -> None:
        self._raising(self._connection.close)

    def _raising(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except self._errors as error:
            origin = getattr(error, "orig", None) or error
            raise DatabaseError(str(origin).strip()) from None


def _one_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
