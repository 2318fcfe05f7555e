"""Tests use what is public: where that is not enough, a seam is missing and is made (an argument, a fail point)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Underscored, and yet public: named tuples, and the end of a process that shall run nothing more.
PUBLIC = {"_replace", "_asdict", "_fields", "_make", "_exit"}
# Where no seam would be better than reaching, and why.
UNAVOIDABLE = {
    # The answer to a COMMIT is lost between the server and our own connection, of which the adapter shows nothing.
    "store/postgres/test_refusals.py": {"store._writer"},
}
ITSELF = {"self", "cls", "super()"}


def reached_into(source: str) -> Iterator[tuple[int, str]]:
    """Lines and names: private members of others, imported, used as attributes or named as text to be replaced."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            if ast.unparse(node.value) not in ITSELF:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("retrofill"):
            yield from ((node.lineno, found.name) for found in node.names if _is_private(found.name))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
            words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            yield from ((node.lineno, word) for word in words if _is_private(word.rpartition(".")[2]))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in TESTS.rglob("*.py")}), ids=lambda p: p.name
)
def test_no_test_reaches_into_what_is_private(folder: Path) -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}: {name}"
        for path in sorted(folder.glob("*.py"))
        for line, name in reached_into(path.read_text())
        if name not in UNAVOIDABLE.get(str(path.relative_to(TESTS)), ())
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "w.scheduler._starts = False",
        "from retrofill.services.backfills.instance_rows import _reach_heads",
        'monkeypatch.setattr("retrofill.domain.estimating.estimate._HUGE", 1)',
        'monkeypatch.setattr(batches, "_MOST", 7)',
        "setattr(w.making, '_show', die)",
    ],
)
def test_reaching_is_seen(source: str) -> None:
    assert list(reached_into(source))


@pytest.mark.parametrize("source", ["row._replace(id=1)", "self._tasks", "super()._start()", "os._exit(0)"])
def test_what_is_no_reaching(source: str) -> None:
    assert not list(reached_into(source))
