"""Parameters that a backfill sets anew, per task (PAR-5).

Written as TASK.PARAMETER=VALUE; the value is an expression like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from retrofill.domain.catalog import Task, TaskType
from retrofill.domain.errors import InvalidValueError, did_you_mean, shown


class OverrideError(InvalidValueError):
    """Write an override as TASK.PARAMETER=VALUE, for a task and a parameter that the backfill has."""

    code = "bad_override"


def parse_override(text: str) -> tuple[str, str, str]:
    """Task, parameter and expression from TASK.PARAMETER=VALUE; the task is as the user wrote it.

    Raises:
        OverrideError: another form.
    """
    target, equals, value = text.partition("=")
    task, _, parameter = target.rpartition(".")
    if not equals or not task or not parameter:
        raise OverrideError(f'"{shown(text)}" sets no parameter of a task')
    return task, parameter, value


def check_overrides(tasks: Collection[Task], overrides: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse what cannot be set: overrides map full task names to parameter names to expressions.

    Raises:
        OverrideError: a task that takes no part, a parameter that it does not declare, a line
            break in an SQL task.
        ParameterError: an expression that cannot be parsed.
    """
    if not overrides:
        return
    from retrofill.domain import parameters  # most backfills set none

    by_name = {task.name: task for task in tasks}
    for name, values in overrides.items():
        task = by_name.get(name)
        if task is None:
            raise OverrideError(
                f'"{shown(name)}" is no task of this backfill, so its parameters cannot be set'
            )
        declared = [parameter for parameter, _ in task.parameters]
        for parameter, text in values.items():
            if parameter not in declared:
                near = did_you_mean(parameter, declared)
                raise OverrideError(f'{name} has no parameter "{shown(parameter)}"{near}')
            if task.type is TaskType.SQL and len(text.splitlines()) > 1:
                raise OverrideError(
                    f"the value of {name}.{parameter} holds a line break; SQL tasks take none"
                )
            parameters.parse(text)
