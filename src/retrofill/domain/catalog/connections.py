"""URLs of connections: which file they name, and which of them can never work.

Two databases are files: `duckdb:///FILE` and `sqlite:///FILE`, relative to the project with three slashes,
absolute with four. Each run is a process of its own, so what lives in memory would be empty in each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple
from urllib.parse import parse_qsl

from retrofill.domain.errors import did_you_mean

# By SQLAlchemy's names; those that it does not bring come from packages that are asked for.
_DRIVERS = {
    "duckdb": (),
    "sqlite": ("pysqlite", "pysqlcipher"),
    "postgresql": ("psycopg", "psycopg2", "psycopg2cffi", "pg8000"),
    "mysql": ("mysqldb", "pymysql", "mysqlconnector", "mariadbconnector", "cymysql", "pyodbc"),
    "mariadb": ("mysqldb", "pymysql", "mysqlconnector", "mariadbconnector", "cymysql", "pyodbc"),
    "oracle": ("oracledb", "cx_oracle"),
    "mssql": ("pyodbc", "pymssql", "mssqlpython"),
}
# Added to SQLAlchemy by packages of their own. A project may name them where they are not installed: who checks
# a project or reads its lineage need not be able to run it.
_ADDED_BY_PACKAGES = frozenset(
    ("athena", "awsathena", "bigquery", "ch", "clickhouse", "clickhousedb", "cockroachdb", "crate", "databricks", "db2",
     "doris", "dremio", "drill", "druid", "exa", "firebird", "gbq", "hana", "hive", "hologres", "ibm_db_sa", "impala",
     "kylin", "maxcompute", "monetdb", "netezza", "oceanbase", "odps", "pinot", "presto", "pydoris", "redshift",
     "risingwave", "sc", "singlestoredb", "snowflake", "spark", "sparksql", "starrocks", "teradatasql", "timeplus",
     "trino", "vertica", "ydb", "yellowbrick")
)  # fmt: skip
_ASYNCHRONOUS = {
    "asyncpg": "psycopg",
    "psycopg_async": "psycopg",
    "psycopg2_async": "psycopg2",
    "oracledb_async": "oracledb",
    "aiosqlite": "pysqlite",
    "aiomysql": "pymysql",
    "asyncmy": "pymysql",
    "aioodbc": "pyodbc",
}
_OTHER_NAMES = {
    "postgres": "postgresql",
    "postgresql+psycopg3": "postgresql+psycopg",
    "pg": "postgresql",
    "sqlite3": "sqlite",
    "sqlserver": "mssql",
    "duck": "duckdb",
}
_SCHEME = re.compile(r"[a-z][a-z0-9_.-]*(\+[a-z0-9_.-]+)?", re.IGNORECASE)
_FILES = ("duckdb", "sqlite", "sqlite+pysqlite", "sqlite+pysqlcipher")
_PLAIN = re.compile(r"(file:)?[\w./-]+")
_MEMORY = re.compile(r"(file:)?(:memory:.*)?")
_IN_MEMORY = "would be in memory, where each run finds it empty"
_TRUE = ("true", "1", "t", "yes", "y", "on")


class ConnectionUrlError(Exception):
    """What is wrong with a URL, without its text, and what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint
        super().__init__(f"{message}; {hint}")


class FileUrl(NamedTuple):
    """A database that is a file. `options` are as they stand behind the `?`."""

    scheme: str
    path: str
    options: str

    @property
    def is_uri(self) -> bool:
        """Whether SQLite is given the path as a URI, `file:PATH?OPTIONS`."""
        return dict(parse_qsl(self.options)).get("uri", "").lower() in _TRUE

    def with_path(self, path: str) -> str:
        """The URL with another path."""
        return f"{self.scheme}:///{path}" + (f"?{self.options}" if self.options else "")


