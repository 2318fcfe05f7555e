"""The page of documents: what `services/reading/documents.py` says, as text; nothing is imported.

A document is a class there; what follows `#:` on a field's line is its description. What is beside a field that
stands on several lines is not found, so each stands on one.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src/retrofill/services/reading/documents.py"
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


def sections(text: str | None = None) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Titles of the parts of the module, each with the documents in it."""
    text = SOURCE.read_text() if text is None else text
    titles = {line: title for line, title in _comments(text, "# ") if not title.startswith("`")}
    current: tuple[str, list[ast.stmt]] = ("Lists", [])
    for node in ast.parse(text).body:
        for line in [line for line in titles if line < node.lineno]:
            yield current
            current = (titles.pop(line), [])
        if _fields_of(node) is not None:
            current[1].append(node)
    yield current


def name_of(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.ClassDef) else node.targets[0].id  # type: ignore[attr-defined]


def summary_of(node: ast.stmt) -> str:
    """What the class says of itself, and which fields it has besides its own."""
    if not isinstance(node, ast.ClassDef):
        return "Where a column that is written comes from."
    bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id != "TypedDict"]
    more = f" It has the fields of {', '.join(map(_link, bases))}, too." if bases else ""
    some = " Fields may be missing." if any(word.arg == "total" for word in node.keywords) else ""
    return f"{ast.get_docstring(node)}{more}{some}"


def rows_of(node: ast.stmt, text: str | None = None) -> list[Row]:
    """Fields with their types in words and their descriptions."""
    comments = dict(_comments(SOURCE.read_text() if text is None else text, "#:"))
    fields = _fields_of(node) or []
    return [(name, words(kind), comments.get(kind.lineno, "")) for name, kind in fields]


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


def _comments(text: str, mark: str) -> Iterator[tuple[int, str]]:
    """Line and words of comments that begin with a mark; `# ` only where it begins the line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith(mark):
            if mark == "# " and token.start[1]:
                continue
            yield token.start[0], token.string.removeprefix(mark).strip()


def by_name() -> Mapping[str, ast.stmt]:
    """All documents."""
    return {name_of(node): node for _, nodes in sections() for node in nodes}
