"""Statements that are recognised by their text, because no parser of ours reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from retrofill.lineage.sql.names import Names
from retrofill.lineage.sql.tables import Effects

_NAME = r"[\w$.\"`\[\]#@-]+"
_TEXT = r"'((?:[^'\\]|\\.|'')*)'"


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    act: Callable[[re.Match[str], Names, Effects], None]


def special_effects(text: str, names: Names) -> Effects | None:
    """What the statement does, if it is one of these."""
    for rule in _RULES:
        if match := rule.pattern.match(text):
            effects = Effects()
            rule.act(match, names, effects)
            return effects
    return None


def mended(text: str, dialect: str) -> str:
    """The statement without clauses that would keep it from being read and name no table."""
    for word, pattern, instead in (*_COMMON_MENDINGS, *_MENDINGS.get(dialect, ())):
        if word in text.upper():
            text = pattern.sub(instead, text, count=1)
    return text


def query_in(text: str) -> tuple[str, str] | None:
    """The query of UNLOAD, of a cursor or of SELECT INTO OUTFILE, and the file that it writes, if any."""
    if unload := _UNLOAD_QUERY.match(text):
        return unload["query"], unload["file"]
    if unload := _UNLOAD.match(text):
        return unload[1].replace("\\'", "'").replace("''", "'"), unload["file"]
    if cursor := _CURSOR.match(text):
        return text[cursor.end() :], ""
    if "FILE" in text.upper() and (outfile := _OUTFILE.search(text)):
        return text[: outfile.start()], outfile["file"]
    return None


def is_opaque(text: str) -> bool:
    """Whether a parser would take it for something else: whole databases."""
    return bool(_OPAQUE.match(text))


def _table(name: str, names: Names) -> list[str]:
    found = names.table(exp.to_table(name, dialect=names.dialect))
    return [] if found is None else [found]


def _load(match: re.Match[str], names: Names, effects: Effects) -> None:
    effects.reads.append(names.file(match["file"]))
    effects.writes += _table(match["table"], names)


def _append(match: re.Match[str], names: Names, effects: Effects) -> None:
    """Rows go from one table to another, so both change."""
    effects.writes += _table(match["table"], names) + _table(match["source"], names)
    effects.reads += _table(match["source"], names)


def _copied(match: re.Match[str], names: Names, effects: Effects) -> None:
    effects.writes += _table(match["table"], names)
    effects.reads += _table(match["source"], names)


def _exchange(match: re.Match[str], names: Names, effects: Effects) -> None:
    both = _table(match["table"], names) + _table(match["source"], names)
    effects.writes += both


def _move(match: re.Match[str], names: Names, effects: Effects) -> None:
    effects.writes += _table(match["table"], names) + _table(match["target"], names)
    effects.reads += _table(match["table"], names)


def _rename(match: re.Match[str], names: Names, effects: Effects) -> None:
    for pair in _PAIR.finditer(match["pairs"]):
        old, new = _table(pair["old"], names), _table(pair["new"], names)
        if old and new:
            effects.renamed.append((old[0], new[0]))


def _export(match: re.Match[str], names: Names, effects: Effects) -> None:
    effects.reads += _table(match["table"], names)
    effects.writes.append(names.file(match["file"]))


def _changed(match: re.Match[str], names: Names, effects: Effects) -> None:
    effects.writes += _table(match["table"], names)


def _rule(pattern: str, act: Callable[[re.Match[str], Names, Effects], None]) -> _Rule:
    written = pattern.replace(">NAME", f">{_NAME}").replace("TEXT", r"'(?P<file>[^']*)'").replace(" ", r"\s+")
    return _Rule(re.compile(written, re.IGNORECASE | re.DOTALL), act)


_PAIR = re.compile(rf"(?P<old>{_NAME})\s+TO\s+(?P<new>{_NAME})", re.IGNORECASE)
_UNLOAD_QUERY = re.compile(
    r"UNLOAD\s*\((?P<query>\s*(?:SELECT|WITH)\b.*)\)\s*TO\s+'(?P<file>[^']*)'", re.IGNORECASE | re.DOTALL
)
_UNLOAD = re.compile(rf"UNLOAD\s*\(\s*{_TEXT}\s*\)\s*TO\s+'(?P<file>[^']*)'", re.IGNORECASE | re.DOTALL)
_CURSOR = re.compile(
    r"DECLARE\s+\S+(?:\s+\w+){0,4}?\s+CURSOR(?:\s+WITH(?:OUT)?\s+HOLD)?\s+FOR\s+(?=SELECT\b|WITH\b)",
    re.IGNORECASE,
)
_OUTFILE = re.compile(r"\s+INTO\s+(?:OUTFILE|DUMPFILE)\s+'(?P<file>[^']*)'", re.IGNORECASE)
_OPAQUE = re.compile(r"(?:COPY\s+FROM|EXPORT|IMPORT|ATTACH\s+OR\s+REPLACE)\s+DATABASE\b", re.IGNORECASE)
_RULES = (
    _rule(
        r"LOAD DATA(?: LOW_PRIORITY| CONCURRENT)?(?: LOCAL)? INFILE TEXT(?: REPLACE| IGNORE)? INTO TABLE (?P<table>NAME)",
        _load,
    ),
    _rule(r"BULK INSERT (?P<table>NAME) FROM TEXT", _load),
    _rule(r"IMPORT(?: EXTERNAL)? TABLE (?P<table>NAME)(?: PARTITION\s*\([^)]*\))? FROM TEXT", _load),
    _rule(r"EXPORT TABLE (?P<table>NAME)(?: PARTITION\s*\([^)]*\))? TO TEXT", _export),
    _rule(r"ALTER TABLE (?P<table>NAME) APPEND FROM (?P<source>NAME)", _append),
    _rule(
        r"ALTER TABLE (?P<table>NAME) EXCHANGE (?:SUB)?PARTITION.*? WITH TABLE (?P<source>NAME)", _exchange
    ),
    _rule(r"ALTER TABLE (?P<table>NAME) SWITCH(?: PARTITION \S+)? TO (?P<target>NAME)", _move),
    _rule(r"ALTER TABLE (?P<table>NAME) MOVE PARTITION.*? TO TABLE (?P<target>NAME)", _move),
    _rule(
        r"ALTER TABLE (?P<table>NAME)(?: ON CLUSTER \S+)? "
        r"(?:UPDATE|DELETE|CLEAR COLUMN|FETCH PARTITION)\b",
        _changed,
    ),
    _rule(r"ALTER TABLE (?P<table>NAME) ATTACH PARTITION \S+ FROM (?P<source>NAME)", _copied),
    _rule(r"EXCHANGE TABLES (?P<table>NAME) AND (?P<source>NAME)", _exchange),
    _rule(r"RENAME TABLES? (?P<pairs>.*)", _rename),
    _rule(r"(?:RESTORE|UNDROP)(?: TABLE)? (?P<table>NAME)", _changed),
)
_AS_PIVOT = re.compile(
    r"\b(AS|INTO\s+[\w.\"]+)\s+((?:PIVOT|UNPIVOT|PIVOT_WIDER|PIVOT_LONGER)\b.*)", re.IGNORECASE | re.DOTALL
)
_COMMON_MENDINGS = (
    ("OPTION", re.compile(r"\s+WITH\s+(?:CASCADED\s+|LOCAL\s+)?CHECK\s+OPTION\s*\Z", re.IGNORECASE), ""),
    ("READ ONLY", re.compile(r"\s+WITH\s+READ\s+ONLY\s*\Z", re.IGNORECASE), ""),
    (
        "ALTER",
        re.compile(
            r"\AALTER\s+(?:(?:ALGORITHM|DEFINER|SQL\s+SECURITY)\s*=?\s*\S+\s+)*VIEW\b(?=.*\bAS\b.*\bSELECT\b)",
            re.IGNORECASE | re.DOTALL,
        ),
        "CREATE OR REPLACE VIEW",
    ),
)
_REFRESHED = re.compile(r"\bREFRESH\s.*?(?=\b(?:APPEND|TO|AS|ENGINE|EMPTY)\b)", re.IGNORECASE | re.DOTALL)
_MENDINGS: dict[str, tuple[tuple[str, re.Pattern[str], str], ...]] = {
    "postgres": (("DATA", re.compile(r"\s+WITH\s+(?:NO\s+)?DATA\s*\Z", re.IGNORECASE), ""),),
    "clickhouse": (("REFRESH", _REFRESHED, ""),),
    "duckdb": (("PIVOT", _AS_PIVOT, r"\1 SELECT * FROM (\2)"),),
    "bigquery": (("SNAPSHOT", re.compile(r"\ACREATE\s+SNAPSHOT\s+TABLE\b", re.IGNORECASE), "CREATE TABLE"),),
}
