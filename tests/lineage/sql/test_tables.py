"""Tables that SQL reads and writes, in the dialects that connections speak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.readings import names, read

EVERYWHERE = [
    "duckdb",
    "postgres",
    "sqlite",
    "mysql",
    "odps",
    "spark",
    "trino",
    "snowflake",
    "bigquery",
    "databend",
]


@pytest.mark.parametrize("where", EVERYWHERE)
@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("SELECT 1", "", ""),
        ("SELECT * FROM a.x", "a.x", ""),
        ("SELECT * FROM a.x AS p JOIN b.y AS q ON p.i = q.i", "a.x b.y", ""),
        ("SELECT * FROM x, y", "x y", ""),
        ("SELECT * FROM x WHERE i IN (SELECT i FROM y WHERE EXISTS (SELECT 1 FROM z))", "x y z", ""),
        ("SELECT (SELECT max(i) FROM y) FROM x", "x y", ""),
        ("SELECT * FROM (SELECT * FROM x) AS s", "x", ""),
        ("SELECT i FROM x UNION ALL SELECT i FROM y", "x y", ""),
        ("INSERT INTO m.t SELECT * FROM a.x", "a.x", "m.t"),
        ("INSERT INTO t (i, j) SELECT i, j FROM x", "x", "t"),
        ("INSERT INTO t VALUES (1, 'from x')", "", "t"),
        ("INSERT INTO t WITH c AS (SELECT * FROM x) SELECT * FROM c", "x", "t"),
        ("CREATE TABLE t AS SELECT * FROM x", "x", "t"),
        ("CREATE VIEW t AS SELECT * FROM x", "x", "t"),
        ("CREATE TABLE t (i INT)", "", ""),
        ("DELETE FROM t WHERE i IN (SELECT i FROM x)", "x", "t"),
        ("UPDATE t SET i = (SELECT max(i) FROM x)", "x", "t"),
        ("WITH c AS (SELECT * FROM x) SELECT * FROM c", "x", ""),
        ("WITH c AS (SELECT * FROM x), d AS (SELECT * FROM c) SELECT * FROM d JOIN c ON 1 = 1", "x", ""),
        ("WITH c AS (SELECT * FROM c) SELECT * FROM c", "c", ""),
        ("WITH RECURSIVE c AS (SELECT i FROM x UNION ALL SELECT i FROM c) SELECT * FROM c", "x", ""),
        ("WITH c AS (SELECT 1) SELECT * FROM a.c", "a.c", ""),
        ("SELECT * FROM (WITH c AS (SELECT * FROM x) SELECT * FROM c) AS s JOIN c ON 1 = 1", "c x", ""),
        ("WITH c AS (SELECT * FROM x) SELECT * FROM (WITH c AS (SELECT * FROM y) SELECT * FROM c) AS s", "x y", ""),
        ("SELECT 1; -- FROM x\nSELECT 2 /* FROM y */; SELECT 'FROM z'", "", ""),
        ("DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT * FROM x", "x", "t"),
        ("SELECT * FROM information_schema.tables", "", ""),
    ],
)  # fmt: skip
def test_everywhere(where: str, code: str, reads: str, writes: str) -> None:
    """OPS-10: what all databases share."""
    found = read(code, where)
    assert names(found) == (reads, writes)
    assert found.problem == ""


@pytest.mark.parametrize(
    ("where", "code", "reads", "writes"),
    [
        # Writing a partition, replacing, copying
        ("odps", "INSERT OVERWRITE TABLE m.t PARTITION (ds='1') SELECT i FROM a.x WHERE ds='1'", "a.x", "m.t"),
        ("odps", "INSERT OVERWRITE TABLE t PARTITION (ds) SELECT i, ds FROM x", "x", "t"),
        ("odps", "INSERT INTO TABLE t SELECT * FROM x LATERAL VIEW explode(items) e AS item", "x", "t"),
        ("odps", "FROM x INSERT OVERWRITE TABLE a SELECT i INSERT INTO TABLE b SELECT j", "x", "a b"),
        ("odps", "WITH c AS (SELECT * FROM x) INSERT OVERWRITE TABLE t SELECT * FROM c", "x", "t"),
        ("odps", "CREATE TABLE t LIFECYCLE 7 AS SELECT * FROM x", "x", "t"),
        ("odps", "CREATE TABLE IF NOT EXISTS t (i BIGINT) PARTITIONED BY (ds STRING) LIFECYCLE 30", "", ""),
        ("odps", "ALTER TABLE t DROP IF EXISTS PARTITION (ds='1')", "", "t"),
        ("odps", "ALTER TABLE t ADD IF NOT EXISTS PARTITION (ds='1')", "", ""),
        ("odps", "ALTER TABLE t ADD COLUMNS (j STRING)", "", ""),
        ("odps", "INSERT OVERWRITE TABLE t SELECT /*+ MAPJOIN(y) */ * FROM x JOIN y ON x.i = y.i", "x y", "t"),
        ("odps", "INSERT OVERWRITE TABLE lake.t SELECT * FROM other.x", "other.x", "t"),
        ("odps", "SET odps.sql.type.system.odps2=true; INSERT INTO t SELECT * FROM x", "x", "t"),
        ("hive", "INSERT OVERWRITE DIRECTORY '/out' SELECT * FROM x", "x", "file:/out"),
        ("hive", "LOAD DATA INPATH 'hdfs://n/in' OVERWRITE INTO TABLE t", "hdfs://n/in", "t"),
        ("hive", "USE mart; INSERT INTO t SELECT * FROM raw.x", "raw.x", "mart.t"),
        ("hive", "INSERT INTO default.t SELECT * FROM x", "x", "t"),
        ("spark", "MERGE INTO t USING x ON t.i = x.i WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
         "x", "t"),
        ("spark", "SELECT * FROM parquet.`/data/x`", "file:/data/x", ""),
        ("spark", "CACHE TABLE c AS SELECT * FROM x; INSERT INTO t SELECT * FROM c", "x", "t"),
        ("spark", "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM x; INSERT OVERWRITE t SELECT * FROM v", "x", "t"),
        ("spark", "INSERT INTO t REPLACE WHERE d = 1 SELECT * FROM x", "x", "t"),
        ("mysql", "REPLACE INTO t SELECT * FROM x", "x", "t"),
        ("mysql", "INSERT INTO t SELECT * FROM x ON DUPLICATE KEY UPDATE i = 1", "x", "t"),
        ("mysql", "DELETE a FROM t AS a JOIN x ON a.i = x.i", "x", "t"),
        ("mysql", "UPDATE t JOIN x ON t.i = x.i SET t.j = x.j", "x", "t"),
        ("mysql", "INSERT INTO shop.t SELECT * FROM `crm`.`X`", "crm.X", "t"),
        ("mysql", "SELECT 1 FROM dual", "", ""),
        ("sqlite", "INSERT OR REPLACE INTO t SELECT * FROM x", "x", "t"),
        ("sqlite", "REPLACE INTO t SELECT * FROM main.x", "x", "t"),
        ("sqlite", "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO l SELECT * FROM x; END", "", ""),
        ("sqlite", "SELECT name FROM sqlite_master", "", ""),
        ("postgres", "INSERT INTO t SELECT * FROM x ON CONFLICT (i) DO UPDATE SET i = excluded.i", "x", "t"),
        ("postgres", "DELETE FROM t USING x WHERE t.i = x.i", "x", "t"),
        ("postgres", "UPDATE t SET j = x.j FROM x WHERE t.i = x.i", "x", "t"),
        ("postgres", "TRUNCATE TABLE t, m.u", "", "m.u t"),
        ("postgres", "COPY t (i, j) FROM '/in/x.csv' CSV", "file:/in/x.csv", "t"),
        ("postgres", "COPY (SELECT * FROM x) TO '/out/x.csv'", "x", "file:/out/x.csv"),
        ("postgres", "SELECT * INTO t FROM x", "x", "t"),
        ("postgres", "SELECT * INTO TEMPORARY c FROM x; INSERT INTO t SELECT * FROM c", "x", "t"),
        ("postgres", "REFRESH MATERIALIZED VIEW CONCURRENTLY mart.v", "", "mart.v"),
        ("postgres", "WITH d AS (DELETE FROM x RETURNING *) INSERT INTO t SELECT * FROM d", "", "t x"),
        ("postgres", 'INSERT INTO T SELECT * FROM "X" JOIN public.y ON true', "X y", "t"),
        ("postgres", 'SELECT * FROM shop.public."a.b"', '"a.b"', ""),
        ("postgres", "SELECT * FROM generate_series(1, 3) AS g JOIN x ON true", "x", ""),
        ("postgres", "SELECT * FROM x, LATERAL (SELECT * FROM y WHERE y.i = x.i) AS l", "x y", ""),
        ("postgres", "SELECT $$ FROM z $$ FROM x", "x", ""),
        ("postgres", "MERGE INTO t USING (SELECT * FROM x) AS s ON t.i = s.i WHEN MATCHED THEN DELETE", "x", "t"),
        ("postgres", "BEGIN; LOCK TABLE t; INSERT INTO t SELECT * FROM x; COMMIT; VACUUM t", "x", "t"),
        ("postgres", "CREATE FUNCTION f() RETURNS int AS $$ SELECT 1 FROM x $$ LANGUAGE sql", "", ""),
        ("mssql", "SELECT i INTO #c FROM dbo.x; INSERT INTO t SELECT i FROM #c", "x", "t"),
        ("mssql", "UPDATE a SET j = 1 FROM t AS a JOIN x ON a.i = x.i", "x", "t"),
        ("mssql", "INSERT INTO [m].[T] SELECT * FROM [X]", "x", "m.t"),
        ("oracle", "MERGE INTO t USING (SELECT * FROM X) s ON (t.i = s.i) WHEN MATCHED THEN UPDATE SET t.j = 1", "x", "t"),
        ("oracle", "INSERT ALL INTO a VALUES (i) INTO b VALUES (i) SELECT i FROM x", "x", "a b"),
        ("trino", "INSERT INTO lake.raw.t SELECT * FROM crm.public.x CROSS JOIN UNNEST(x.items) AS u (item)",
         "crm.public.x", "t"),
        ("trino", "CREATE TABLE t WITH (format = 'ORC') AS SELECT * FROM x", "x", "t"),
        ("snowflake", "COPY INTO t FROM @stage/x.csv FILE_FORMAT = (TYPE = CSV)", "@stage/x.csv", "t"),
        ("snowflake", "CREATE TABLE t CLONE x", "x", "t"),
        ("snowflake", "CREATE OR REPLACE TRANSIENT TABLE T AS SELECT * FROM SHOP.PUBLIC.X", "x", "t"),
        ("snowflake", 'SELECT * FROM "X", "y"', "x y", ""),
        ("snowflake", "SELECT f.value FROM x, LATERAL FLATTEN(INPUT => x.items) f", "x", ""),
        ("bigquery", "INSERT INTO `my-project.shop.t` SELECT * FROM `other.shop.x`", "other.shop.x", "t"),
        ("bigquery", "SELECT * FROM raw.x AS p, p.items AS i", "raw.x", ""),
        ("clickhouse", "INSERT INTO T SELECT * FROM s3('https://b/x.csv', 'CSV')", "https://b/x.csv", "T"),
        ("clickhouse", "ALTER TABLE t DELETE WHERE i = 1", "", "t"),
        ("duckdb", "COPY t FROM '../../in/*.csv'", "file:in/*.csv", "t"),
        ("duckdb", "COPY t TO 's3://b/t.parquet' (FORMAT parquet)", "t", "s3://b/t.parquet"),
        ("duckdb", "INSERT INTO t SELECT * FROM 'x.parquet'", "file:workspaces/w/x.parquet", "t"),
        ("duckdb", "INSERT INTO t SELECT * FROM read_csv('../../in/x.csv', header = true)", "file:in/x.csv", "t"),
        ("duckdb", "INSERT INTO t SELECT * FROM read_parquet(['a.parquet', 'b.parquet'])",
         "file:workspaces/w/a.parquet file:workspaces/w/b.parquet", "t"),
        ("duckdb", "INSERT OR REPLACE INTO t BY NAME SELECT * FROM x", "x", "t"),
        ("duckdb", "INSERT INTO warehouse.main.t FROM x", "x", "t"),
        ("duckdb", 'INSERT INTO MART."Daily" SELECT * FROM Raw.X', "raw.x", "mart.daily"),
        ("duckdb", "SUMMARIZE x; PRAGMA threads=4; INSTALL httpfs", "", ""),
        ("duckdb", "SELECT * FROM range(3)", "", ""),
        ("duckdb", "PIVOT x ON a USING sum(b)", "x", ""),
        ("duckdb", "SELECT * FROM postgres_scan('host=h', 'public', 'x')", "", ""),
        ("duckdb", "SELECT * FROM parquet_scan('s3://b/x.parquet')", "s3://b/x.parquet", ""),
        ("postgres", "ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (1) TO (2); REINDEX TABLE t", "", ""),
        ("postgres", "CREATE TABLE t AS TABLE x", "x", "t"),
        ("clickhouse", "CREATE MATERIALIZED VIEW v TO t AS SELECT * FROM x", "x", "t"),
        # What a task makes for itself
        ("duckdb", "CREATE TEMP TABLE c AS SELECT * FROM x; INSERT INTO t SELECT * FROM c", "x", "t"),
        ("duckdb", "CREATE TABLE c AS SELECT * FROM x; INSERT INTO t SELECT * FROM c; DROP TABLE c", "x", "t"),
        ("duckdb", "CREATE OR REPLACE TABLE c AS SELECT * FROM x; INSERT INTO t SELECT * FROM c", "x", "c t"),
        ("duckdb", "CREATE TABLE n AS SELECT * FROM m.x; DROP TABLE t; ALTER TABLE n RENAME TO t", "m.x", "t"),
        ("duckdb", "CREATE TABLE IF NOT EXISTS t (i INT); INSERT INTO t SELECT max(i) + 1 FROM t", "t", "t"),
        ("duckdb", "CREATE TEMP TABLE c (i INT); INSERT INTO c SELECT i FROM x; INSERT INTO t FROM c", "x", "t"),
        ("duckdb", "INSERT INTO t SELECT * FROM x; SELECT count(*) FROM t", "x", "t"),
        ("duckdb", "INSERT INTO t SELECT * FROM x; SELECT count(*) FROM y", "x y", "t"),
        ("duckdb", "INSERT INTO l SELECT * FROM c; DROP TABLE c; CREATE TABLE c AS SELECT * FROM x", "c x", "c l"),
        # Joins by hints, datasets named like their tables, pivots, quoted names
        ("spark", "INSERT INTO t SELECT /*+ BROADCAST(x) */ * FROM d.a y JOIN d.b x ON y.k = x.k", "d.a d.b", "t"),
        ("spark", "INSERT INTO t SELECT /*+ SHUFFLE_HASH(x), REPARTITION(4, x) */ * FROM d.b x", "d.b", "t"),
        ("oracle", "SELECT /*+ INDEX(x i) LEADING(x y) */ * FROM a x, b y", "a b", ""),
        ("mssql", "SELECT * FROM x WITH (NOLOCK) OPTION (HASH JOIN)", "x", ""),
        ("bigquery", "INSERT INTO d.t SELECT * FROM p.daily.daily", "p.daily.daily", "d.t"),
        ("bigquery", "INSERT INTO d.t SELECT * FROM daily.daily JOIN daily.other ON true", "daily.daily daily.other", "d.t"),
        ("bigquery", "SELECT * FROM p.raw.x AS x, x.items AS i LEFT JOIN raw.y ON true", "p.raw.x raw.y", ""),
        ("duckdb", "INSERT INTO t SELECT * FROM (PIVOT s ON m IN ('a','b') USING sum(x) GROUP BY y) p", "s", "t"),
        ("duckdb", "CREATE TABLE t AS PIVOT s ON m USING sum(x)", "s", "t"),
        ("duckdb", "CREATE TABLE t AS UNPIVOT s ON a, b INTO NAME n VALUE v", "s", "t"),
        ("duckdb", 'CREATE TABLE IF NOT EXISTS ms("$id" INT, b INT); INSERT INTO ms SELECT a AS "$id", b FROM x', "x", "ms"),
        # Steps and blocks
        ("mssql", "DECLARE @x INT = (SELECT max(i) FROM u); INSERT INTO t SELECT @x FROM v; SET @x = (SELECT 1 FROM w)",
         "u v w", "t"),
        ("mssql", "IF EXISTS (SELECT 1 FROM a) BEGIN INSERT INTO t SELECT * FROM b END", "a b", "t"),
        ("mssql", "WHILE 1 = 1 BEGIN INSERT INTO t SELECT i FROM b END", "b", "t"),
        ("mssql", "CREATE PROCEDURE p AS BEGIN DELETE FROM q; DELETE FROM r; END\nGO\nDELETE FROM t", "", "t"),
        ("mssql", "DECLARE @x INT;\nSET @x = 1;\nWITH c AS (SELECT * FROM x) INSERT INTO t SELECT * FROM c;", "x", "t"),
        ("mssql", "BULK INSERT t FROM 'x.csv'", "file:workspaces/w/x.csv", "t"),
        ("bigquery", "DECLARE d DATE DEFAULT (SELECT max(x) FROM a.u); INSERT INTO a.t SELECT * FROM a.v WHERE x = d",
         "a.u a.v", "a.t"),
        ("bigquery", "BEGIN INSERT INTO d.t SELECT * FROM d.x; EXCEPTION WHEN ERROR THEN DELETE FROM d.u WHERE true; END",
         "d.x", "d.t d.u"),
        ("bigquery", "IF (SELECT max(i) FROM d.a) > 1 THEN INSERT INTO d.t SELECT 1 FROM d.x; ELSE DELETE FROM d.u; END IF",
         "d.a d.x", "d.t d.u"),
        ("bigquery", "FOR r IN (SELECT i FROM d.a) DO INSERT INTO d.t VALUES (r.i); END FOR", "d.a", "d.t"),
        ("bigquery", "WHILE x < (SELECT max(i) FROM d.a) DO SET x = (SELECT min(i) FROM d.b); END WHILE", "d.a d.b", ""),
        ("bigquery", "EXPORT DATA OPTIONS(uri='gs://b/x-*.csv', format='CSV') AS SELECT * FROM d.x", "d.x", "gs://b/x-*.csv"),
        ("bigquery", "LOAD DATA INTO d.t FROM FILES (format='CSV', uris=['gs://b/x.csv'])", "gs://b/x.csv", "d.t"),
        ("bigquery", "CREATE SNAPSHOT TABLE d.t CLONE d.x", "d.x", "d.t"),
        ("snowflake", "BEGIN LET n := (SELECT max(i) FROM u); INSERT INTO t SELECT * FROM x; RETURN n; END", "u x", "t"),
        ("snowflake", "DECLARE c CURSOR FOR SELECT i FROM u; BEGIN FOR r IN c DO INSERT INTO t SELECT * FROM x; END FOR; END",
         "u x", "t"),
        ("snowflake", "BEGIN TRANSACTION; INSERT INTO t SELECT * FROM x; COMMIT", "x", "t"),
        ("snowflake", "ALTER TABLE a SWAP WITH b; UNDROP TABLE c", "", "a b c"),
        ("snowflake", "PUT file:///tmp/x @s; COPY INTO t FROM (SELECT $1 FROM @s/x)", "@s/x file:///tmp/x", "@s t"),
        ("oracle", "DECLARE n INT; BEGIN SELECT max(i) INTO n FROM u; INSERT INTO t SELECT * FROM x; COMMIT; END;", "u x", "t"),
        ("oracle", "BEGIN FOR r IN (SELECT i FROM a) LOOP UPDATE t SET j = r.i; END LOOP; IF a THEN DELETE FROM u; END IF; END;",
         "a", "t u"),
        ("oracle", "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x", "", "t x"),
        ("postgres", "DO $$ DECLARE n int; BEGIN SELECT max(i) INTO n FROM u; INSERT INTO t SELECT * FROM x; END $$", "u x", "t"),
        ("postgres", "DECLARE c CURSOR FOR SELECT * FROM x; EXPLAIN ANALYZE DELETE FROM t; EXPLAIN DELETE FROM u", "x", "t"),
        ("postgres", "CREATE MATERIALIZED VIEW v AS SELECT * FROM x WITH NO DATA", "x", "v"),
        ("spark", "BEGIN DECLARE n INT; SET n = (SELECT max(i) FROM u); INSERT INTO t SELECT * FROM x; END", "u x", "t"),
        ("mysql", "LOAD DATA LOCAL INFILE '/x.csv' INTO TABLE t; SELECT * FROM x INTO OUTFILE '/o.csv'",
         "file:/x.csv x", "file:/o.csv t"),
        ("mysql", r"INSERT INTO t SELECT 'it\'s late; FROM q' FROM x; RENAME TABLE a TO b", "x", "a b t"),
        ("hive", "EXPORT TABLE x TO '/o'; IMPORT TABLE t FROM '/i'; ALTER TABLE a EXCHANGE PARTITION (d='1') WITH TABLE b",
         "file:/i x", "a b file:/o t"),
        ("redshift", "UNLOAD ('SELECT * FROM x WHERE s = ''a''') TO 's3://b/o'; ALTER TABLE t APPEND FROM y", "x y",
         "s3://b/o t y"),
        ("clickhouse", "EXCHANGE TABLES a AND b; ALTER TABLE t MOVE PARTITION 1 TO TABLE u; "
         "INSERT INTO FUNCTION s3('https://b/x') SELECT 1", "t", "a b https://b/x t u"),
        ("databricks", "DECLARE VARIABLE d = (SELECT max(i) FROM u); SET VAR d = (SELECT 1 FROM v); "
         "CREATE TABLE t SHALLOW CLONE x",
         "u v x", "t"),
        ("sqlite", "VACUUM INTO 'copy.db'; PRAGMA foreign_keys = 1", "", "file:workspaces/w/copy.db"),
        ("trino", "WITH FUNCTION f(n BIGINT) RETURNS BIGINT BEGIN DECLARE i BIGINT; RETURN i; END SELECT f(i) FROM x", "x", ""),
        ("trino", "UNLOAD (SELECT * FROM x) TO 's3://b/o' WITH (format = 'CSV')", "x", "s3://b/o"),
        ("bigquery", "DELETE d.t AS a WHERE a.i IN (SELECT i FROM d.x)", "d.x", "d.t"),
        ("mysql", "ALTER ALGORITHM = MERGE VIEW v AS SELECT * FROM x WITH CHECK OPTION", "x", "v"),
        ("mssql", "UPDATE STATISTICS x; ALTER VIEW v AS SELECT * FROM y", "y", "v"),
        ("clickhouse", "CREATE MATERIALIZED VIEW v REFRESH EVERY 1 HOUR TO t AS SELECT * FROM x", "x", "t"),
        ("oracle", "SELECT a, b INTO v_a, v_b FROM x", "x", ""),
        ("postgres", "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 FROM q; END", "", ""),
        ("mysql", "CREATE PROCEDURE p() BEGIN DELETE FROM q; END", "", ""),
    ],
)  # fmt: skip
def test_dialects(where: str, code: str, reads: str, writes: str) -> None:
    """OPS-10: what is said in one dialect only, and names as each database takes them."""
    found = read(code, where)
    assert (names(found), found.problem) == ((reads, writes), "")


@pytest.mark.parametrize(
    ("code", "parameters", "reads", "writes"),
    [
        ("INSERT INTO t_${day} SELECT * FROM x WHERE d = '${day}'", {"day": "$bizdate"}, "x", "t_*"),
        ("INSERT INTO ${schema}.t SELECT * FROM ${schema}_raw.x", {"schema": "mart"}, "mart_raw.x", "mart.t"),
        ("SELECT * FROM x WHERE n > ${late} AND d = DATE '${day}'", {"late": "15", "day": "${yyyy-mm-dd}"}, "x", ""),
        ("SELECT * FROM x LIMIT ${n}", {"n": "$nodeid"}, "x", ""),
        ("SELECT * FROM x WHERE d BETWEEN ${first} AND ${last}", {"first": "$[yyyymmdd-7]", "last": "$bizdate"}, "x", ""),
        ("INSERT INTO t SELECT * FROM read_csv('../../in/${day}/x-${hour}.csv')", {"day": "$bizdate", "hour": "$[hh24]"},
         "file:in/*/x-*.csv", "t"),
        ("SELECT '$${day}' FROM x", {}, "x", ""),
        ("SELECT * FROM ${table}", {"table": "(SELECT * FROM x) AS s"}, "x", ""),
        ("SELECT '${password}' FROM x_${password}", {"password": "${secret:P}"}, "x_*", ""),
        ('SELECT * FROM "raw ${day}".x', {"day": "$bizdate"}, '"raw *".x', ""),
        ("SELECT a${month} FROM x PIVOT (sum(v) FOR k IN ('${month}'))", {"month": "${yyyymm}"}, "x", ""),
    ],
)  # fmt: skip
def test_parameters(code: str, parameters: dict[str, str], reads: str, writes: str) -> None:
    """OPS-10, PAR-4: a constant is itself; what differs from day to day is a blank in a name."""
    found = read(code, parameters=tuple(parameters.items()))
    assert (names(found), found.problem) == ((reads, writes), "")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("INSERT INTO t SELEC * FROM x; DELETE FROM u", "statement 1 of 2 (INSERT INTO t SELEC * FROM x)"),
        ("DELETE FROM u; SELECT ((", "statement 2 of 2"),
        ("CALL refresh_everything(); DELETE FROM u", "it is not known what CALL does"),
        (f"DELETE FROM u; SELECT {'(' * 5000}1{')' * 5000}", "statement 2 of 2"),
        ("DELETE FROM u; SELECT '\x1b[2J' FROM FROM", "statement 2 of 2"),
    ],
)
def test_what_cannot_be_read(code: str, said: str) -> None:
    """OPS-10: is said, in one line that is safe to print, and the rest is read all the same."""
    found = read(code)
    assert names(found) == ("", "u")
    assert said in found.problem
    assert found.problem.isprintable()
    assert "declare reads and writes" in found.problem


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("mssql", "EXEC dbo.refresh @d = 1"),
        ("mssql", "EXECUTE sp_executesql N'DELETE FROM t'"),
        ("mssql", "BEGIN TRY DELETE FROM t END TRY BEGIN CATCH THROW END CATCH"),
        ("bigquery", "EXECUTE IMMEDIATE 'DELETE FROM t WHERE true'"),
        ("bigquery", "BEGIN CALL d.p(); END"),
        ("snowflake", "BEGIN EXECUTE IMMEDIATE :s; END"),
        ("snowflake", "EXECUTE TASK k"),
        ("oracle", "BEGIN refresh_all(1); END;"),
        ("oracle", "EXEC p"),
        ("postgres", "DO $$ BEGIN EXECUTE 'DELETE FROM t'; END $$"),
        ("postgres", "PREPARE p AS DELETE FROM t"),
        ("postgres", "CALL p()"),
        ("hive", "!sh load.sh"),
        ("hive", "dfs -rm /x"),
        ("duckdb", "COPY FROM DATABASE a TO b"),
        ("duckdb", "EXPORT DATABASE 'x'"),
        ("mysql", "HANDLER x OPEN"),
        ("trino", "CALL system.sync()"),
        ("databend", "FROBNICATE t"),
        ("snowflake", "IF(a, b, c)"),
    ],
)
def test_nothing_is_skipped_without_a_word(where: str, code: str) -> None:
    """OPS-10: what a statement does is known, or it is said that it is not."""
    found = read(code, where)
    assert "declare reads and writes" in found.problem, found


_NAMES = st.sampled_from(["c", "d", "e", "x", "y"])


@st.composite
def _queries(draw: st.DrawFn) -> list[tuple[str, list[str]]]:
    """WITH clauses in order: a name that no earlier one has, and the tables that its query joins."""
    own = draw(st.lists(st.sampled_from(["c", "d", "e"]), min_size=1, max_size=3, unique=True))
    return [(name, draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True))) for name in own]


def _written(clauses: list[tuple[str, list[str]]], rename: dict[str, str]) -> str:
    """The statement with its WITH names renamed, where they stand for the clause and nowhere else."""
    known: set[str] = set()
    parts = []
    for name, tables in clauses:
        sources = ", ".join(rename.get(t, t) if t in known else t for t in tables)
        parts.append(f"{rename[name]} AS (SELECT 1 FROM {sources})")
        known.add(name)
    last = ", ".join(rename[name] for name, _ in clauses)
    return f"INSERT INTO t WITH {', '.join(parts)} SELECT * FROM {last}, z"


@given(_queries(), st.permutations(["k1", "k2", "k3"]))
def test_names_of_with_clauses_do_not_matter(clauses: list[tuple[str, list[str]]], fresh: list[str]) -> None:
    """OPS-10: they are no tables, and hide one only behind them."""
    before = _written(clauses, {name: name for name, _ in clauses})
    after = _written(clauses, dict(zip(["c", "d", "e"], fresh, strict=True)))
    tables: set[str] = {"z"}
    for position, (_, sources) in enumerate(clauses):
        tables |= set(sources) - {name for name, _ in clauses[:position]}
    assert names(read(before)) == names(read(after)) == (" ".join(sorted(tables)), "t")
