"""Freezing tasks by command: what is made of them from then on stands still (AUTO-4, SEC-4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog, RunMode
from retrofill.domain.errors import NotPermittedError, RetrofillError, WrongStateError
from retrofill.domain.people.roles import Action, Actor
from retrofill.domain.running.results import TaskResult

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Store


def freeze_tasks(
    store: Store,
    catalog: Catalog,
    clock: Clock,
    actor: Actor,
    names: Sequence[str],
    frozen: bool,
    comment: str = "",
) -> list[TaskResult]:
    """Freeze deployed tasks, or take that back; each is judged by itself (OPS-8).

    Instances that exist stay as they are.

    Args:
        names: full names of tasks of the catalog.
    """
    action = "freeze-task" if frozen else "unfreeze-task"
    results = []
    with store.transaction() as tx:
        current, ids = tx.frozen_tasks.names(), tx.task_ids()
        for name in dict.fromkeys(names):
            error = _refusal(catalog, actor, name, frozen)
            if error is not None:
                is_frozen = name in current or catalog.tasks[name].mode is RunMode.PAUSED
                results.append(TaskResult(name, is_frozen, error))
                continue
            is_new = (name in current) != frozen
            if is_new:
                tx.frozen_tasks.set([name], frozen)
                tx.record(clock.now_ms(), actor.name, action, task_id=ids[name], comment=comment)
            results.append(TaskResult(name, frozen, unchanged=not is_new))
    return results


def _refusal(catalog: Catalog, actor: Actor, name: str, frozen: bool) -> RetrofillError | None:
    task = catalog.tasks[name]
    if not actor.may(Action.FREEZE_TASK, name, task.owner):
        return NotPermittedError(f"you may not {'freeze' if frozen else 'unfreeze'} {name}")
    if not frozen and task.mode is RunMode.PAUSED:
        return WrongStateError(
            f"{name} is frozen by its mode in the project (mode: paused)",
            "Take `mode: paused` out of its workspace.yaml and deploy.",
        )
    return None
