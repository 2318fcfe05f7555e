"""SQL text taken apart: statements, and what can be said of one by its first words.

Follows the quotes, comments and blocks of the dialect (`sql_lexing`); it does not parse SQL. What
is not closed goes on to the end, so that the database says what is wrong with it. Running, checking
and lineage cut alike, with or without sqlglot; `cut` alone knows what a database wants in one piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from retrofill.domain.catalog.sql_lexing import BLOCK_WORDS, Lexing, lexing_of

_COMMENT_EDGE = re.compile(r"/\*|\*/")
_FIRST_WORDS = re.compile(r"[A-Za-z_]\w*")
_LEADING = re.compile(r"\s+|(?:--|\#|//)[^\n]*(?:\n|\Z)")
_BLOCK = re.compile(r"(?:\w+\s*:\s*)?BEGIN\b", re.IGNORECASE)
_DECLARE = re.compile(r"DECLARE\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_WHOLE = re.compile(
    r"^[ \t]*--[ \t]*retrofill:[ \t]*one[ \t]+statement[ \t]*\r?$", re.MULTILINE | re.IGNORECASE
)
_ROUTINE = re.compile(
    r"(?:WITH|(?:CREATE|ALTER)(?:\s+(?!TABLE\b|VIEW\b|MATERIALIZED\b|INDEX\b|SCHEMA\b|AS\b|SELECT\b|ON\b)[^\s;(]+){0,8}?)\s+"
    r"(?P<kind>PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE|TYPE\s+BODY|TASK|ALERT)\b",
    re.IGNORECASE,
)
_OF_TRANSACTIONS = {"TRANSACTION", "TRAN", "WORK", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "CONCURRENT"}
_OF_TRANSACTIONS |= {"ISOLATION", "READ", "NAME", "DISTRIBUTED"}
_STEP = re.compile(r"(?:IF|WHILE|LOOP|REPEAT|FOR|CASE)\b", re.IGNORECASE)
_TRANSACTION_WORDS = {"START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"}
_ALONE = {("CREATE", "DATABASE"), ("DROP", "DATABASE"), ("ALTER", "SYSTEM")}
_EXCERPT = 100
# What lives as long as one request: variables, temporary functions, transactions.
_BATCH_WORDS = frozenset(
    {"DECLARE", "SET", "BEGIN", "IF", "WHILE", "LOOP", "REPEAT", "FOR", "CASE", "COMMIT", "ROLLBACK"}
)
_TEMPORARY = re.compile(r"CREATE\s+(?:OR\s+REPLACE\s+)?TEMP(?:ORARY)?\b", re.IGNORECASE)
_NO_BREAK = re.compile(r"[^\n]")
_TSQL_BATCH = re.compile(
    r"\bDECLARE\b|(?<![\w@])@\w|\b(?:CREATE|ALTER)\s+(?:OR\s+ALTER\s+)?(?:PROC|PROCEDURE|FUNCTION|TRIGGER)\b|"
    r"\b(?:IF|WHILE|GOTO|RETURN|TRY)\b|\bBEGIN\b(?!\s+TRAN)",
    re.IGNORECASE,
)


class Piece(NamedTuple):
    """A statement, and the line of the code on which it begins, from 1."""

    text: str
    line: int


def cut(code: str, dialect: str = "") -> list[Piece]:
    """The pieces in which code is sent to a database of this dialect, in order.

    A statement is one, without its `;`; a block of statements is one. What shares variables, temporary
    functions or a transaction of its own is one where the database forgets them between requests: a
    batch of SQL Server, a script of BigQuery. Code with the line `-- retrofill: one statement` is one.
    """
    if _is_whole(code):
        return [Piece(code.strip(), code.count("\n", 0, len(code) - len(code.lstrip())) + 1)]
    pieces = _pieces(code, dialect)
    if dialect == "bigquery" and any(_is_of_a_script(piece.text) for piece in pieces):
        return [Piece(code.strip(), pieces[0].line)]
    if dialect in ("tsql", "fabric"):
        return list(_batches(code, dialect))
    return pieces


def split(code: str, dialect: str = "") -> list[str]:
    """Statements in order, without the `;` between them; what holds only comments is left out.

    A block of statements stays in one piece: the body of a trigger, of a function.
    """
    if _is_whole(code):
        return [code.strip()]
    return [piece.text for piece in _pieces(code, dialect)]


def _is_whole(code: str) -> bool:
    return "retrofill:" in code.lower() and bool(_WHOLE.search(code))


def excerpt(statement: str) -> str:
    """The beginning of a statement on one line."""
    text = " ".join(statement[_after_leading(statement) :].split())
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def line_of(piece: Piece) -> int:
    """The line of the code on which the first word stands, comments before it left out."""
    return piece.line + piece.text.count("\n", 0, _after_leading(piece.text))


def first_words(statement: str) -> tuple[str, ...]:
    """The first three words in capitals, comments left out."""
    start = _after_leading(statement)
    return tuple(word.upper() for word in _FIRST_WORDS.findall(statement[start : start + 200])[:3])


def controls_transactions(statements: list[str]) -> bool:
    """Whether the code begins and ends transactions itself."""
    return any(_controls_transactions(statement) for statement in statements)


def stands_alone(statement: str) -> bool:
    """Whether databases refuse this statement inside a transaction."""
    words = first_words(statement)
    if words[:1] in (("VACUUM",), ("CHECKPOINT",)) or words[:2] in _ALONE:
        return True
    return "CONCURRENTLY" in statement.upper() and words[:1] in (("CREATE",), ("DROP",), ("REINDEX",))


def is_block(statement: str) -> bool:
    """Whether it is a block of statements by itself: BEGIN ... END, with declarations before it or not."""
    at = _after_leading(statement)
    block = _BLOCK.match(statement, at)
    if block:
        return not _begins_transaction(statement, block.end() - len("BEGIN"))
    return bool(_DECLARE.match(statement, at)) and ";" in statement


def flat(code: str, dialect: str) -> Iterator[str]:
    """What stands between all `;` that are not quoted, whether a block is open or not."""
    at = 0
    for kind, start, end in _Cutting(code, lexing_of(dialect)).tokens():
        if kind == "end":
            yield code[at:start]
            at = end
    yield code[at:]


def quoted(code: str, dialect: str) -> list[tuple[int, int]]:
    """Start and end of everything that is quoted, and of comments, in order."""
    return list(_Cutting(code, lexing_of(dialect)).quoted())


def without_quotes(code: str, dialect: str) -> str:
    """The code with a blank for every character that is quoted or in a comment; line breaks stay."""
    parts, at = [], 0
    for start, end in _Cutting(code, lexing_of(dialect)).quoted():
        parts += [code[at:start], _NO_BREAK.sub(" ", code[start:end])]
        at = end
    return "".join(parts) + code[at:]


def _controls_transactions(statement: str) -> bool:
    words = first_words(statement)
    if words[:1] == ("BEGIN",):
        return _begins_transaction(statement, _after_leading(statement))
    return bool(words) and words[0] in _TRANSACTION_WORDS


def _begins_transaction(code: str, at: int) -> bool:
    """Whether the BEGIN at this place is that of a transaction, not of a block."""
    following = _after_leading(code, at + len("BEGIN"))
    word = _WORD.match(code, following)
    return word[0].upper() in _OF_TRANSACTIONS if word else code[following : following + 1] in ("", ";")


def _pieces(code: str, dialect: str, is_batch: bool = False) -> list[Piece]:
    return list(_Cutting(code, lexing_of(dialect), is_batch).pieces())


def _batches(code: str, dialect: str) -> Iterator[Piece]:
    """SQL Server: what stands between GO lines, cut further where nothing joins its statements."""
    for batch in _pieces(code, dialect, is_batch=True):
        if _TSQL_BATCH.search(without_quotes(batch.text, dialect)):
            yield batch
        else:
            yield from (Piece(text, line + batch.line - 1) for text, line in _pieces(batch.text, dialect))


def _is_of_a_script(statement: str) -> bool:
    words = first_words(statement)
    return words[:1] != () and (
        words[0] in _BATCH_WORDS or bool(_TEMPORARY.match(statement, _after_leading(statement)))
    )


class _Cutting:
    """One pass over the code.

    `depth` counts BEGIN and CASE that wait for their END; `steps` counts IF, LOOP and the like that
    stand in a block's place and wait for theirs.
    """

    def __init__(self, code: str, lexing: Lexing, is_batch: bool = False) -> None:
        self.code = code
        self.lexing = lexing
        self.is_batch = is_batch  # only lines such as GO end a piece
        self.delimiter = ""  # of MySQL's command line, in place of `;`
        self._begin(0)

    def _begin(self, start: int) -> None:
        """A statement begins here."""
        self.start = start
        self.depth = self.steps = self.parentheses = 0
        self.has_inner = False
        self.last_condition = ""
        at = self._after_leading(start)
        own = self.lexing
        self.kind = ""  # routine, block or empty
        self.awaits_begin = self.runs_to_separator = False
        if own.routines and (routine := _ROUTINE.match(self.code, at)):
            kind = routine["kind"].upper().split()[0]
            if kind in own.routines:
                self.kind = "routine"
                self.awaits_begin = own.keeps_end and kind != "PACKAGE"
                self.runs_to_separator = own.keeps_end and kind in ("PACKAGE", "TYPE")
                return
        if own.has_blocks and (block := _BLOCK.match(self.code, at)):
            self.kind = "" if _begins_transaction(self.code, block.end() - len("BEGIN")) else "block"
        elif own.has_steps and (step := _STEP.match(self.code, at)):
            self.kind = "block"
            self.steps = int(step[0].upper() == "FOR")
        elif own.has_declared_blocks and _DECLARE.match(self.code, at):
            self.kind, self.awaits_begin = "block", True

    def tokens(self) -> Iterator[tuple[str, int, int]]:
        """Kind, start and end of all that the lexing names; `skip` is what is quoted, and comments."""
        code, position, own = self.code, 0, self.lexing
        plain, with_words = own.scanner(), own.scanner(BLOCK_WORDS)
        while match := (with_words if self.kind else plain).match(code, position):
            start, position = match.end("skip"), match.end()
            kind = match.lastgroup or ""
            if kind == "comment":
                kind, position = "skip", _after_comment(code, position) or len(code)
            elif kind == "dollar":
                end = code.find(code[start:position], position)
                kind, position = "skip", len(code) if end < 0 else end + len(match["dollar"])
            yield kind, start, position

    def quoted(self) -> Iterator[tuple[int, int]]:
        """Start and end of what is quoted or a comment."""
        return ((start, end) for kind, start, end in self.tokens() if kind in ("skip", "q"))

    def pieces(self) -> Iterator[Piece]:
        code, lines = self.code, _Lines(self.code)
        for kind, start, end in self.tokens():
            if kind == "word":
                if self.kind:
                    self._word(" ".join(code[start:end].upper().split()))
            elif kind == "parenthesis":
                self.parentheses = max(0, self.parentheses + (1 if code[start] == "(" else -1))
            elif kind == "separator":
                yield from self._separate(start, end, lines)
            elif kind == "end" and self._ends(end):
                keeps = self.lexing.keeps_end and bool(self.kind)
                yield from self._piece(end if keeps else start, lines)
                self._begin(end)
        yield from self._piece(len(code), lines)

    def _separate(self, start: int, end: int, lines: _Lines) -> Iterator[Piece]:
        """At a line such as GO, `GO 5` or `DELIMITER //`."""
        words = self.code[start:end].split()
        times = int(words[1]) if self.is_batch and len(words) > 1 and words[1].isdigit() else 1
        yield from list(self._piece(start, lines)) * times
        self.delimiter = words[1].removesuffix(";") if words[0].upper() == "DELIMITER" else ""
        self._begin(end)

    def _piece(self, end: int, lines: _Lines) -> Iterator[Piece]:
        text = self.code[self.start : end]
        if self.delimiter:
            yield from self._delimited(text, lines)
            return
        if self._says(text):
            first = len(text) - len(text.lstrip())
            yield Piece(text.strip(), lines.at(self.start + first))

    def _delimited(self, text: str, lines: _Lines) -> Iterator[Piece]:
        """What stands between two DELIMITER lines."""
        start = 0
        for part in text.split(self.delimiter):
            if self._says(part):
                first = len(part) - len(part.lstrip())
                yield Piece(part.strip().removesuffix(";"), lines.at(self.start + start + first))
            start += len(part) + len(self.delimiter)

    def _after_leading(self, position: int) -> int:
        return _after_leading(self.code, position, self.lexing.nests)

    def _says(self, text: str) -> bool:
        """Whether there is more than blanks and comments."""
        return _after_leading(text, 0, self.lexing.nests) < len(text)

    def _ends(self, position: int) -> bool:
        """Whether the `;` before this position ends the statement."""
        if self.delimiter or self.parentheses or self.is_batch:
            return False
        if not self.kind:
            return True
        if self.runs_to_separator or self.depth or self.steps > 0 or self.awaits_begin:
            return False
        if self.has_inner:  # subprograms that were declared: the block itself is to come
            at = self._after_leading(position)
            following = self.code[at : at + 10].upper()
            self.has_inner = not following.startswith("BEGIN")
            return not following.startswith(("BEGIN", "PROCEDURE", "FUNCTION"))
        return True

    def _word(self, word: str) -> None:
        """One of the words that open and close blocks, in a statement that may hold some."""
        if word in ("BEGIN", "CASE"):
            self.depth += 1
            self.awaits_begin = self.awaits_begin and word == "CASE"
        elif word in ("END", "END CASE"):
            self.depth = max(0, self.depth - 1)
        elif self.depth:
            return  # steps in a block end with it
        elif word == "DECLARE":
            self.awaits_begin = True
        elif word == "LANGUAGE":
            self.awaits_begin = False
        elif word in ("PROCEDURE", "FUNCTION"):
            self.has_inner = self.has_inner or self.awaits_begin
        elif self.lexing.has_steps:
            self._step(word)

    def _step(self, word: str) -> None:
        """A word of IF ... END IF and the like, outside of blocks."""
        if word.startswith("END "):
            self.steps -= 1
        elif word in ("IF", "ELSEIF", "WHEN"):
            self.last_condition = word
        elif word == "THEN":
            self.steps += self.last_condition == "IF"
        elif word in ("LOOP", "WHILE", "REPEAT"):
            self.steps += 1


class _Lines:
    """Line numbers of ascending places."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._place = 0
        self._line = 1

    def at(self, place: int) -> int:
        self._line += self._code.count("\n", self._place, place)
        self._place = place
        return self._line


def _after_comment(code: str, position: int) -> int | None:
    """The end of a comment whose `/*` lies before `position`, comments in it counted; None: it is not closed."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(code, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return None


def _after_leading(text: str, position: int = 0, nests: bool = True) -> int:
    """Where blanks and comments at the beginning end; MySQL's `/*!` holds code."""
    while True:
        if match := _LEADING.match(text, position):
            position = match.end()
        elif text.startswith("/*", position) and not text.startswith("/*!", position):
            end = _after_comment(text, position + 2) if nests else None
            if end is None:  # comments are not nested here, or it is not closed at all
                flat = text.find("*/", position + 2)
                end = flat + 2 if flat >= 0 else len(text)
            position = end
        else:
            return position
