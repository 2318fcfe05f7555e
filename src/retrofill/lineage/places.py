"""A connection's URL -> the SQL that it speaks, and the names that go without saying there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# By the URL's scheme; a scheme that is not here is its own dialect, or read as plain SQL.
_DIALECTS = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "cockroachdb": "postgres",
    "mariadb": "mysql",
    "odps": "hive",
    "maxcompute": "hive",
    "mssql": "tsql",
    "sqlserver": "tsql",
    "awsathena": "athena",
    "databricks": "databricks",
    "sparksql": "spark",
    "sc": "spark",  # Spark Connect
    "gbq": "bigquery",
    "ch": "clickhouse",
    "hologres": "postgres",
}
_DEFAULT_SCHEMAS = {
    "duckdb": "main",
    "sqlite": "main",
    "postgres": "public",
    "redshift": "public",
    "snowflake": "public",
    "tsql": "dbo",
    "hive": "default",
    "spark": "default",
    "databricks": "default",
    "clickhouse": "default",
}
_WITHOUT_HOST = frozenset({"bigquery", "gbq", "odps", "maxcompute"})  # the URL begins with a project
_URL = re.compile(r"(?P<scheme>[\w.-]+)(?:\+[\w.-]+)?:(?://)?(?:[^@/?]*@)?(?P<rest>[^?#]*)")


@dataclass(frozen=True, slots=True)
class Place:
    """A database: sqlglot's name of its SQL (empty: plain), and the leading parts of names that may be left out."""

    connection: str
    dialect: str
    implied: frozenset[str]


def place_of(connection: str, connections: Mapping[str, str], known: frozenset[str]) -> Place:
    """Where a task's SQL runs.

    Two connections to the same database, as different users perhaps, are one place: it has the
    name of the first of them.

    Args:
        connections: URLs by name.
        known: the dialects that sqlglot has.
    """
    scheme, rest = _parts(connections.get(connection, ""))
    dialect = _DIALECTS.get(scheme, scheme)
    dialect = dialect if dialect in known else ""
    same = [name for name, url in connections.items() if url and _parts(url) == (scheme, rest)]
    parts = rest.casefold().strip("/").split("/")
    if dialect in ("duckdb", "sqlite"):
        parts = [parts[-1].partition(".")[0]]  # a file's name without its ending
    elif scheme not in _WITHOUT_HOST:
        del parts[0]
    implied = {*parts, _DEFAULT_SCHEMAS.get(dialect, "")} - {""}
    return Place(min(same, default=connection), dialect, frozenset(implied))


def _parts(url: str) -> tuple[str, str]:
    match = _URL.match(url)
    return (match["scheme"].casefold(), match["rest"]) if match else ("", "")
