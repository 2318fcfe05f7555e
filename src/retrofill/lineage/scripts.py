"""All statements of one task, and the tables that are left when what it makes for itself is taken out."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from retrofill.domain.lineage import Table
from retrofill.domain.statements import excerpt, first_words, split
from retrofill.lineage.blanks import without_blanks
from retrofill.lineage.names import Names
from retrofill.lineage.places import Place
from retrofill.lineage.tables import Effects, effects_of

# Its warnings would reach the terminal; what it cannot read is told by us.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())
logging.getLogger("sqlglot").propagate = False

# Statements that touch no rows of tables, by their first word: they need not be parsed.
_SILENT = frozenset(
    {
        "ABORT",
        "ADD",
        "ANALYZE",
        "ATTACH",
        "BEGIN",
        "CHECKPOINT",
        "CLUSTER",
        "COMMENT",
        "COMMIT",
        "DESC",
        "DESCRIBE",
        "DETACH",
        "END",
        "EXPLAIN",
        "GRANT",
        "INSTALL",
        "INVALIDATE",
        "KILL",
        "LIST",
        "LOCK",
        "MSCK",
        "OPTIMIZE",
        "PRAGMA",
        "REINDEX",
        "RELEASE",
        "RESET",
        "REVOKE",
        "ROLLBACK",
        "SAVEPOINT",
        "SET",
        "SHOW",
        "START",
        "SUMMARIZE",
        "UNCACHE",
        "UNLOCK",
        "VACUUM",
    }
)
_SILENT_KINDS = frozenset(
    {
        "DATABASE",
        "EXTENSION",
        "FUNCTION",
        "INDEX",
        "MACRO",
        "ROLE",
        "SCHEMA",
        "SECRET",
        "SEQUENCE",
        "TRIGGER",
        "TYPE",
        "USER",
    }
)
_WIDER = {"hive": "spark"}  # read by another dialect what the first does not know
_LIFECYCLE = re.compile(r"\bLIFECYCLE\s+\d+", re.I)  # MaxCompute's, which no dialect knows
_REFRESH = re.compile(r"REFRESH\s+MATERIALIZED\s+VIEW\s+(?:CONCURRENTLY\s+)?([\w.\"]+)", re.I)
_QUERY = re.compile(r"\b(SELECT|WITH)\b", re.I)


@dataclass(frozen=True, slots=True)
class Unread:
    """A statement that could not be read; numbers count from 1."""

    number: int
    excerpt: str
    reason: str


class Script:
    """A task's code, read once: `statements` as trees, `reads` and `writes` as tables."""

    def __init__(self, code: str, place: Place, workspace: str) -> None:
        self.place = place
        self.names = Names(place, workspace)
        self.unread: list[Unread] = []
        self.statements: list[tuple[exp.Expr, Effects]] = []
        self._reads: set[str] = set()
        self._own_reads: set[str] = set()  # of tables that may have been made here, read afterwards
        self._shown: set[str] = set()  # read to be printed
        self._writes: set[str] = set()
        self._inner: set[str] = set()
        self._made: dict[str, bool] = {}  # whether it certainly did not exist before
        texts = split(code, place.dialect)
        self.count = len(texts)
        for number, text in enumerate(texts, 1):
            self._add(number, text)
        # A task that prints what it has written does not depend on it.
        self.reads = self._tables(self._reads | self._own_reads | (self._shown - self._writes))
        self.writes = self._tables(self._writes)

    def is_inner(self, name: str) -> bool:
        """Whether the table lives and dies with the task."""
        return name in self._inner

    def table(self, name: str) -> Table:
        is_file = name.startswith(("file:", "@")) or "://" in name
        return Table(name, "" if is_file else self.place.connection)

    def _tables(self, names: set[str]) -> tuple[Table, ...]:
        return tuple(sorted(self.table(name) for name in names))

    def _add(self, number: int, text: str) -> None:
        words = first_words(text)
        if words[:1] and words[0] in _SILENT:
            return
        if words[:1] in (("CREATE",), ("DROP",)) and _SILENT_KINDS.intersection(words[1:2]):
            return
        try:
            trees = self._parse(text, words)
            for tree in trees:
                if isinstance(tree, exp.Use):
                    self.names.use(tree)
                elif tree is not None:
                    effects = effects_of(tree, self.names)
                    self.statements.append((tree, effects))
                    self._take(effects)
        except _OpaqueError:
            reason = f"it is not known what {' '.join(words[:1])} does"
            self.unread.append(Unread(number, without_blanks(excerpt(text)), reason))
        except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError, KeyError) as error:
            self.unread.append(Unread(number, without_blanks(excerpt(text)), _reason(error)))

    def _parse(self, text: str, words: tuple[str, ...]) -> list[exp.Expr | None]:
        """Trees of one statement; `words` are its first three."""
        if words[:2] == ("REFRESH", "MATERIALIZED") and (refreshed := _REFRESH.match(text)):
            return [exp.Insert(this=exp.to_table(refreshed[1], dialect=self.names.dialect))]
        if words[:2] == ("REPLACE", "INTO"):
            text = re.sub(r"\breplace(?=\s+into\b)", "INSERT", text, count=1, flags=re.I)
        try:
            return _known(self.names.dialect.parse(text), text)
        except (_OpaqueError, SqlglotError):
            other = _LIFECYCLE.sub("", text)
            wider = _WIDER.get(self.place.dialect)
            if other == text and wider is None:
                raise
        return _known(sqlglot.parse(other, dialect=wider or self.names.dialect), other)

    def _take(self, effects: Effects) -> None:
        """What a statement does, after those before it."""
        for name in effects.reads:
            if name in self._inner:
                continue
            if effects.is_shown:
                self._shown.add(name)
            elif name not in self._made:
                self._reads.add(name)
            elif not self._made[name]:
                self._own_reads.add(name)
        self._inner.update(effects.temporary)
        for kind, is_new in ((effects.made, True), (effects.created, False)):
            for name in kind:
                if name not in self._reads:
                    self._made.setdefault(name, is_new)
        self._writes.update(name for name in effects.writes if name not in self._inner)
        for old, new in effects.renamed:
            self._writes.add(new)
            if self._made.pop(old, None) is not None:
                self._writes.discard(old)
                self._own_reads.discard(old)
            else:
                self._writes.add(old)
        for name in effects.dropped:
            if self._made.pop(name, None) is not None:
                self._inner.add(name)
                self._shown.discard(name)
                self._writes.discard(name)
                self._own_reads.discard(name)


class _OpaqueError(Exception):
    """A statement that sqlglot keeps as text."""


def _known(trees: list[exp.Expr | None], text: str) -> list[exp.Expr | None]:
    for tree in trees:
        # DDL beyond sqlglot's grammar holds no rows, unless there is a query in it
        if isinstance(tree, exp.Command) and (
            tree.name.upper() not in ("CREATE", "ALTER") or _QUERY.search(text)
        ):
            raise _OpaqueError
    return [tree for tree in trees if not isinstance(tree, exp.Command)]


def _reason(error: Exception) -> str:
    """The error in a few words, on one line."""
    details = getattr(error, "errors", None)
    if details and details[0].get("description"):
        first = details[0]
        return without_blanks(f"{first['description'].rstrip('.')} at line {first['line']}")
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return without_blanks(" ".join(str(error).split())[:200])
