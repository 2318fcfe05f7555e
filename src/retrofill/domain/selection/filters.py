"""Tasks that fit conditions `key=value`: choosing roots in batches (SEL-1), and filters of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.domain.errors import InvalidValueError, UnknownNameError, did_you_mean, shown
from retrofill.domain.people.rights import ALL_RIGHTS, Rights
from retrofill.domain.time.cron import Cycle

Conditions = Mapping[str, frozenset[str]]

_KEYS: dict[str, Callable[[Task], Iterable[str]]] = {
    "resource_group": lambda task: (task.resource_group,),
    "cycle": lambda task: (task.schedule.cycle.value,),
    "owner": lambda task: (task.owner,),
    "workspace": lambda task: (task.workspace,),
    "type": lambda task: (task.type.value,),
    "tag": lambda task: task.tags,
    "baseline": lambda task: (task.baseline,),
}
_WORDS = {"cycle": [cycle.value for cycle in Cycle], "type": [*TASK_TYPES]}


class ConditionError(InvalidValueError):
    """Write KEY=VALUE, where KEY is resource_group, cycle, owner, workspace, type, tag or baseline."""

    code = "bad_condition"


def parse_conditions(texts: Iterable[str]) -> Conditions:
    """Conditions by key: different keys must all hold, the same key twice means either.

    Raises:
        ConditionError: another form, or an unknown key.
    """
    found: dict[str, set[str]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value:
            raise ConditionError(f'"{shown(text)}" is no condition')
        if key not in _KEYS:
            raise ConditionError(f'"{shown(key)}" is nothing to choose tasks by{did_you_mean(key, _KEYS)}')
        found.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}


def matching(catalog: Catalog, conditions: Conditions, rights: Rights = ALL_RIGHTS) -> tuple[str, ...]:
    """Full names of the tasks that fit and that the user may see, in order (SEL-1, SEL-5).

    Raises:
        InvalidValueError: a cycle or a type that does not exist.
        UnknownNameError: a name that nothing the user may see has.
    """
    tasks = [task for task in catalog.tasks.values() if rights.sees(task.name)]
    for key, values in conditions.items():
        _check_values(key, values, catalog, tasks, rights)
    return tuple(
        task.name
        for task in tasks
        if all(values.intersection(_KEYS[key](task)) for key, values in conditions.items())
    )


def _check_values(
    key: str, values: Iterable[str], catalog: Catalog, tasks: Iterable[Task], rights: Rights
) -> None:
    known = set(_WORDS.get(key) or _names(key, catalog, tasks, rights))
    for value in sorted(values):
        if value in known:
            continue
        message = f'there is no {key.replace("_", " ")} "{shown(value)}"{did_you_mean(value, known)}'
        if key in _WORDS:
            raise InvalidValueError(message, f"Write one of {', '.join(_WORDS[key])}.")
        raise UnknownNameError(message, _listed(key, known))


def _names(key: str, catalog: Catalog, tasks: Iterable[Task], rights: Rights) -> set[str]:
    """What the key's value may name: what is declared, whether or not a task has it."""
    workspaces = [workspace for name, workspace in catalog.workspaces.items() if rights.sees(name)]
    declared: dict[str, Iterable[str]] = {
        "resource_group": catalog.resource_groups,
        "baseline": catalog.baselines,
        "workspace": (workspace.name for workspace in workspaces),
        "owner": (member for workspace in workspaces for member in workspace.members),
    }
    return {*declared.get(key, ()), *(value for task in tasks for value in _KEYS[key](task) if value)}


def _listed(key: str, known: set[str]) -> str:
    if not known:
        return f"No task has {'an' if key[0] in 'aeiou' else 'a'} {key.replace('_', ' ')}."
    few = sorted(known)[:10]
    return f"There {'is' if len(known) == 1 else 'are'} {', '.join(few)}{' and more' if len(known) > 10 else ''}."
