"""Where a `${name}` stands in SQL text, which decides what a value in its place can do (PAR-4, PAR-5)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum, auto

from retrofill.domain.catalog.parameters import Reference, replace_in_sql, sql_references
from retrofill.domain.catalog.statements import quoted


class Standing(Enum):
    """Where it stands."""

    LITERAL = auto()  # `${name:quoted}`: the value is a text, whatever it holds
    TWICE_QUOTED = auto()  # `'${name:quoted}'`
    QUOTED = auto()  # in quotes, in a comment or in a dollar-quoted body
    NAME = auto()  # part of a name: `t_${day}`, `${schema}.t`
    BARE = auto()  # the value is SQL


def standings(code: str, dialect: str) -> Iterator[tuple[Reference, Standing]]:
    """Every reference of a SQL text, in order.

    Raises:
        ParameterError: a `${` is malformed.
    """
    references = sql_references(code)
    if not references:
        return
    # For a database `$${` is the text `${`, and opens no dollar quote.
    spans = quoted(replace_in_sql(code, lambda found: code[found.start : found.end], " ${"), dialect)
    for reference in references:
        at = bisect_right(spans, (reference.start, len(code))) - 1
        start = spans[at][0] if at >= 0 and reference.start < spans[at][1] else -1
        if reference.is_quoted:
            is_in_text = start >= 0 and code[start] in "'\"`["
            yield reference, Standing.TWICE_QUOTED if is_in_text else Standing.LITERAL
        elif start >= 0:
            yield reference, Standing.QUOTED
        else:
            yield reference, Standing.NAME if _is_in_name(code, reference) else Standing.BARE


def ends_quotes(code: str, name: str, value: str, dialect: str) -> bool:
    """Whether a value in place of `${name}` ends the quotes or the comment around it, and goes on as SQL.

    It does when the text is quoted elsewhere than with a value of the same length that says nothing.
    """
    inside = {
        reference.start
        for reference, standing in standings(code, dialect)
        if reference.name == name and standing is Standing.QUOTED
    }

    def spans(text: str) -> list[tuple[int, int]]:
        def put(found: Reference) -> str:
            return text if found.start in inside else code[found.start : found.end]

        return quoted(replace_in_sql(code, put, " ${"), dialect)

    return bool(inside) and spans(value) != spans("x" * len(value))


def _is_in_name(code: str, reference: Reference) -> bool:
    """Whether a name goes on before or behind it, perhaps with another reference."""
    before, behind = (
        code[max(reference.start - 1, 0) : reference.start],
        code[reference.end : reference.end + 1],
    )
    return before == "}" or behind == "$" or any(c in "._" or c.isalnum() for c in (before, behind) if c)
