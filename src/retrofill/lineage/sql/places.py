"""A connection's URL -> the SQL that it speaks, and the names that go without saying there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retrofill.domain.catalog.dialects import dialect_of, scheme_and_rest

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
# How many parts a whole name has, where it is not three.
_DEPTHS = {"mysql": 2, "clickhouse": 2, "hive": 2, "spark": 2, "sqlite": 2}
_WITHOUT_HOST = frozenset({"bigquery", "gbq", "odps", "maxcompute"})  # the URL begins with a project


@dataclass(frozen=True, slots=True)
class Place:
    """A database: sqlglot's name of its SQL (empty: plain), and the leading parts of names that may be left out."""

    connection: str
    dialect: str
    implied: frozenset[str]
    scheme: str = ""
    host: str = ""
    defaults: tuple[str, ...] = ()  # what the database puts before a name that stands alone


def place_of(connection: str, connections: Mapping[str, str], known: frozenset[str]) -> Place:
    """Where a task's SQL runs.

    Two connections to the same database, as different users perhaps, are one place: it has the
    name of the first of them.

    Args:
        connections: URLs by name.
        known: the dialects that sqlglot has.
    """
    own = connections.get(connection, "")
    scheme, rest = scheme_and_rest(own)
    system = dialect_of(own)
    dialect = system if system in known else ""
    same = [name for name, url in connections.items() if url and scheme_and_rest(url) == (scheme, rest)]
    parts = rest.casefold().strip("/").split("/")
    host = ""
    if dialect in ("duckdb", "sqlite"):
        host, parts = rest, [parts[-1].partition(".")[0]]  # a file's name without its ending
    elif scheme not in _WITHOUT_HOST:
        host = parts.pop(0)
    schema = _DEFAULT_SCHEMAS.get(dialect, "")
    defaults = [part for part in parts if part]
    if schema and len(defaults) < _DEPTHS.get(dialect, 3) - 1:
        defaults.append(schema)
    return Place(
        min(same, default=connection),
        dialect,
        frozenset({*defaults, schema} - {""}),
        system,
        host,
        tuple(defaults),
    )


def dataset_of(name: str, place: Place) -> tuple[str, str]:
    """Namespace and name of a table in the way of OpenLineage: where it is, and all parts of its name."""
    if name.startswith("file:"):
        return "file", name.removeprefix("file:")
    if "://" in name:
        scheme, _, path = name.partition("://")
        host, _, rest = path.partition("/")
        return f"{scheme}://{host}", rest or "/"
    missing = _DEPTHS.get(place.dialect, 3) - 1 - name.count(".")
    before = place.defaults[: max(missing, 0)]
    return f"{place.scheme}://{place.host}".removesuffix("://"), ".".join((*before, name))
