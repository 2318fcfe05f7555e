"""The databases that sql tasks run on: DuckDB and SQLite files directly, all others through SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    pass


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


def one_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
