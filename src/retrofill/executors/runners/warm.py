"""Warm processes: what sql tasks of one kind need, imported once, so that a run is a fork.

A kind is a word: `duckdb`, `sqlite`, the scheme of another connection's URL whose driver may be imported
before a fork, or `sqlalchemy` for all others, whose drivers are imported after it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

_FILES = {"duckdb": "duckdb", "sqlite": "sqlite", "sqlite+pysqlite": "sqlite"}
_ANY = "sqlalchemy"
_FORKABLE_DRIVERS = ("psycopg", "psycopg2", "pg8000", "pymysql", "mysqldb", "mysqlclient", "mariadbconnector")


def kind_of(url: str) -> str:
    """Of a connection's URL."""
    scheme = url.partition(":")[0].lower()
    if scheme in _FILES:
        return _FILES[scheme]
    return scheme if scheme.partition("+")[2] in _FORKABLE_DRIVERS else _ANY


def prepare(kind: str) -> Callable[[bytes], int] | None:
    """Import what the kind needs.

    Returns:
        What carries out a run in a fork: payload -> exit status. None where forks would not be
        safe, because an import has started a thread, or something is missing: a process of its
        own then says what.
    """
    _find_packages()
    try:
        run = _load(kind)
    except Exception as error:
        print(
            f"runs of kind {kind} are not warm: {type(error).__name__}: {error}", file=sys.stderr, flush=True
        )
        return None
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        print(f"runs of kind {kind} are not warm: its driver started a thread", file=sys.stderr, flush=True)
        return None
    return run


def _load(kind: str) -> Callable[[bytes], int]:
    from retrofill.executors.runners import sql

    if kind == "duckdb":
        from retrofill.executors.runners.duckdb_files import open_before_fork

        opened = open_before_fork()
        return lambda payload: sql.run(payload, opened)
    if kind == "sqlite":
        import retrofill.executors.runners.sqlite_files
    else:
        import sqlalchemy
        from sqlalchemy.pool import NullPool

        import retrofill.executors.runners.others  # noqa: F401 - imported for forks

        if kind != _ANY:
            sqlalchemy.create_engine(f"{kind}://", poolclass=NullPool)
    return sql.run


def _find_packages() -> None:
    """Packages as a program of its own would find them; a launcher starts without any."""
    import site

    if sys.flags.no_site:
        site.ENABLE_USER_SITE = os.getuid() == os.geteuid() and os.getgid() == os.getegid()
        site.main()
