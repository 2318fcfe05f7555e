"""Lineage of any text: never an exception, and the short way gives the tables of the long one."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from examples import examples
from lineage.readings import URLS, columns, names, read, task
from lineage.sql.test_tables import test_dialects as dialects
from retrofill.lineage import SqlLineage
from retrofill.lineage.sql import shortening
from retrofill.lineage.sql.columns import balanced
from retrofill.lineage.sql.shortening import shortened

(CASES,) = (mark.args[1] for mark in dialects.pytestmark)
CORPUS = [(where, code) for where, code, _, _ in CASES]
_SALT = [
    "(",
    ")",
    "'",
    '"',
    "`",
    ";",
    "--",
    "/*",
    "*/",
    "$",
    "$$",
    "${",
    "[",
    "]",
    ",",
    "\n",
    "\0",
    "\ud800",
    "SELECT",
    "FROM",
]
_SALT += [
    "WITH",
    "BEGIN",
    "END",
    "IF",
    "THEN",
    "CASE",
    "PIVOT",
    "UNION",
    "VALUES",
    "INTO",
    "DECLARE",
    "@",
    "@s",
    "?",
    ":x",
    "#",
]
_SALT += ["\\", "😀", "é"]


@st.composite
def _texts(draw: st.DrawFn) -> tuple[str, str]:
    """A statement with words taken out, put twice, exchanged or salted, on its own database or on another."""
    where, code = draw(st.sampled_from(CORPUS))
    words = code.split(" ")
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(words)))
        match draw(st.sampled_from(["out", "twice", "salt", "other", "end"])):
            case "out":
                words[at : at + 1] = []
            case "twice":
                words[at:at] = words[at : at + 3]
            case "salt":
                words.insert(at, draw(st.sampled_from(_SALT)))
            case "other":
                words.insert(at, draw(st.sampled_from(CORPUS))[1])
            case _:
                words[at:] = []
    return draw(st.sampled_from([where, *URLS])), " ".join(words)


@settings(max_examples=examples(200))
@given(_texts())
def test_no_text_raises(text: tuple[str, str]) -> None:
    """OPS-10: neither tables nor columns; what is said is one line."""
    where, code = text
    reader = SqlLineage({"db": URLS[where]})
    for found in (reader.tables(task(code)), reader.columns(task(code))):
        assert found.problem.isprintable()


@settings(max_examples=examples(200))
@given(
    st.text(alphabet=st.sampled_from("SELECTFROMx ;'\"`$-/*[](){}#@:=,.\n\\")), st.sampled_from(sorted(URLS))
)
def test_no_characters_raise(code: str, where: str) -> None:
    """OPS-10: any characters."""
    assert read(code, where, columns=True).problem.isprintable()


@pytest.mark.parametrize(("where", "code"), CORPUS)
def test_the_short_way_finds_the_same_tables(where: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-10: `check` reads without lists of columns, `task show` with them."""
    monkeypatch.setattr(shortening, "LONG", 0)
    monkeypatch.setattr(shortening, "WORTH", 0)
    assert names(read(code + "\n", where)) == names(read(code, where, columns=True))


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("SELECT a, b, (SELECT max(c), 1 FROM y) FROM x WHERE i IN (SELECT i, j FROM z)",
         "SELECT a, b, (SELECT * FROM y) FROM x WHERE i IN (SELECT * FROM z)"),
        ("INSERT INTO t VALUES (1, 2), (3, (4)), (5, 6) ON CONFLICT DO NOTHING",
         "INSERT INTO t VALUES (1, 2) ON CONFLICT DO NOTHING"),
        ("INSERT INTO t VALUES ((SELECT 1 FROM a)), (2)", "INSERT INTO t VALUES ((SELECT * FROM a)), (2)"),
        ("SELECT a IS DISTINCT FROM b, extract(year FROM d) FROM t UNION ALL SELECT 1, 2 FROM u",
         "SELECT * FROM t UNION ALL SELECT * FROM u"),
        ("SELECT a INTO b FROM c", "SELECT a INTO b FROM c"),
        ("SELECT a, (FROM x) FROM y", "SELECT a, (FROM x) FROM y"),
        ("SELECT 1 UNION SELECT 'FROM z (', c FROM d", "SELECT 1 UNION SELECT * FROM d"),
    ],
)  # fmt: skip
def test_what_is_left_out(code: str, left: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-10: lists of columns without a query, and further rows."""
    monkeypatch.setattr(shortening, "LONG", 0)
    monkeypatch.setattr(shortening, "WORTH", 0)
    assert shortened(code, "duckdb") == left


def test_most_of_a_long_statement_is_left_out() -> None:
    """OPS-10: what a parser has to read of 60 columns, and of 1,000 rows."""
    listed = ", ".join(
        f"CASE WHEN a.c{i} > {i} THEN sum(b.d{i}) OVER (PARTITION BY a.k) END AS c{i}" for i in range(60)
    )
    assert (
        len(shortened(f"INSERT INTO t SELECT {listed} FROM x AS a JOIN y AS b ON a.k = b.k", "duckdb")) < 100
    )
    rows = ", ".join(f"({i}, 'x')" for i in range(1000))
    assert shortened(f"INSERT INTO t VALUES {rows}", "mysql") == "INSERT INTO t VALUES (0, 'x')"


def test_long_chains_of_unions_are_read_as_trees() -> None:
    """OPS-10: as chains they would cost the square of their length."""
    code = " UNION ALL ".join(f"SELECT a, b FROM x{i}" for i in range(4000))
    tree = balanced(sqlglot.parse_one(code))
    depth, level = 0, [tree]
    while level := [
        side for node in level if isinstance(node, exp.SetOperation) for side in (node.this, node.expression)
    ]:
        depth += 1
    assert depth == 12
    assert [table.name for table in tree.find_all(exp.Table, bfs=False)] == [f"x{i}" for i in range(4000)]


def test_columns_of_a_long_union() -> None:
    """OPS-10: every branch counts, by position."""
    code = "INSERT INTO t " + " UNION ALL ".join(f"SELECT a{i} AS a, b FROM x{i}" for i in range(50))
    found = columns(read(code, columns=True))
    assert found["t.a"].split() == sorted(f"x{i}.a{i}" for i in range(50))
    assert len(found["t.b"].split()) == 50
