"""Whether the parameters that a backfill sets anew fit its tasks (PAR-5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from retrofill.domain.catalog import Task, TaskType
from retrofill.domain.errors import did_you_mean, shown
from retrofill.domain.policy import OverrideError


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
