"""(e) Reading the tables of 2,000 sql tasks of five statements each, against loading the same project."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from measuring import Line, median, scratch

from retrofill import project
from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.time import cron
from retrofill.lineage import SqlLineage
from retrofill.services.catalogs.lineage import Lineages

_TASKS = 2_000
_SQL = """
CREATE TABLE IF NOT EXISTS mart.t{0} (bizdate DATE, origin VARCHAR, carrier VARCHAR, late INTEGER, mean_delay DOUBLE);
DELETE FROM mart.t{0} WHERE bizdate = DATE '${{day}}';
INSERT INTO mart.t{0}
WITH f AS (SELECT * FROM raw.flights{1} WHERE bizdate = DATE '${{day}}')
SELECT f.bizdate, f.origin, c.name, count(*) FILTER (f.dep_delay > 15), avg(f.dep_delay)
FROM f LEFT JOIN raw.carriers AS c ON c.carrier = f.carrier
WHERE f.distance BETWEEN 100 AND 2000 AND f.dest NOT IN (SELECT dest FROM raw.excluded)
GROUP BY f.bizdate, f.origin, c.name;
UPDATE mart.t{0} SET late = 0 WHERE late IS NULL AND bizdate = DATE '${{day}}';
SELECT origin, sum(late) FROM mart.t{0} GROUP BY origin ORDER BY origin;
"""


def run(repeats: int) -> list[Line]:
    with scratch() as folder:
        _write(folder)
        loads, checks, columns = [], [], []
        for number in range(repeats):
            began = time.perf_counter()
            catalog = project.load(folder)
            loads.append(time.perf_counter() - began)
            # Results are kept by code: each repeat reads code that was never read before.
            fresh = {n: _fresh(task, number) for n, task in catalog.tasks.items()}
            catalog = catalog.frozen_copy_of(fresh)
            reader = SqlLineage(catalog.connections)
            began = time.perf_counter()
            list(Lineages(catalog, reader).undeclared())
            checks.append(time.perf_counter() - began)
            began = time.perf_counter()
            reader.columns(next(iter(fresh.values())))
            columns.append(time.perf_counter() - began)
    check, load = median(checks), median(loads)
    return [
        Line(
            f"missing dependencies of {_TASKS:,} sql tasks",
            f"{check:.2f} s",
            f"load {load:.2f} s",
            check / load,
        ),
        Line("a statement", f"{check / _TASKS / 5 * 1000:.2f} ms"),
        _long_statements(),
        Line("one task with its columns", f"{median(columns) * 1000:.1f} ms"),
    ]


def _long_statements() -> Line:
    """2,000 statements of about 4 kB, against sqlglot alone on the whole texts."""
    import sqlglot

    listed = ", ".join(
        f"CASE WHEN a.c{i} > {i} AND coalesce(b.d{i}, 0) <> 1 THEN a.c{i} * 1.5 "
        f"ELSE sum(b.d{i}) OVER (PARTITION BY a.k ORDER BY a.t) END AS col_{i}"
        for i in range(30)
    )
    codes = [
        f"INSERT INTO mart.t{number} SELECT {listed} FROM raw.x{number} a JOIN raw.y b ON a.k = b.k"
        for number in range(_TASKS)
    ]
    reader = SqlLineage({"db": "duckdb:///x.duckdb"})
    tasks = [
        Task(f"w.t{i}", TaskType.SQL, cron.parse("@daily"), code=code, connection="db")
        for i, code in enumerate(codes)
    ]
    began = time.perf_counter()
    for task in tasks:
        reader.tables(task)
    took = time.perf_counter() - began
    began = time.perf_counter()
    for code in codes[:200]:
        sqlglot.parse(code, dialect="duckdb")
    parse = (time.perf_counter() - began) * _TASKS / 200
    return Line(
        f"tables of {_TASKS:,} statements of 4 kB", f"{took:.2f} s", f"parse {parse:.2f} s", took / parse
    )


def _fresh(task: Task, number: int) -> Task:
    return replace(task, code=f"-- {number}\n{task.code}")


def _write(folder: Path) -> None:
    (folder / "workspaces" / "w").mkdir(parents=True)
    (folder / "retrofill.yaml").write_text('project: bench\nconnections: {db: {url: "duckdb:///x.duckdb"}}\n')
    lines = ["workspace: w", "defaults: {connection: db, parameters: {day: '${yyyy-mm-dd}'}}", "tasks:"]
    for number in range(_TASKS):
        (folder / "workspaces" / "w" / f"t{number}.sql").write_text(_SQL.format(number, number % 50))
        lines.append(f"  t{number}: {{type: sql, schedule: '@daily', file: t{number}.sql}}")
    (folder / "workspaces" / "w" / "workspace.yaml").write_text("\n".join(lines) + "\n")
