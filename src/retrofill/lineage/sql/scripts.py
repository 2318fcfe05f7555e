"""All statements of one task, and the tables that are left when what it makes for itself is taken out."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from retrofill.domain.catalog.lineage import Table
from retrofill.domain.catalog.statements import cut, excerpt, first_words, is_block, split
from retrofill.lineage.sql.blanks import without_blanks
from retrofill.lineage.sql.blocks import is_of_blocks, parts_of
from retrofill.lineage.sql.names import Names
from retrofill.lineage.sql.places import Place
from retrofill.lineage.sql.shortening import shortened
from retrofill.lineage.sql.special import is_opaque, mended, query_in, special_effects
from retrofill.lineage.sql.tables import Effects, effects_of, read_names

# Its warnings would reach the terminal; what it cannot read is told by us.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())
logging.getLogger("sqlglot").propagate = False

# Statements that touch no rows of tables, by their first word: they need not be parsed unless a query is in them.
_SILENT = frozenset(
    re.findall(
        "[A-Z]+",
        "ABORT ADD ANALYZE ATTACH BEGIN CHECKPOINT CLEAR CLOSE CLUSTER COMMENT COMMIT DEALLOCATE DELIMITER DESC "
        "DESCRIBE DETACH DISCARD END EXPLAIN FETCH GO GRANT INSTALL INVALIDATE KILL LIST LISTEN LOCK LS MSCK NOTIFY "
        "OPTIMIZE PRAGMA PRINT REFRESH REINDEX RELEASE RELOAD REMOVE RESET REVOKE RM ROLLBACK SAVEPOINT SET SHOW START "
        "SUMMARIZE SYSTEM UNCACHE UNLISTEN UNLOCK UNSET USE VACUUM",
    )
)
# What CREATE, ALTER and DROP change without touching rows.
_SILENT_KINDS = re.compile(
    r"(?:CREATE|ALTER|DROP|RENAME)\s+(?:(?:OR\s+REPLACE|OR\s+ALTER|OR\s+REFRESH|TEMP|TEMPORARY|UNIQUE|AGGREGATE|PERSISTENT|PUBLIC|"
    r"CLUSTERED|NONCLUSTERED|FULLTEXT|SPATIAL|BITMAP|EXTERNAL(?=\s+FUNCTION)|SECURE|EDITIONABLE|NONEDITIONABLE|GLOBAL|EVENT(?=\s+TRIGGER)|"
    r"DEFINER\s*=\s*\S+|ROW\s+ACCESS|MASKING|NETWORK|FILE(?=\s+FORMAT)|STORAGE|API|SEARCH|VECTOR|COLUMNSTORE|CONSTRAINT(?=\s+TRIGGER))\s+)*"
    r"(?:ACCESS|AGGREGATE|ALERT|ASSEMBLY|CAPACITY|CAST|CATALOG|CERTIFICATE|COLLATION|CONNECTION|CONVERSION|DATABASE|DATASOURCE|DICTIONARY|"
    r"DIRECTORY|DOMAIN|EVENT|EXTENSION|FORMAT|FOREIGN\s+DATA|FUNCTION|INDEX|INTEGRATION|KEYSPACE|LANGUAGE|LOGIN|MACRO|MAPPING|MODEL|OPERATOR|"
    r"PACKAGE|PARTITION\s+(?:FUNCTION|SCHEME)|PIPE|POLICY|PROC|PROCEDURE|PROFILE|PUBLICATION|QUOTA|RESERVATION|RESOURCE|ROLE|RULE|SCHEMA|SECRET|SEQUENCE|"
    r"SERVER|SETTINGS|SHARE|STAGE|STATISTICS|STREAM|SUBSCRIPTION|SYNONYM|SYSTEM|TABLESPACE|TAG|TASK|TRANSFORM|TRIGGER|TYPE|USER|"
    r"WAREHOUSE|WORKLOAD)\b",
    re.IGNORECASE,
)
_READ_WHOLE = frozenset({"tsql", "fabric"})  # whose IF, WHILE and BEGIN sqlglot reads
_SELECTS_INTO_TABLES = frozenset({"tsql", "fabric"})  # elsewhere SELECT ... INTO in a block fills variables
_WIDER = {"hive": "spark"}  # read by another dialect what the first does not know
_LIFECYCLE = re.compile(r"\bLIFECYCLE\s+\d+", re.I)  # MaxCompute's, which no dialect knows
_REFRESH = re.compile(r"REFRESH\s+MATERIALIZED\s+VIEW\s+(?:CONCURRENTLY\s+)?([\w.\"]+)", re.I)
_QUERY = re.compile(r"\bSELECT\b", re.I)
_EXECUTED = re.compile(r"EXPLAIN\s+(?:\([^)]*\bANALYZE\b[^)]*\)|ANALYZE\b(?:\s+VERBOSE\b)?)\s*", re.I)
_STATEMENT_OF_FILE = re.compile(r"VACUUM\s+(?:\w+\s+)?INTO\s+'([^']*)'", re.I)
_QUIET = (
    exp.Transaction
    | exp.Commit
    | exp.Rollback
    | exp.Comment
    | exp.Describe
    | exp.Show
    | exp.Pragma
    | exp.Grant
    | exp.Revoke
    | exp.Kill
    | exp.Analyze
    | exp.Refresh
    | exp.Attach
    | exp.Detach
    | exp.ListStage
    | exp.EndStatement
    | exp.Semicolon
    | exp.Uncache
    | exp.Heredoc
)


@dataclass(frozen=True, slots=True)
class Unread:
    """A statement that could not be read; numbers count from 1."""

    number: int
    excerpt: str
    reason: str


class Script:
    """A task's code, read once: `statements` as trees, `reads` and `writes` as tables."""

    def __init__(self, code: str, place: Place, workspace: str, with_columns: bool = True) -> None:
        self.place = place
        self.with_columns = with_columns
        self.names = Names(place, workspace)
        self.unread: list[Unread] = []
        self.statements: list[tuple[exp.Expr, Effects]] = []
        self._reads: set[str] = set()
        self._own_reads: set[str] = set()  # of tables that may have been made here, read afterwards
        self._shown: set[str] = set()  # read to be printed
        self._writes: set[str] = set()
        self._inner: set[str] = set()
        self._made: dict[str, bool] = {}  # whether it certainly did not exist before
        texts = _texts(code, place.dialect)
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
        try:
            self._read(text)
        except _OpaqueError:
            self._note(number, text, f"it is not known what {_name_of(text)} does")
        except Exception as error:  # whatever a parser stumbles over in users' text is said, not raised
            self._note(number, text, _reason(error))

    def _note(self, number: int, text: str, reason: str) -> None:
        self.unread.append(Unread(number, without_blanks(excerpt(text)), reason))

    def _read(self, text: str, is_steering: bool = False) -> None:
        """Take in one statement of the code, or of a block in it.

        Raises:
            _OpaqueError, and whatever else a parser raises.
        """
        words = first_words(text)
        if executed := _EXECUTED.match(text.lstrip()):
            return self._read(text.lstrip()[executed.end() :])
        if self.place.dialect not in _READ_WHOLE and is_of_blocks(text):
            return self._read_block(text)
        if self._is_silent(text, words):
            return None
        if is_opaque(text):
            raise _OpaqueError
        if query := query_in(text):
            if query[1]:
                self._writes.add(self.names.file(query[1]))
            return self._read(query[0], is_steering=True)
        if special := special_effects(text, self.names):
            return self._take(special)
        try:
            trees = self._parse(text, words)
        except Exception:
            if self.place.dialect not in _READ_WHOLE or ";" not in text:
                raise
            return self._read_block(text)
        for tree in trees:
            self._take_tree(tree, is_steering)
        return None

    def _read_block(self, text: str) -> None:
        """Every statement of a block; the first that cannot be read is told after the others were."""
        failed: Exception | None = None
        for part, is_steering in parts_of(text, self.place.dialect):
            try:
                if part == text:
                    raise _OpaqueError
                self._read(part, is_steering=is_steering or self.place.dialect not in _SELECTS_INTO_TABLES)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _is_silent(self, text: str, words: tuple[str, ...]) -> bool:
        """Whether the first words say that no rows are touched."""
        if stored := _STATEMENT_OF_FILE.match(text.lstrip()):
            self._writes.add(self.names.file(stored[1]))
            return True
        if words[:1] == ("BEGIN",):
            return not is_block(text)
        if words[:1] and words[0] in _SILENT and words[:2] != ("REFRESH", "MATERIALIZED"):
            return words[0] != "USE" and (words[0] != "SET" or not _QUERY.search(text))
        if (words[:1] == ("LOAD",) and words[1:2] != ("DATA",)) or words[:2] == ("UPDATE", "STATISTICS"):
            return True
        return bool(_SILENT_KINDS.match(text, len(text) - len(text.lstrip())))

    def _take_tree(self, tree: exp.Expr | None, is_steering: bool) -> None:
        """What one tree does; control flow that sqlglot reads is read through."""
        if tree is None or isinstance(tree, _QUIET):
            return
        if isinstance(tree, exp.Use):
            self.names.use(tree)
        elif isinstance(tree, exp.Block | exp.IfBlock | exp.WhileBlock):
            self._take_steps(tree)
        else:
            if is_steering and isinstance(tree, exp.Select):
                tree.set("into", None)  # variables
            effects = effects_of(tree, self.names)
            if effects is None:
                raise _OpaqueError
            effects.is_shown = effects.is_shown and not is_steering
            self.statements.append((tree, effects))
            self._take(effects)

    def _take_steps(self, tree: exp.Expr) -> None:
        condition = tree.this
        if isinstance(condition, exp.Expr) and not isinstance(tree, exp.Block):
            self._take(Effects(reads=list(read_names(condition, self.names, set()))))
        failed = False
        for key in ("expressions", "true", "false", "body"):
            inner = tree.args.get(key)
            for child in inner if isinstance(inner, list) else [inner]:
                if not isinstance(child, exp.Expr):
                    continue
                if isinstance(child, exp.Command):
                    failed = True
                else:
                    self._take_tree(child, is_steering=False)
        if failed:
            raise _OpaqueError

    def _parse(self, text: str, words: tuple[str, ...]) -> list[exp.Expr | None]:
        """Trees of one statement; `words` are its first three."""
        if words[:2] == ("REFRESH", "MATERIALIZED") and (refreshed := _REFRESH.match(text)):
            return [exp.Insert(this=exp.to_table(refreshed[1], dialect=self.names.dialect))]
        if words[:2] == ("REPLACE", "INTO"):
            text = re.sub(r"\breplace(?=\s+into\b)", "INSERT", text, count=1, flags=re.I)
        text = mended(text, self.place.dialect)
        if not self.with_columns:
            short = shortened(text, self.place.dialect)
            if short is not text:
                try:
                    return self._parsed(short)
                except Exception:  # then the whole text says why
                    return self._parsed(text)
        return self._parsed(text)

    def _parsed(self, text: str) -> list[exp.Expr | None]:
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
    """A statement that sqlglot keeps as text, or whose effect is not known."""


def _texts(code: str, dialect: str) -> list[str]:
    """The statements; SQL Server's batches whole, because a `;` may lie in a procedure."""
    if dialect in _READ_WHOLE:
        return [piece.text for piece in cut(code, dialect)]
    return split(code, dialect)


def _name_of(text: str) -> str:
    """The word that a statement begins with."""
    return next(iter(first_words(text)), "it")


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