def file_url(url: str) -> FileUrl | None:
    """The parts of a URL that names a file; None for other databases.

    Raises:
        ConnectionUrlError: it names none, or could be understood in two ways.
    """
    scheme, _, rest = url.partition(":")
    scheme = scheme.lower()
    if scheme not in _FILES:
        return None
    path, _, options = rest.partition("?")
    slashes = len(path) - len(path.lstrip("/"))
    name = path[slashes:]
    plain = name if _PLAIN.fullmatch(name) else "NAME.db"  # all else may be a password
    example = f"{scheme}:///{plain}"
    if slashes <= 3 and _MEMORY.fullmatch(name):
        raise ConnectionUrlError(f"a database of this url {_IN_MEMORY}", f"name a file: {scheme}:///NAME.db")
    if slashes == 1:
        raise ConnectionUrlError(
            "the url has one slash where a file has three or four",
            f"write {example} for a file of the project, or {scheme}:////{plain} for /{plain}",
        )
    if slashes < 3:
        many = "two slashes, so that it names a host" if slashes else "no slashes"
        raise ConnectionUrlError(f"the url has {many}, and a file has three", f"write {example}")
    found = FileUrl(scheme, path[3:], options)
    if scheme == "duckdb":
        if name.lower().startswith(("md:", "motherduck:")):
            raise ConnectionUrlError(
                "a file cannot be at MotherDuck", "name a file, and ATTACH the other in the code"
            )
    elif found.is_uri:
        values = dict(parse_qsl(options))
        if values.get("mode") == "memory" or _MEMORY.fullmatch(found.path):
            raise ConnectionUrlError(
                f"a database of this url {_IN_MEMORY}", f"name a file: {scheme}:///NAME.db"
            )
    elif name.startswith("file:"):
        raise ConnectionUrlError("the url begins with file: and lacks uri=true", f"write {example}?uri=true")
    return found


def check_url(url: str, further: Callable[[], Collection[str]]) -> None:
    """Refuse a URL with which no run can work, wherever it runs.

    Args:
        further: schemes (`NAME`, `NAME.DRIVER`) that packages add; asked only for what is not known here.

    Raises:
        ConnectionUrlError: it names no file, or a database or a driver that nobody knows.
    """
    scheme = url.partition(":")[0]
    if ":" not in url or not _SCHEME.fullmatch(scheme):
        raise ConnectionUrlError("it is no SQLAlchemy URL", "write one like duckdb:///warehouse.duckdb")
    scheme = scheme.lower()
    name, _, driver = scheme.partition("+")
    if driver in _ASYNCHRONOUS:
        better = f"{name}+{_ASYNCHRONOUS[driver]}"
        raise ConnectionUrlError(f"the driver {driver} is for asynchronous programs", f"write {better}:")
    if name in _DRIVERS and (not driver or driver in _DRIVERS[name]):
        file_url(url)
    elif name not in _ADDED_BY_PACKAGES and not _is_among(name, driver, further()):
        raise ConnectionUrlError(*_unknown(name, driver))
    if scheme not in _FILES and "://" not in url:
        raise ConnectionUrlError("it is no SQLAlchemy URL", f"write one like {scheme}://USER@HOST/NAME")


def _is_among(name: str, driver: str, schemes: Collection[str]) -> bool:
    return (f"{name}.{driver}" if driver else name) in schemes


def _unknown(name: str, driver: str) -> tuple[str, str]:
    scheme = f"{name}+{driver}" if driver else name
    better = _OTHER_NAMES.get(scheme) or _OTHER_NAMES.get(name)
    if better:
        return f"{scheme} is no database that is known here", f"write {better}:"
    install = "install the package that adds it to SQLAlchemy"
    if name not in _DRIVERS:
        near = did_you_mean(name, {*_DRIVERS, *_ADDED_BY_PACKAGES})[2:]
        return f"{scheme} is no database that is known here", near or install
    drivers = _DRIVERS[name]
    near = did_you_mean(driver, drivers)[2:]
    known = f"write {name}+{drivers[0]}: or {name}:" if drivers else f"write {name}:"
    return f"{driver} is no driver for {name} that is known here", near or known
