"""The databases that sql tasks run on: DuckDB and SQLite files directly, all others through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from retrofill.executors.runners.duckdb_files import Opened


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


def open_database(url: str, say: Callable[[str], None], opened: Opened | None = None) -> Database:
    """Connect; waits for a file that another sql task has open.

    Args:
        opened: a DuckDB without a file that was opened before this process was forked.

    Raises:
        DatabaseError: it cannot be opened; the text may hold secrets.
    """
    scheme = url.partition(":")[0].lower()
    if scheme == "duckdb":
        from retrofill.executors.runners.duckdb_files import open_duckdb

        return open_duckdb(url, say, opened)
    if scheme in ("sqlite", "sqlite+pysqlite"):
        from retrofill.executors.runners.sqlite_files import SQLite

        return SQLite(url, say)
    from retrofill.executors.runners.others import Other

    return Other(url)


def one_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
