"""Names of tables and files as lineage speaks of them.

Identifiers are in lower case where the database ignores case, and keep theirs where it counts;
quotes stay only around a part that holds a dot or a blank. Leading parts that go without
saying in the place (its database, its default schema) are left out.
"""

from __future__ import annotations

import posixpath
import re

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from retrofill.lineage.sql.blanks import without_blanks
from retrofill.lineage.sql.places import Place

_SYSTEM = frozenset({"information_schema", "pg_catalog", "pg_temp", "sys", "system"})
_NO_TABLES = frozenset({"dual", "sqlite_master", "sqlite_schema", "sqlite_temp_master"})
_FILE_FORMATS = frozenset({"parquet", "csv", "json", "text", "orc", "avro", "delta", "iceberg", "binaryfile"})
_FILE_ENDING = re.compile(
    r"\.(csv|tsv|txt|json|jsonl|ndjson|parquet|xlsx|arrow|db|duckdb)(\.gz|\.zst)?$", re.I
)
_FILE_FUNCTIONS = re.compile(
    r"(read_\w+|(parquet|json|csv|sqlite|iceberg|delta|arrow)_scan|s3|s3cluster|gcs|azureblobstorage|hdfs|url|file|deltalake|iceberg)",
    re.I,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PLAIN = re.compile(r"[^\s.]+")


class Names:
    """Names tables in one task's code.

    `schema` is what unqualified names lie in after a USE statement.
    """

    def __init__(self, place: Place, workspace: str) -> None:
        self.place = place
        self._folder = f"workspaces/{workspace}"
        self.dialect = Dialect.get_or_raise(place.dialect)
        self._strategy = self.dialect.normalization_strategy
        self.schema: tuple[str, ...] = ()

    def identifier(self, node: exp.Expr) -> str:
        """An identifier in the case that counts."""
        text = node.name
        quoted = bool(node.args.get("quoted"))
        strategy = self._strategy
        if strategy is NormalizationStrategy.CASE_SENSITIVE:
            return text
        if quoted and strategy is NormalizationStrategy.LOWERCASE:
            return text
        if quoted and strategy is NormalizationStrategy.UPPERCASE and not text.isupper():
            return text
        return text.lower()

    def normalized(self, text: str) -> str:
        """An identifier that sqlglot has normalized, in the case in which we show it."""
        is_upper = self._strategy in (
            NormalizationStrategy.UPPERCASE,
            NormalizationStrategy.CASE_INSENSITIVE_UPPERCASE,
        )
        return text.lower() if is_upper and text.isupper() else text

    def table(self, node: exp.Table) -> str | None:
        """The name of a table or file, None for what is neither: system tables, functions."""
        return next(iter(self.tables(node)), None)

    def tables(self, node: exp.Table) -> list[str]:
        """The same where a function may read several files."""
        parts = node.parts
        if not parts or not all(isinstance(part, exp.Identifier) for part in parts):
            return self._unusual(node)
        last = parts[-1]
        if last.args.get("quoted") and self._is_file(last.name, parts[:-1]):
            return [self.file(last.name)]
        names = [self.identifier(part) for part in parts if part.name]  # `db..t` has an empty one
        if not _SYSTEM.isdisjoint(part for name in names[:2] for part in name.lower().split(".")[:1]):
            return []
        if len(names) == 1:
            if names[0] in _NO_TABLES:
                return []
            names = [*self.schema, *names]
        return [self._written(names)]

    def beside(self, node: exp.Table, other: exp.Table) -> str | None:
        """The name of `node`, which lies in the schema of `other` unless it says where."""
        if node.args.get("db") is None and other.args.get("db") is not None:
            node = node.copy()
            node.set("db", other.args["db"].copy())
            if other.args.get("catalog") is not None:
                node.set("catalog", other.args["catalog"].copy())
        return self.table(node)

    def use(self, node: exp.Use) -> None:
        """What a USE statement changes."""
        kind = node.args.get("kind")
        if isinstance(node.this, exp.Table) and (kind is None or kind.name.upper() in ("SCHEMA", "DATABASE")):
            self.schema = tuple(self.identifier(part) for part in node.this.parts)

    def file(self, path: str) -> str:
        """A file by its path: relative to the project where it lies in it; a URL is its own name."""
        path = without_blanks(path)
        if path.startswith("@") or _SCHEME.match(path):
            return path
        return f"file:{posixpath.normpath(posixpath.join(self._folder, path))}"

    def _written(self, names: list[str]) -> str:
        while len(names) > 1 and names[0].casefold() in self.place.implied:
            names = names[1:]
        shown = (name if _PLAIN.fullmatch(name) else f'"{name}"' for name in names)
        return without_blanks(".".join(shown))

    def _is_file(self, name: str, before: list[exp.Expr]) -> bool:
        if len(before) == 1 and before[0].name.lower() in _FILE_FORMATS:
            return "/" in name
        return (
            not before and self.place.dialect == "duckdb" and bool("/" in name or _FILE_ENDING.search(name))
        )

    def _unusual(self, node: exp.Table) -> list[str]:
        """Files that are read by a function or named as a stage."""
        this = node.this
        if isinstance(this, exp.Var):
            return [self.file(this.name)] if this.name.startswith("@") else []
        if not isinstance(this, exp.Func):
            return []
        name = this.name if isinstance(this, exp.Anonymous) else this.sql_name()
        if not _FILE_FUNCTIONS.fullmatch(name):
            return []
        first = this.this if isinstance(this.this, exp.Expr) else next(iter(this.expressions), None)
        paths = [node for node in first.find_all(exp.Literal) if node.is_string] if first is not None else []
        return [self.file(path.name) for path in paths]
