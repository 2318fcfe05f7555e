"""Parameters of a task: their names, their values in order, and `${name}` in SQL text (CAT-4, PAR-4).

What one value may say is in `expressions`, whose names are offered here too. Positions are
0-based indexes into the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from retrofill.domain.catalog.expressions import Context, Expression, ParameterError, parse
from retrofill.domain.catalog.sql_literals import literal
from retrofill.domain.errors import did_you_mean, shown

__all__ = [
    "Context",
    "Expression",
    "ParameterError",
    "Reference",
    "check_name",
    "parse",
    "replace_in_sql",
    "resolve",
    "sql_names",
    "sql_references",
    "substitute_sql",
]


def check_name(name: str) -> None:
    """Refuse a parameter name that code could not read or that would change how code runs (CAT-4).

    Raises:
        ParameterError: it is malformed or reserved.
    """
    if not _NAME.fullmatch(name):
        raise ParameterError(
            f'"{_cut(name)}" is not a parameter name; use letters, digits and "_", and begin with no digit'
        )
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        raise ParameterError(
            f'the parameter name "{_cut(name)}" is reserved, because it would change how programs run; '
            "choose another name"
        )


def resolve(parameters: Sequence[tuple[str, str]], context: Context) -> dict[str, str]:
    """The values of a task's parameters by name, in declared order (PAR-4).

    Raises:
        ParameterError: naming the parameter.
    """
    values = {}
    for name, text in parameters:
        try:
            values[name] = parse(text).evaluate(context)
        except ParameterError as error:
            message = f'parameter "{_cut(name)}": {error.message}'
            raise ParameterError(message, error.position) from None
    return values


class Reference(NamedTuple):
    """A `${name}` or `${name:quoted}` of a SQL text; the name is empty for a literal `$${`."""

    name: str
    start: int
    end: int
    is_quoted: bool = False


def sql_names(code: str) -> list[tuple[str, int]]:
    """Every `${name}` of a SQL text with its position, in order, repeats too (PAR-4).

    `$${` is a literal `${`; any other `$`, such as in `$$` and `$1`, is the database's.
    `${` must go on with a name, `[A-Za-z_][A-Za-z0-9_]*`, perhaps `:quoted`, and a `}`.

    Raises:
        ParameterError: a `${` that does not.
    """
    return [(reference.name, reference.start) for reference in sql_references(code)]


def sql_references(code: str) -> list[Reference]:
    """The same with their ends, and whether `:quoted` asks for a literal.

    Raises:
        ParameterError: like `sql_names`.
    """
    return [reference for reference in _sql_references(code) if reference.name]


def substitute_sql(code: str, values: Mapping[str, str], dialect: str = "") -> str:
    """The SQL text that runs: `${name}` replaced once, never inside a value, `$${` made `${` (PAR-4).

    `${name:quoted}` becomes a literal of the dialect.

    Raises:
        ParameterError: `${` is malformed (`sql_names`), or there is no value of that name.
    """

    def value(reference: Reference) -> str:
        name, start = reference.name, reference.start
        if name not in values:
            raise ParameterError(
                f'there is no parameter "{_cut(name)}" for the ${{{_cut(name)}}} in {_place(code, start)}'
                f"{did_you_mean(name, values) or '; declare it, or write $${ for a literal ${'}",
                start,
            )
        return literal(values[name], dialect) if reference.is_quoted else values[name]

    return replace_in_sql(code, value)


def replace_in_sql(code: str, value: Callable[[Reference], str], escaped: str = "${") -> str:
    """The SQL text with what `value` gives for each `${name}`, and `escaped` for each `$${`.

    Raises:
        ParameterError: `${` is malformed.
    """
    parts = []
    at = 0
    for reference in _sql_references(code):
        parts += [code[at : reference.start], value(reference) if reference.name else escaped]
        at = reference.end
    return "".join(parts) + code[at:]


_QUOTED = ":quoted"
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset({"PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_ENV"})
_RESERVED_PREFIXES = ("RETROFILL_", "LD_", "PYTHON")


def _sql_references(code: str) -> Iterable[Reference]:
    at = 0
    while (at := code.find("$", at)) >= 0:
        if code.startswith("$${", at):
            yield Reference("", at, at + 3)
            at += 3
        elif code.startswith("$$", at):
            at += 2
        elif code.startswith("${", at):
            end = code.find("}", at)
            name = code[at + 2 : end]
            if end < 0 or "\n" in name:
                raise ParameterError(
                    f'"${{" in {_place(code, at)} is not closed by "}}"; write $${{ for a literal ${{', at
                )
            name, is_quoted = name.removesuffix(_QUOTED), name.endswith(_QUOTED)
            if not _NAME.fullmatch(name):
                raise ParameterError(
                    f'"${{{_cut(code[at + 2 : end])}}}" in {_place(code, at)} is not a parameter; write ${{name}} or '
                    "${name:quoted} with the name of a parameter of the task, or $${ for a literal ${",
                    at,
                )
            yield Reference(name, at, end + 1, is_quoted)
            at = end + 1
        else:
            at += 1


def _place(code: str, position: int) -> str:
    line = code.count("\n", 0, position) + 1
    return f"line {line} of the SQL text"


def _cut(text: str) -> str:
    safe = shown(text)
    return safe if len(safe) <= 60 else f"{safe[:59]}…"
