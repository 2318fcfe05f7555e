"""Adding tasks in batches: every task that fits conditions `key=value` (SEL-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from retrofill.domain.catalog import Catalog, Task
from retrofill.domain.errors import InvalidValueError, did_you_mean, shown

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


def matching(catalog: Catalog, conditions: Conditions) -> tuple[str, ...]:
    """Full names of the tasks that fit, in order."""
    return tuple(
        name
        for name, task in catalog.tasks.items()
        if all(values.intersection(_KEYS[key](task)) for key, values in conditions.items())
    )
