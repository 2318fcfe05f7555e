"""A text as a literal in the SQL of a database (PAR-4)."""

from __future__ import annotations

import re

# Where a backslash in quotes begins an escape, and whether a doubled quote is one quote there.
_BACKSLASHES = {
    "mysql": True,
    "doris": True,
    "starrocks": True,
    "singlestore": True,
    "tidb": True,
    "snowflake": True,
    "redshift": True,
    "clickhouse": True,
    "bigquery": False,
    "hive": False,
    "spark": False,
    "spark2": False,
    "databricks": False,
}
_E_STRINGS = frozenset({"postgres", "duckdb", "materialize", "risingwave"})
_BREAKS = {"\n": r"\n", "\r": r"\r"}
_DOLLAR_QUOTE = re.compile(r"\$\w*\$")


def literal(value: str, dialect: str) -> str:
    """The value in quotes, so that the database reads this very text and nothing after it as SQL.

    In PostgreSQL and DuckDB a text that could end a dollar-quoted body is written with escapes; in SQL Server
    one with more than ASCII is one of Unicode.
    """
    doubles = _BACKSLASHES.get(dialect)
    if doubles is not None:
        escaped = value.replace("\\", "\\\\").replace("'", "''" if doubles else "\\'")
        for character, escape in _BREAKS.items():
            escaped = escaped.replace(character, escape)
        return f"'{escaped}'"
    if dialect in _E_STRINGS and _DOLLAR_QUOTE.search(value):
        escaped = value.replace("\\", "\\\\").replace("'", "''").replace("$", r"\x24")
        return f"E'{escaped}'"
    prefix = "N" if dialect in ("tsql", "fabric") and not value.isascii() else ""
    return prefix + "'" + value.replace("'", "''") + "'"
