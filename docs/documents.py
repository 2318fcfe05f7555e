"""The page of documents: what `services/reading/documents/` says, as text; nothing is imported.

A document is a class there; what follows `#:` on a field's line is its description. What is beside a field that
stands on several lines is not found, so each stands on one.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "src/retrofill/services/reading/documents"
_ORDER = (
    "pages",
    "backfills",
    "instances",
    "closer",
    "pictures",
    "feed",
    "notices",
    "lineage",
    "schedule",
    "tasks",
    "names",
    "people",
    "work",
    "acts",
    "foresight",
)
_WORDS = {
    "int": "integer",
    "str": "string",
    "bool": "true or false",
    "float": "number",
    "None": "null",
    "Any": "anything",
    "Text": "sentence",
    "Step": "step",
    "_Item": "item",
}
Row = tuple[str, str, str]  # name, type, description


def sections() -> Iterator[tuple[str, Module]]:
    """Titles of the modules, each with what is in it."""
    for name in _ORDER:
        module = Module((FOLDER / f"{name}.py").read_text())
        yield module.title, module


class Module:
    """One module of documents."""

    def __init__(self, text: str) -> None:
        self._tree = ast.parse(text)
        self._comments = dict(_comments(text))
        self.title = (ast.get_docstring(self._tree) or "").partition(":")[0].rstrip(".")
        self.documents = [node for node in self._tree.body if _fields_of(node) is not None]

    def summary_of(self, node: ast.stmt) -> str:
        """What a document says of itself, and which fields it has besides its own."""
        if not isinstance(node, ast.ClassDef):
            return self._docs()[name_of(node)]
        bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id != "TypedDict"]
        more = f" It has the fields of {', '.join(map(_link, bases))}, too." if bases else ""
        some = " Fields may be missing." if any(word.arg == "total" for word in node.keywords) else ""
        return f"{ast.get_docstring(node)}{more}{some}"

    def _docs(self) -> dict[str, str]:
        """What is said of documents that are no classes: `NAME.__doc__ = ...`."""
        return {
            node.targets[0].value.id: node.value.value
            for node in self._tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
        }

    def rows_of(self, node: ast.stmt) -> list[Row]:
        """Fields with their types in words and their descriptions."""
        fields = _fields_of(node) or []
        return [(name, words(kind), self._comments.get(kind.lineno, "")) for name, kind in fields]


def name_of(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.ClassDef) else node.targets[0].id  # type: ignore[attr-defined]


def words(kind: ast.expr) -> str:
    """A type as people read it."""
    if isinstance(kind, ast.BinOp):
        return f"{words(kind.left)} or {words(kind.right)}"
    if isinstance(kind, ast.Subscript) and isinstance(kind.value, ast.Name):
        inner = kind.slice
        if kind.value.id == "list":
            return f"list of {words(inner)}"
        if isinstance(inner, ast.Tuple):
            return f"object of {words(inner.elts[-1])}"
    name = ast.unparse(kind)
    return _WORDS.get(name) or _link(name)


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _fields_of(node: ast.stmt) -> list[tuple[str, ast.expr]] | None:
    """Names and types; None of what is no document."""
    if isinstance(node, ast.ClassDef):
        return [
            (one.target.id, one.annotation)
            for one in node.body
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        ]
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.value.args) == 2:
        fields = node.value.args[1]
        if isinstance(fields, ast.Dict):
            names = (key.value for key in fields.keys if isinstance(key, ast.Constant))
            return list(zip(map(str, names), fields.values, strict=True))
    return None


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Line and words of the comments that describe fields."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith("#:"):
            yield token.start[0], token.string.removeprefix("#:").strip()
