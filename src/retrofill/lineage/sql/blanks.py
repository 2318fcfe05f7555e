"""`${name}` in SQL text, filled in so that the text parses and names of tables stay recognisable.

A parameter that has the same value at every time is that value. One that differs is a blank in
the middle of a name or a path, and elsewhere a value that it could have: what runs would parse
as well.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache

from retrofill.domain.catalog import parameters
from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.expressions import Context, ParameterError
from retrofill.domain.catalog.parameters import Reference
from retrofill.domain.catalog.sql_literals import literal

BLANK = "retrofill_blank"  # may stand in a name; shown as `*`
_ALONE = frozenset(" \t\r\n=<>(),;+-*|[]")


def fill(task: Task, dialect: str = "") -> str:
    """The task's SQL with every `${name}` filled in, and `$${` made `${`.

    Raises:
        ParameterError: a `${` is malformed, or a value is.
    """
    code = task.code
    if "${" not in code:
        return code
    values = _values(task.workspace, task.short_name, task.parameters)

    def value(reference: Reference) -> str:
        name, start, end, is_quoted = reference
        sample, is_constant = values.get(name, (BLANK, False))
        if is_quoted:
            return literal(sample if is_constant else BLANK, dialect)
        is_alone = (start == 0 or code[start - 1] in _ALONE) and (end == len(code) or code[end] in _ALONE)
        return sample if is_constant or is_alone else BLANK

    return parameters.replace_in_sql(code, value)


@lru_cache(maxsize=1024)
def _values(workspace: str, task: str, declared: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, bool]]:
    """By name: a value that it could have, and whether it always has it."""
    first, second = (
        Context(day, datetime.combine(day + timedelta(days=1), at), workspace, task, *ids)
        for day, at, ids in (
            (date(2001, 1, 1), time(3, 4, 5), ("1", "2", "3")),
            (date(2012, 11, 29), time(16, 57, 58), ("4", "5", "6")),
        )
    )
    found = {}
    for name, text in declared:
        expression = parameters.parse(text)
        if expression.secret is not None:
            found[name] = (BLANK, False)
            continue
        value = expression.evaluate(first)
        found[name] = (value, value == expression.evaluate(second))
    return found


def without_blanks(name: str) -> str:
    """A name as it is shown, each blank a `*`."""
    return name.replace(BLANK, "*")


__all__ = ["BLANK", "ParameterError", "fill", "without_blanks"]
