"""What of a catalog does not fit where its resource groups run: on other machines than the one that schedules.

Nothing of this is an error: a folder says what is the same everywhere, and the store, or a plugin, may be named where
it is deployed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from retrofill.domain.catalog.connections import ConnectionUrlError, file_url
from retrofill.domain.catalog.definitions import LOCAL, Catalog, Task
from retrofill.domain.errors import did_you_mean, shown


class Misfit(NamedTuple):
    """One of them: of a resource group, or of a task that runs in one.

    Attributes:
        task: its full name; empty where it is of the group.
    """

    code: str
    group: str
    task: str
    message: str
    hint: str


def misfits(catalog: Catalog, is_shared: bool, executors: Collection[str]) -> Iterator[Misfit]:
    """All of them, those of groups first.

    Args:
        is_shared: whether the store is one that several machines can have.
        executors: those that are installed, besides `local`.
    """
    elsewhere = [group for group in catalog.resource_groups.values() if not group.is_local]
    for group in elsewhere:
        executor = shown(group.executor)
        if group.executor not in executors:
            near = did_you_mean(group.executor, {*executors, LOCAL})[2:]
            message = f'resource group {group.name}: there is no executor "{executor}" here'
            hint = (
                near
                or f"write one of {', '.join(sorted({*executors, LOCAL}))}, or install the package that brings it"
            )
            yield Misfit("unknown_executor", group.name, "", message, hint)
        if not is_shared:
            message = (
                f"instances of resource group {group.name} run on other machines (executor: {executor}), "
                "and the store is a file of this one, which those cannot reach: nothing of it would start"
            )
            hint = "name a store on PostgreSQL (setting `store`), or leave `executor` out"
            yield Misfit("store_of_one_machine", group.name, "", message, hint)
    names = {group.name for group in elsewhere}
    for task in catalog.tasks.values() if names else ():
        if task.resource_group in names and (file := _file_of(task, catalog)):
            message = (
                f"{task.name} runs in resource group {task.resource_group}, on other machines, and its connection "
                f"{task.connection} is {file}: each of them has a file of its own there, or none"
            )
            hint = "let it run in a group whose executor is `local`, or name the database of a server"
            yield Misfit("file_of_one_machine", task.resource_group, task.name, message, hint)


def _file_of(task: Task, catalog: Catalog) -> str:
    """The database file that a task works on, in words; empty: it works on none."""
    url = catalog.connections.get(task.connection, "")
    try:
        found = file_url(url)
    except ConnectionUrlError:
        return ""
    return "" if found is None else f"a file of {found.scheme.partition('+')[0]}"
