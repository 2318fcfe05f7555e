"""What counts as quoted, as a comment and as a block of statements in the SQL of each database.

A dialect that is not known is read as plain SQL: doubled quotes, `--` and nested comments, dollar
quotes, and blocks after CREATE PROCEDURE and the like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

_DOUBLED = "'[^']*(?:'|\\Z)"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*(?:'|\Z)"
_DOUBLE_QUOTED = '"[^"]*(?:"|\\Z)'
_DOUBLE_QUOTED_ESCAPED = r'"(?:[^"\\]|\\.|"")*(?:"|\Z)'
_BACKTICKS = "`[^`]*(?:`|\\Z)"
_BRACKETS = r"\[(?:[^\]]|\]\])*(?:\]|\Z)"
# A letter before the quote is looked back at, so that a reading need not stop at every such letter.
_E_STRING = r"(?<=(?<![\w$])[eE])" + _ESCAPED
_RAW = r"(?<=(?<![\w$])[rR])(?:'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z))"
_TRIPLE = r"'''(?:[^\\]|\\.)*?(?:'''|\Z)|\"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z)"
_Q_STRING = (
    r"(?:(?<=(?<![\w$])[qQ])|(?<=(?<![\w$])[nN][qQ]))'(?:\[.*?(?:\]'|\Z)|\{.*?(?:\}'|\Z)|\(.*?(?:\)'|\Z)|<.*?(?:>'|\Z)|"
    r"(?P<q>[^\s\[{(<]).*?(?:(?P=q)'|\Z))"
)
_DASHES = r"--[^\n]*"
_HASH = r"\#[^\n]*"
_FLAT_COMMENT = r"/\*.*?(?:\*/|\Z)"
_NESTED_COMMENT = r"(?P<comment>/\*)"
_TAGGED = r"(?P<dollar>(?<![\w$])\$(?:[A-Za-z_]\w*)?\$)"
_PLAIN_DOLLARS = r"(?P<dollar>\$\$)"
BLOCK_WORDS = (
    r"(?P<word>(?<![\w$.@\#])(?:END(?:\s+(?:IF|LOOP|WHILE|REPEAT|FOR|FOREACH|CASE))?|BEGIN|CASE|IF|ELSEIF|WHEN|THEN|"
    r"LOOP|WHILE|REPEAT(?!\s*\()|DECLARE|PROCEDURE|FUNCTION|LANGUAGE)(?![\w$]))"
)


_NAMED = re.compile(r"\(\?P<\w+>")


@dataclass(frozen=True, slots=True)
class Lexing:
    """The rules of one dialect.

    `skipped` are patterns of what is passed over whole. `routines` are the words after CREATE whose
    statement may hold a block.
    """

    skipped: tuple[str, ...] = (_E_STRING, _DOUBLED, _DOUBLE_QUOTED, _BACKTICKS, _DASHES)
    comment: str = _NESTED_COMMENT
    dollar: str = _TAGGED
    routines: frozenset[str] = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"})
    has_blocks: bool = True  # BEGIN ... END by itself
    has_declared_blocks: bool = False  # DECLARE ... BEGIN ... END
    has_steps: bool = False  # IF ... END IF, LOOP and the like by themselves
    counts_parentheses: bool = False  # `;` in parentheses ends nothing: CREATE RULE
    separator: str = ""  # a line that ends a statement, or a batch of them
    keeps_end: bool = False  # a block is sent with its last `;`

    @property
    def nests(self) -> bool:
        """Whether a comment may hold comments."""
        return self.comment == _NESTED_COMMENT

    def scanner(self, words: str = "", with_parentheses: bool = False) -> re.Pattern[str]:
        """Matches, from a place on, what leads up to the next token, as group `skip`, and the token.

        The name of the last group is the token's kind; `skip` itself says that it is quoted or a comment.

        Args:
            words: a pattern of words that are tokens too.
        """
        return _scanner(self, words, with_parentheses or self.counts_parentheses)


@lru_cache(maxsize=64)
def _scanner(own: Lexing, words: str, with_parentheses: bool) -> re.Pattern[str]:
    """Passes over what is no token in C: run by run, word by word."""
    parts = [f"(?P<separator>{own.separator})"] if own.separator else []
    parts += [f"(?:{skipped})" for skipped in own.skipped]
    parts += [own.comment, *filter(None, [own.dollar]), "(?P<end>;)"]
    if with_parentheses:
        parts.append("(?P<parenthesis>[()])")
    stops = r"'\"`;/\-$()\#\[" + (r"\n" if own.separator else "")
    tokens = "|".join(parts)
    unnamed = _NAMED.sub("(?:", tokens).replace("(?P=q)", "(?:.)")  # a look ahead needs no names
    names = words or "(?!)"
    before = f"(?!{_NAMED.sub('(?:', own.separator)})" if own.separator else ""
    run = rf"[^\w{stops}]++|(?!{_NAMED.sub('(?:', names)})\w++|(?!{unnamed})[{stops}]"
    return re.compile(
        rf"(?P<skip>(?:{before}(?:{run}))*+)(?:{tokens}|{names})", re.DOTALL | re.IGNORECASE | re.MULTILINE
    )


_POSTGRES = Lexing(
    skipped=(_E_STRING, _DOUBLED, _DOUBLE_QUOTED, _DASHES),
    routines=frozenset({"PROCEDURE", "FUNCTION"}),
    has_blocks=False,
    counts_parentheses=True,
)
_MYSQL = Lexing(
    skipped=(_ESCAPED, _DOUBLE_QUOTED_ESCAPED, _BACKTICKS, r"--(?=[\s\x00-\x1f]|\Z)[^\n]*", _HASH),
    comment=_FLAT_COMMENT,
    dollar="",
    has_steps=True,
    separator=r"^[ \t]*DELIMITER[ \t]+\S+[ \t]*\r?$",
)
_SPARK = Lexing(
    skipped=(_RAW, _ESCAPED, _DOUBLE_QUOTED_ESCAPED, _BACKTICKS, _DASHES),
    dollar=_PLAIN_DOLLARS,
    routines=frozenset({"PROCEDURE", "FUNCTION"}),
)
_TRINO = Lexing(
    skipped=(_DOUBLED, _DOUBLE_QUOTED, _DASHES),
    comment=_FLAT_COMMENT,
    dollar=_PLAIN_DOLLARS,
    routines=frozenset({"FUNCTION"}),
    has_blocks=False,
)
_LEXINGS = {
    "postgres": _POSTGRES,
    "materialize": _POSTGRES,
    "risingwave": _POSTGRES,
    "redshift": replace(_POSTGRES, skipped=(_ESCAPED, _DOUBLE_QUOTED, _DASHES)),
    "duckdb": Lexing(
        skipped=(_E_STRING, _DOUBLED, _DOUBLE_QUOTED, _DASHES), routines=frozenset(), has_blocks=False
    ),
    "sqlite": Lexing(
        skipped=(_DOUBLED, _DOUBLE_QUOTED, _BACKTICKS, r"\[[^\]]*(?:\]|\Z)", _DASHES),
        comment=_FLAT_COMMENT,
        dollar="",
        routines=frozenset({"TRIGGER"}),
        has_blocks=False,
    ),
    "mysql": _MYSQL,
    "doris": _MYSQL,
    "starrocks": _MYSQL,
    "singlestore": _MYSQL,
    "tidb": _MYSQL,
    "hive": replace(_SPARK, skipped=_SPARK.skipped[1:], dollar="", routines=frozenset(), has_blocks=False),
    "spark": _SPARK,
    "spark2": _SPARK,
    "databricks": _SPARK,
    "trino": _TRINO,
    "presto": _TRINO,
    "dune": _TRINO,
    "athena": replace(_TRINO, skipped=(_DOUBLED, _DOUBLE_QUOTED, _BACKTICKS, _DASHES)),
    "snowflake": Lexing(
        skipped=(_ESCAPED, _DOUBLE_QUOTED, _DASHES, r"(?<![:/])//[^\n]*"),
        comment=_FLAT_COMMENT,
        dollar=_PLAIN_DOLLARS,
        routines=frozenset({"PROCEDURE", "FUNCTION", "TASK", "ALERT"}),
        has_declared_blocks=True,
    ),
    "bigquery": Lexing(
        skipped=(_TRIPLE, _ESCAPED, _DOUBLE_QUOTED_ESCAPED, r"`(?:[^`\\]|\\.)*(?:`|\Z)", _DASHES, _HASH),
        comment=_FLAT_COMMENT,
        dollar="",
        routines=frozenset({"PROCEDURE"}),
        has_steps=True,
    ),
    "clickhouse": Lexing(
        skipped=(
            _ESCAPED,
            _DOUBLE_QUOTED_ESCAPED,
            r"`(?:[^`\\]|\\.)*(?:`|\Z)",
            _DASHES,
            r"\#(?:!|[ ])[^\n]*",
        ),
        routines=frozenset(),
        has_blocks=False,
    ),
    "tsql": Lexing(
        skipped=(_DOUBLED, _DOUBLE_QUOTED, _BRACKETS, _DASHES),
        dollar="",
        routines=frozenset(),
        has_blocks=False,
        separator=r"^[ \t]*GO(?:[ \t]+\d{1,4})?[ \t]*;?[ \t]*\r?$",
    ),
    "oracle": Lexing(
        skipped=(_Q_STRING, _DOUBLED, _DOUBLE_QUOTED, _DASHES),
        comment=_FLAT_COMMENT,
        dollar="",
        routines=frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "PACKAGE", "TYPE"}),
        has_declared_blocks=True,
        separator=r"^[ \t]*/[ \t]*\r?$",
        keeps_end=True,
    ),
}
_LEXINGS["fabric"] = _LEXINGS["tsql"]
_PLAIN = Lexing(has_steps=True)


def lexing_of(dialect: str) -> Lexing:
    """The rules of a dialect, by the name that `dialects.dialect_of` gives it."""
    return _LEXINGS.get(dialect, _PLAIN)
