"""From which columns written columns come."""

from __future__ import annotations

import pytest

from lineage.readings import columns, read


@pytest.mark.parametrize(
    ("where", "code", "expected"),
    [
        ("duckdb", "INSERT INTO t (i, j) SELECT a, b + c FROM x", {"t.i": "x.a", "t.j": "x.b x.c"}),
        ("duckdb", "CREATE TABLE t AS SELECT p.a AS i, q.b FROM x AS p JOIN y AS q ON p.k = q.k",
         {"t.i": "x.a", "t.b": "y.b"}),
        ("duckdb", "CREATE TABLE t (i INT, j INT); INSERT INTO t SELECT a, 1 FROM x", {"t.i": "x.a", "t.j": ""}),
        ("duckdb", "INSERT INTO t WITH c AS (SELECT a AS k, sum(b) AS s FROM x GROUP BY a) SELECT k, s FROM c",
         {"t.k": "x.a", "t.s": "x.b"}),
        ("duckdb", "WITH c AS (SELECT a AS k FROM x) INSERT INTO t SELECT k FROM c", {"t.k": "x.a"}),
        ("duckdb", "CREATE TEMP TABLE c AS SELECT a AS k FROM x; INSERT INTO t SELECT k AS i FROM c", {"t.i": "x.a"}),
        ("duckdb", "INSERT INTO t SELECT * FROM x", {"t.*": "x.*"}),
        ("duckdb", "CREATE TEMP TABLE c (a INT, b INT); CREATE TABLE x (a INT, b INT); INSERT INTO t SELECT * FROM x",
         {"t.a": "x.a", "t.b": "x.b"}),
        ("duckdb", "INSERT INTO t SELECT a AS i FROM x UNION ALL SELECT b FROM y", {"t.i": "x.a y.b"}),
        ("duckdb", "INSERT INTO t SELECT (SELECT max(y.b) FROM y) AS i FROM x", {"t.i": "y.b"}),
        ("duckdb", "INSERT INTO t SELECT (SELECT max(b) FROM y) AS i, x.a FROM x", {"t.i": "", "t.a": "x.a"}),
        ("duckdb", "INSERT INTO t SELECT a AS i FROM x, y", {"t.i": ""}),
        ("duckdb", "INSERT INTO t SELECT a AS i FROM x; INSERT INTO t SELECT b AS i FROM y", {"t.i": "x.a y.b"}),
        ("duckdb", "INSERT INTO t SELECT a AS i FROM read_csv('../../in/x.csv')", {"t.i": "file:in/x.csv.a"}),
        ("duckdb", "INSERT INTO t SELECT CASE WHEN p.a > 1 THEN p.b END AS s, count(*) AS n FROM x AS p GROUP BY s",
         {"t.s": "x.a x.b", "t.n": ""}),
        ("odps", "INSERT OVERWRITE TABLE t PARTITION (ds='1') SELECT a AS i FROM x", {"t.i": "x.a"}),
        ("odps", "FROM x INSERT OVERWRITE TABLE p SELECT a AS i INSERT INTO TABLE q SELECT b AS j",
         {"p.i": "x.a", "q.j": "x.b"}),
        ("snowflake", "INSERT INTO T (I) SELECT S.A FROM X AS S", {"t.i": "x.a"}),
        ("postgres", 'INSERT INTO t ("I") SELECT "A" FROM x', {"t.I": "x.A"}),
        ("postgres", "SELECT a AS i INTO t FROM x", {"t.i": "x.a"}),
        ("bigquery", "INSERT INTO `shop.t` (i) SELECT a FROM `raw.x`", {"t.i": "raw.x.a"}),
        ("duckdb", "DELETE FROM t; UPDATE t SET i = 1", {}),
    ],
)  # fmt: skip
def test_columns(where: str, code: str, expected: dict[str, str]) -> None:
    """OPS-10: through WITH clauses, subqueries, unions and tables that the task makes for itself."""
    assert columns(read(code, where, columns=True)) == expected


def test_tables_without_columns() -> None:
    """OPS-10: where columns cannot be followed the tables are known all the same."""
    found = read("INSERT INTO t SELECT x.a FROM x PIVOT (sum(v) FOR k IN (ANY))", "snowflake", columns=True)
    assert [table.name for table in found.writes] == ["t"]
