"""SQL read as of a task `w.t` on a connection `db`."""

from __future__ import annotations

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.lineage import TaskLineage
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.time import cron
from retrofill.lineage import SqlLineage

URLS = {
    "duckdb": "duckdb:///warehouse.duckdb",
    "postgres": "postgresql+psycopg://etl:${secret:PASSWORD}@db:5432/shop",
    "sqlite": "sqlite:///data.db",
    "mysql": "mysql+pymysql://u:p@h/shop",
    "odps": "odps://id:key@lake/?endpoint=http://x",
    "hive": "hive://h:10000/default",
    "spark": "sc://h:15002",
    "trino": "trino://u@h:8080/lake/raw",
    "snowflake": "snowflake://u:p@account/shop/public",
    "bigquery": "bigquery://my-project/shop",
    "clickhouse": "clickhouse+native://h/shop",
    "mssql": "mssql+pyodbc://u:p@h/shop",
    "oracle": "oracle+oracledb://u:p@h/?service_name=x",
    "databricks": "databricks://token:x@h/shop",
    "redshift": "redshift+psycopg2://u:p@h:5439/shop",
    "databend": "databend://h/x",  # nothing that sqlglot knows
}


def task(code: str, parameters: tuple[tuple[str, str], ...] = ()) -> Task:
    return Task("w.t", TaskType.SQL, cron.parse("@daily"), code=code, connection="db", parameters=parameters)


def read(
    code: str, where: str = "duckdb", parameters: tuple[tuple[str, str], ...] = (), columns: bool = False
) -> TaskLineage:
    reader = SqlLineage({"db": URLS[where]})
    return (reader.columns if columns else reader.tables)(task(code, parameters))


def names(found: TaskLineage) -> tuple[str, str]:
    """Reads and writes, each as words."""
    return " ".join(t.name for t in found.reads), " ".join(t.name for t in found.writes)


def columns(found: TaskLineage) -> dict[str, str]:
    """Sources by written column, as words."""
    return {
        f"{c.target.table.name}.{c.target.column}": " ".join(f"{s.table.name}.{s.column}" for s in c.sources)
        for c in found.columns
    }
