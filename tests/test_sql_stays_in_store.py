"""Only a store speaks SQL: neither the domain nor a service nor a port holds a piece of it.

Read from the sources: every text that is no docstring. The lineage of SQL is about what users write.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src" / "retrofill"
_SQL = re.compile(
    r"\b(SELECT \S+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|ORDER BY|GROUP BY|INDEXED BY|PRAGMA|EXISTS \(|NOT NULL"
    r"|IS NOT \?|BETWEEN \?|LIMIT \?)|\w (=|<>|<|>|<=|>=) (\?|%s|'\w+')|\bIN \(|json_each|instr\("
)


def texts_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def pieces_of_sql(*folders: str) -> list[str]:
    return [
        f"{path.relative_to(SOURCES)}: {text}"
        for folder in folders
        for path in sorted((SOURCES / folder).rglob("*.py"))
        for text in texts_of(path)
        if _SQL.search(text)
    ]


def test_no_sql_in_domain_and_services() -> None:
    """Filters are values; `store/filters.py` turns them into SQL."""
    assert pieces_of_sql("domain", "services") == []


def test_no_database_by_name_in_ports() -> None:
    ports = (SOURCES / "services" / "ports").rglob("*.py")
    named = [path.name for path in ports if re.search("sqlite|postgres", path.read_text(), re.IGNORECASE)]
    assert named == []


@pytest.mark.parametrize(
    "text",
    [
        "state = 'failed'", "name = ?", "id BETWEEN ? AND ?", "reason IS NOT ?", "state IN ('a')", "created_by = %s",
        "SELECT 1 FROM x", "instr(lower(name), lower(?)) > 0",
    ],
)  # fmt: skip
def test_a_piece_of_sql_is_known(text: str) -> None:
    assert _SQL.search(text)


def test_it_is_found_where_it_belongs() -> None:
    assert len(pieces_of_sql("store")) > 100
