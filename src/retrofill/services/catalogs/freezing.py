"""Freezing tasks by command: what is made of them from then on stands still (AUTO-4, SEC-4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog, RunMode, Task
from retrofill.domain.errors import NotPermittedError, RetrofillError, UnknownNameError, WrongStateError
from retrofill.domain.people.roles import Action, Actor
from retrofill.domain.running.results import TaskResult
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Reader, Store


def freeze_tasks(
    store: Store,
    catalog_of: Callable[[Reader], Catalog | None],
    clock: Clock,
    actor: Actor,
    names: Sequence[str],
    frozen: bool,
    comment: str = "",
) -> list[TaskResult]:
    """Freeze deployed tasks, or take that back; each is judged by itself (OPS-8).

    Instances that exist stay as they are.

    Args:
        catalog_of: what is deployed on a view of the ledger: asked in the transaction, because rights and modes
            of tasks may have changed since the names were looked up.
        names: full names.
    """
    action = "freeze-task" if frozen else "unfreeze-task"
    results = []
    with store.transaction() as tx:
        current, ids, catalog = tx.frozen_tasks.names(), tx.task_ids(), catalog_of(tx)
        for name in dict.fromkeys(names):
            task = None if catalog is None else catalog.tasks.get(name)
            error = _refusal(task, actor, name, frozen)
            if error is not None:
                is_frozen = name in current or (task is not None and task.mode is RunMode.PAUSED)
                results.append(TaskResult(name, is_frozen, error))
                continue
            is_new = (name in current) != frozen
            if is_new:
                tx.frozen_tasks.set([name], frozen)
                tx.record(clock.now_ms(), actor.name, action, task_id=ids[name], comment=comment)
            results.append(TaskResult(name, frozen, unchanged=not is_new))
    return results


def _refusal(task: Task | None, actor: Actor, name: str, frozen: bool) -> RetrofillError | None:
    if task is None:
        return UnknownNameError(f'there is no task "{name}"', Text("{task.list} shows all tasks."))
    if not actor.may(Action.FREEZE_TASK, name, task.owner):
        return NotPermittedError(f"you may not {'freeze' if frozen else 'unfreeze'} {name}")
    if not frozen and task.mode is RunMode.PAUSED:
        return WrongStateError(
            f"{name} is frozen by its mode in the project (mode: paused)",
            "Take `mode: paused` out of its workspace.yaml and deploy.",
        )
    return None
