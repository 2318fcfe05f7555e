"""Whether the parameters that a backfill sets anew fit its tasks (PAR-5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.catalog.dialects import dialect_of
from retrofill.domain.errors import NotPermittedError, did_you_mean, shown
from retrofill.domain.people.rights import Rights
from retrofill.domain.planning.policy import OverrideError

# Whatever some database takes for the end of a line, at the end of a value too: what follows a comment would run.
_BREAK = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"(?!.*--)[\w.-]*")


def check_may_override(overrides: Collection[str], rights: Rights) -> None:
    """Refuse overrides by somebody who may not set the parameters of a task (PAR-5).

    Args:
        overrides: full names of the tasks whose parameters are set.

    Raises:
        OverrideError: a task that the user may not see, like one that takes no part.
        NotPermittedError: naming every other task that the user may not override.
    """
    for name in overrides:
        if not rights.sees(name):
            raise _no_part(name)
    refused = [name for name in overrides if not rights.may_override(name)]
    if refused:
        raise NotPermittedError(
            f"you may not set parameters of {', '.join(sorted(refused))}",
            "Administrators of the workspace may, and developers for the tasks that they own.",
        )


def check_overrides(
    tasks: Collection[Task],
    overrides: Mapping[str, Mapping[str, str]],
    connections: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Refuse what cannot be set: overrides map full task names to parameter names to expressions.

    Args:
        connections: URLs by name, which say how the code of SQL tasks is read.

    Raises:
        OverrideError: a task that takes no part, a parameter that it does not declare, a line
            break in an SQL task, or what is no part of a name where one stands.
        ParameterError: an expression that cannot be parsed.
    """
    if not overrides:
        return
    by_name = {task.name: task for task in tasks}
    for name, values in overrides.items():
        task = by_name.get(name)
        if task is None:
            raise _no_part(name)
        declared = [parameter for parameter, _ in task.parameters]
        for parameter, text in values.items():
            if parameter not in declared:
                near = did_you_mean(parameter, declared)
                raise OverrideError(f'{name} has no parameter "{shown(parameter)}"{near}')
            if task.type.traits.is_sql and _BREAK.search(text):
                raise OverrideError(
                    f"the value of {name}.{parameter} holds a line break; SQL tasks take none"
                )
            sample = sample_of(text)
            if task.type.traits.is_sql and not _NAME.fullmatch(sample):
                _refuse_in_name(task, parameter, connections)


def sample_of(text: str) -> str:
    """What an expression comes to at some moment: the characters around its dates are the same at any other.

    Raises:
        ParameterError: it cannot be parsed.
    """
    from retrofill.domain.catalog import parameters  # most backfills set none

    day = datetime(2001, 2, 4, 5, 6)  # noqa: DTZ001 - a scheduled time is wall-clock
    return parameters.parse(text).evaluate(parameters.Context(day.date(), day, "w", "t", "1", "2", "3"))


def _refuse_in_name(task: Task, parameter: str, connections: Mapping[str, str]) -> None:
    """Refuse a value that would end the name in whose middle it stands (PAR-5)."""
    from retrofill.domain.catalog.sql_standing import Standing, standings

    dialect = dialect_of(connections.get(task.connection) or "")
    for reference, standing in standings(task.code, dialect):
        if reference.name == parameter and standing is Standing.NAME:
            raise OverrideError(
                f"the value of {task.name}.{parameter} stands in a name of its SQL, so it may hold only letters, "
                "digits, _, . and -"
            )


def check_secrets(tasks: Mapping[str, Task], overrides: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse an override that gives a task a secret which it does not name itself (SEC-3).

    Raises:
        OverrideError: naming it.
    """
    for name, values in overrides.items():
        for parameter, text in values.items():
            if "${secret:" not in text:
                continue
            from retrofill.domain.catalog import parameters

            secret = parameters.parse(text).secret
            if secret is not None and secret not in secrets_named_by(tasks[name]):
                raise OverrideError(
                    f"the value of {name}.{parameter} names the secret {shown(secret)}, and no parameter of the task does; "
                    "an override may name only a secret that the task itself uses"
                )


def secrets_named_by(task: Task) -> set[str]:
    """The secrets that the task's own parameters name, whatever a backfill sets."""
    from retrofill.domain.catalog import parameters

    found = (parameters.parse(text).secret for _, text in task.parameters if "${secret:" in text)
    return {secret for secret in found if secret is not None}


def _no_part(name: str) -> OverrideError:
    return OverrideError(f'"{shown(name)}" is no task of this backfill, so its parameters cannot be set')


def secrets_of(catalog: Catalog) -> Iterator[str]:
    """Every secret that a task or a connection names; one may come more than once."""
    for task in catalog.tasks.values():
        yield from secrets_named_by(task)
    for url in catalog.connections.values():
        yield from _SECRET.findall(url)
