"""Sql tasks on any database that SQLAlchemy knows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any, TypeVar

from retrofill.executors.runners.databases import DatabaseError, Result, one_line

T = TypeVar("T")


class Other:
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
            self._errors += (self._engine.dialect.loaded_dbapi.Error,)
        except ImportError as error:
            raise DatabaseError(f"its driver is not installed: {error}") from None
        except self._errors as error:
            raise DatabaseError(one_line(error)) from None
        self._connection = self._raising(self._connect)

    def _connect(self) -> Any:
        """Outside of a transaction, so that each statement stands for itself until `begin`."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def begin(self) -> None:
        self._raising(self._begin_own)

    def _begin_own(self) -> None:
        self._connection.close()
        self._connection = self._engine.connect()
        self._connection.begin()

    def execute(self, statement: str, limit: int) -> Result:
        return self._raising(lambda: self._execute(statement, limit))

    def _execute(self, statement: str, limit: int) -> Result:
        if self._engine.dialect.name == "mssql":  # a batch: what fails later is told with its result alone
            cursor = self._connection.connection.cursor()
            cursor.execute(statement)
            return last_result(cursor, limit)
        result = self._connection.exec_driver_sql(statement)
        if not result.returns_rows:
            return Result(result.rowcount if result.rowcount >= 0 else None, [], [])
        columns = list(map(str, result.keys()))
        rows = [tuple(row) for row in result.fetchmany(limit)]
        result.close()
        return Result(None, columns, rows)

    def commit(self) -> None:
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
            self._connection.close()

    def close(self) -> None:
        self._raising(self._connection.close)

    def _raising(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except self._errors as error:
            origin = getattr(error, "orig", None) or error
            raise DatabaseError(str(origin).strip()) from None


def last_result(cursor: Any, limit: int) -> Result:
    """What the last statement of a batch did, after all were waited for; errors of each are raised."""
    changed: int | None = None
    columns: list[str] = []
    rows: list[tuple[object, ...]] = []
    while True:
        if cursor.description is None:
            changed = cursor.rowcount if cursor.rowcount >= 0 else changed
        else:
            columns = [column[0] for column in cursor.description]
            rows = [tuple(row) for row in cursor.fetchmany(limit)]
        if not cursor.nextset():
            cursor.close()
            return Result(changed, columns, rows)
