"""Texts as literals: each database reads back what was written, and nothing after it."""

from __future__ import annotations

import functools
import sqlite3
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from retrofill.domain.catalog.sql_literals import literal
from retrofill.domain.catalog.statements import split, without_quotes

HOSTILE = st.text(alphabet="a'\"\\`$;-/*\n\r%x{}é")


@pytest.mark.parametrize(
    ("dialect", "value", "written"),
    [
        ("duckdb", "it's", "'it''s'"),
        ("sqlite", "C:\\", "'C:\\'"),
        ("postgres", "a\\b", "'a\\b'"),
        ("postgres", "a $$ ' \\", r"E'a \x24\x24 '' \\'"),
        ("mysql", "it's \\", r"'it''s \\'"),
        ("bigquery", "it's \\\n", r"'it\'s \\\n'"),
        ("spark", "it's", r"'it\'s'"),
        ("snowflake", "it's \\", r"'it''s \\'"),
        ("tsql", "it's", "'it''s'"),
        ("tsql", "é", "N'é'"),
        ("oracle", "it's", "'it''s'"),
        ("", "it's", "'it''s'"),
    ],
)
def test_as_the_database_writes_it(dialect: str, value: str, written: str) -> None:
    """PAR-4: quotes doubled or escaped."""
    assert literal(value, dialect) == written


@given(HOSTILE)
def test_databases_read_it_back(value: str) -> None:
    """PAR-4: DuckDB and SQLite, whatever the text."""
    for dialect, connection in _databases():
        assert connection.execute(f"select {literal(value, dialect)}").fetchone() == (value,)


@functools.cache
def _databases() -> list[tuple[str, Any]]:
    return [("duckdb", duckdb.connect()), ("sqlite", sqlite3.connect(":memory:"))]


@pytest.mark.parametrize(
    "dialect", ["mysql", "bigquery", "snowflake", "spark", "hive", "databricks", "clickhouse", "redshift"]
)
@given(value=HOSTILE)
def test_other_databases_read_it_back(dialect: str, value: str) -> None:
    """PAR-4: by sqlglot's reading of them."""
    tree = sqlglot.parse_one(f"select {literal(value, dialect)} as a, 2 as b", dialect=dialect)
    first, second = tree.expressions
    assert isinstance(first.this, exp.Literal)
    assert first.this.this == value
    assert second.this.this == "2"


@pytest.mark.parametrize(
    "dialect", ["", "postgres", "mysql", "tsql", "oracle", "trino", "snowflake", "bigquery"]
)
@given(value=HOSTILE)
def test_it_is_one_quoted_text(dialect: str, value: str) -> None:
    """PAR-4, PAR-5: no `;` in it ends the statement, nothing of it is SQL."""
    code = f"select {literal(value, dialect)}"
    assert split(code, dialect) == [code]
    assert without_quotes(code, dialect).split() in (["select"], ["select", "N"], ["select", "E"])
