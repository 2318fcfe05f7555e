"""Blocks of statements, which no parser of ours reads as a whole, taken apart into what can be read.

BEGIN ... END, IF, loops and declarations of Snowflake, BigQuery, Oracle, PostgreSQL, MySQL, Spark. The words that steer
go; conditions and assignments matter for the queries in them alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from retrofill.domain.catalog.statements import first_words, flat, is_block, without_quotes

_BLOCK_WORDS = frozenset({"IF", "LOOP", "WHILE", "REPEAT", "FOR", "CASE"})
_ALONE = re.compile(
    r"(?:\w+\s*:(?!=)\s*)?(?:BEGIN(?:\s+NOT\s+ATOMIC|\s+ATOMIC|\s+TRY|\s+CATCH)?|LOOP|REPEAT|ELSE|DO|THEN|TRY|CATCH|EXCEPTION|<<\w+>>)(?!\w)\s*",
    re.IGNORECASE,
)
_UNTIL = re.compile(
    r"(?:\w+\s*:(?!=)\s*)?(?:IF|ELSEIF|ELSIF|ELSE\s+IF|WHEN|WHILE|FOR|FORALL|CASE|UNTIL)\b(?P<condition>.*?)(?:\b(?:THEN|DO|LOOP|REPEAT)\b|(?=\bEND\s+REPEAT\b))\s*",
    re.IGNORECASE | re.DOTALL,
)
_CASE = re.compile(r"CASE\b(?P<condition>.*?)(?=\bWHEN\b)", re.IGNORECASE | re.DOTALL)
_END = re.compile(
    r"END\b(?:\s+(?:TRY|CATCH|IF|LOOP|WHILE|REPEAT|FOR|CASE)\b)?\s*(?:[\w\"]+\s*\Z)?", re.IGNORECASE
)
_STEER = re.compile(
    r"(?:LET|SET|RETURN|RETURNING|RAISE|EXIT|BREAK|CONTINUE|LEAVE|ITERATE|SIGNAL|RESIGNAL|OPEN|CLOSE|FETCH|NULL|COMMIT|ROLLBACK|"
    r"DECLARE|CURSOR|TYPE|PRAGMA|PRINT|UNTIL|SAVEPOINT|ASSERT|GET|PROCEDURE|FUNCTION)\b|[\w.\"@:$]+(?:\([^()]*\))?\s*:?=|"
    r"\w+\s+(?:CONSTANT\s+)?[\w.%]+(?:\([\d\s,]*\))?(?:\s+(?:NOT\s+NULL|DEFAULT\b.*|:=.*))?\Z|\w+\s+CURSOR\b",
    re.IGNORECASE | re.DOTALL,
)
_OPENS_STATEMENT = frozenset(
    re.findall(
        "[A-Z]+",
        "SELECT INSERT UPDATE DELETE MERGE WITH TRUNCATE CREATE DROP ALTER COPY CALL EXECUTE EXEC PERFORM REPLACE "
        "REFRESH LOAD EXPORT GRANT REVOKE ANALYZE COMMENT FROM TABLE USE",
    )
)
_QUERY = re.compile(r"\b(?:SELECT|WITH)\b", re.IGNORECASE)
_DOLLARS = re.compile(
    r"DO\s+(?:LANGUAGE\s+\w+\s+)?(\$\w*\$)(.*)\1(?:\s+LANGUAGE\s+\w+)?\s*\Z", re.IGNORECASE | re.DOTALL
)


def is_of_blocks(text: str) -> bool:
    """Whether the text is a block, or a step that holds statements."""
    words = first_words(text)
    return is_block(text) or (words[:1] != () and words[0] in _BLOCK_WORDS) or bool(_DOLLARS.match(text))


def parts_of(text: str, dialect: str) -> Iterator[tuple[str, bool]]:
    """The statements of a block in order, and whether each is only a query whose rows steer."""
    body = _DOLLARS.match(text)
    for part in flat(body[2] if body else text, dialect):
        yield from _parts(part.strip(), dialect)


def _parts(part: str, dialect: str) -> Iterator[tuple[str, bool]]:
    while part:
        words = first_words(part)
        if words[:1] != () and words[0] in _OPENS_STATEMENT:
            yield part, False
            return
        if match := _END.match(part):
            pass
        elif match := _UNTIL.match(part) or _CASE.match(part):
            yield from _queries(match["condition"], dialect)
        elif not (match := _ALONE.match(part)):
            if _STEER.match(part):
                yield from _queries(part, dialect)
            else:
                yield part, False
            return
        part = part[match.end() :].strip()


def _queries(text: str, dialect: str) -> Iterator[tuple[str, bool]]:
    """The queries in parentheses, or from the first SELECT on."""
    plain = without_quotes(text, dialect)
    at = 0
    while match := _QUERY.search(plain, at):
        end = _closing(plain, match.start())
        yield text[match.start() : end].strip(), True
        at = end


def _closing(plain: str, start: int) -> int:
    """Where the parenthesis around a place closes; the end of the text where there is none."""
    depth = 0
    for match in re.finditer("[()]", plain[start:]):
        depth += 1 if match[0] == "(" else -1
        if depth < 0:
            return start + match.start()
    return len(plain)
