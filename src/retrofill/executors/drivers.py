"""Whether what a connection's URL needs is installed, without importing any of it."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.util import find_spec

# The modules of SQLAlchemy's own drivers; the first of a database is its default.
_MODULES = {
    "postgresql": {"psycopg2": "psycopg2", "psycopg": "psycopg", "psycopg2cffi": "psycopg2cffi", "pg8000": "pg8000"},
    "mysql": {
        "mysqldb": "MySQLdb", "pymysql": "pymysql", "mysqlconnector": "mysql", "mariadbconnector": "mariadb",
        "cymysql": "cymysql", "pyodbc": "pyodbc",
    },
    "oracle": {"cx_oracle": "cx_Oracle", "oracledb": "oracledb"},
    "mssql": {"pyodbc": "pyodbc", "pymssql": "pymssql", "mssqlpython": "mssql_python"},
}  # fmt: skip
_MODULES["mariadb"] = _MODULES["mysql"]


def missing_driver(url: str) -> str | None:
    """The end of a sentence that begins with the connection; None where nothing is missing."""
    scheme = url.partition(":")[0].lower()
    name, _, driver = scheme.partition("+")
    if name == "duckdb":
        return None if find_spec("duckdb") else "needs the package duckdb, which is not installed"
    if scheme in ("sqlite", "sqlite+pysqlite"):
        return None
    if find_spec("sqlalchemy") is None:
        return "needs the package SQLAlchemy, which is not installed"
    known = _MODULES.get(name)
    if known is not None:
        module = known.get(driver or next(iter(known)))
        if module is not None:
            return None if find_spec(module) else f"needs the package {module}, which is not installed"
    wanted = f"{name}.{driver}" if driver else name
    if any(found.name in (wanted, name) for found in entry_points(group="sqlalchemy.dialects")):
        return None
    return f"needs a package that adds {scheme} to SQLAlchemy, and none is installed"
