"""Connecting to the databases that sql tasks run on: DuckDB and SQLite files directly, all others through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.executors.runners.duckdb_files import Opened
from retrofill.executors.runners.databases import Database


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
