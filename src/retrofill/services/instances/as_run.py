"""What an instance runs: its task as of the version that it was made from, or that a rerun chose (OPS-2, CAT-9)."""

from __future__ import annotations

from typing import NamedTuple

from retrofill.domain.catalog.definitions import Catalog, Task, describes_the_same_run, renewed
from retrofill.domain.errors import WrongStateError
from retrofill.domain.texts import Text
from retrofill.services.instances.outlines import Belonging
from retrofill.services.ports.records import InstanceRecord


class AsRun(NamedTuple):
    """The task as it runs, and the rest of its version; `parameters` are with the backfill's overrides."""

    task: Task
    catalog: Catalog
    version_id: int
    parameters: tuple[tuple[str, str], ...]


def as_run(row: InstanceRecord, context: Belonging) -> AsRun:
    """What the next run of an instance uses.

    Args:
        context: as `Contexts.of` gives it for this row.
    """
    task, plan = context.task(row.id), context.plan_of(row.id)
    if row.code_version_id is None:
        return AsRun(task, plan.catalog, context.version_id(row.id), plan.parameters_of(task))
    catalog = context.newer[row.code_version_id]
    task = renewed(task, catalog.tasks[task.name])
    return AsRun(task, catalog, row.code_version_id, plan.parameters_of(task))


def differs(row: InstanceRecord, context: Belonging, current: Catalog | None) -> bool:
    """Whether a rerun with the current version would run something else."""
    now = as_run(row, context)
    newest = None if current is None else current.tasks.get(now.task.name)
    if current is None or newest is None or current is now.catalog:
        return False
    name, connection = now.task.workspace, newest.connection
    return (
        not describes_the_same_run(now.task, newest)
        or current.workspaces[name].files != now.catalog.workspaces[name].files
        or current.connections.get(connection) != now.catalog.connections.get(connection)
    )


def check_latest(
    row: InstanceRecord, context: Belonging, current: Catalog, version_id: int, what: str
) -> Task:
    """The task as the current version runs it.

    Args:
        what: names the instance in the sentence.

    Raises:
        WrongStateError: that version has no such task, or one that does not fit the instance.
    """
    from retrofill.domain.planning.plan import Kind

    task = context.task(row.id)
    newest = current.tasks.get(task.name)
    if newest is None:
        raise WrongStateError(
            f"{what} cannot be rerun with version {version_id}, which has no task {task.name}",
            Text("Leave {option.latest} out: then it runs what it was made from."),
        )
    needs_virtual = row.kind == Kind.VIRTUAL.word
    if row.kind in (Kind.RUN.word, Kind.VIRTUAL.word) and newest.type.traits.has_code == needs_virtual:
        raise WrongStateError(
            f"{what} cannot be rerun with version {version_id}, where its task is of type {newest.type.value}",
            "Create a new backfill for it.",
        )
    overrides = context.plan_of(row.id).policy.overrides.get(task.name, {})
    if gone := sorted(set(overrides) - {name for name, _ in newest.parameters}):
        raise WrongStateError(
            f"{what} cannot be rerun with version {version_id}: its backfill sets {', '.join(gone)}, which is no "
            "parameter there",
            "Create a new backfill for it.",
        )
    return newest
