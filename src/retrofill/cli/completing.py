"""What the shell offers after TAB: tasks, ids and values of the project that one is in.

Only what may be seen is offered; where anything is in the way, nothing is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from retrofill.cli.session import Session

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter

_MOST = 50
_DATES = ("today", "yesterday", "-7d..yesterday")
_WORD = re.compile(r"[a-z][a-z_-]*")

Found = Iterator[tuple[str, str]]  # value, what it is


def completions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Values of an argument or option that begin like what was typed."""
    try:
        offered = list(_offered(context, parameter, incomplete))
    except Exception:  # a shell that waits for completions is no place for an error
        return []
    return [
        CompletionItem(value, help=what or None) for value, what in offered if value.startswith(incomplete)
    ]


def _offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> Found:
    metavar = parameter.metavar or ""
    words = metavar.split("|")
    if all(_WORD.fullmatch(word) for word in words) and len(words) > 1:
        yield from ((word, "") for word in words)
        return
    look = _looks(context, parameter, metavar.strip("[]. "))
    if look is not None:
        center = context.ensure_object(Session).center
        if center.is_deployed:
            yield from look(center, incomplete)


def _looks(
    context: click.Context, parameter: click.Parameter, metavar: str
) -> Callable[[OperationCenter, str], Found] | None:
    name = max(getattr(parameter, "opts", [""]), key=len).strip("-")
    of_instances = context.command_path.startswith("retrofill instance") and name != "backfill"
    return {
        "T": _tasks,
        "T.PARAM=VALUE": _tasks,
        "W": _workspaces,
        "G": _groups,
        "TYPE": _types,
        "STATE": _states,
        "STATUS": _check_statuses if name == "check-status" else _statuses,
        "D": _dates,
        "D|D..D": _dates,
        "ID": _instances if of_instances or name == "instance" else _backfills,
        "USER": _users,
        "HOST": _hosts,
    }.get(metavar)


def _tasks(center: OperationCenter, incomplete: str) -> Found:
    """Full names, and short ones that are unambiguous where one has begun to type one."""
    tasks = center.names.tasks()
    yield from ((task["task"], task["description"]) for task in tasks)
    times = Counter(task["short_name"] for task in tasks)
    if incomplete:
        yield from ((task["short_name"], task["task"]) for task in tasks if times[task["short_name"]] == 1)


def _workspaces(center: OperationCenter, incomplete: str) -> Found:
    return ((name, "") for name in center.names.workspaces())


def _groups(center: OperationCenter, incomplete: str) -> Found:
    return ((name, "") for name in center.names.resource_groups())


def _hosts(center: OperationCenter, incomplete: str) -> Found:
    return ((host["label"], host["state"]) for host in center.hosts.list())


def _users(center: OperationCenter, incomplete: str) -> Found:
    return ((name, "") for name in center.names.users())


def _states(center: OperationCenter, incomplete: str) -> Found:
    from retrofill.domain.running.states import State

    return ((state.value, "") for state in State)


def _statuses(center: OperationCenter, incomplete: str) -> Found:
    from retrofill.domain.running.status import Status

    return ((status.value, "") for status in Status)


def _check_statuses(center: OperationCenter, incomplete: str) -> Found:
    return ((word, "") for word in ("checking", "passed", "failed"))


def _types(center: OperationCenter, incomplete: str) -> Found:
    from retrofill.domain.catalog.task_types import TASK_TYPES

    return ((word, task_type.traits.means) for word, task_type in TASK_TYPES.items())


def _dates(center: OperationCenter, incomplete: str) -> Found:
    return ((word, "") for word in _DATES)


def _backfills(center: OperationCenter, incomplete: str) -> Found:
    """The newest ones, whose numbers are most likely meant."""
    return ((str(found["id"]), found["name"]) for found in center.names.backfills(_MOST))


def _instances(center: OperationCenter, incomplete: str) -> Found:
    rows = center.instances.list(limit=_MOST)["items"]
    return iter([(str(row["id"]), f"{row['task']} {row['bizdate']} {row['state']}") for row in rows])
