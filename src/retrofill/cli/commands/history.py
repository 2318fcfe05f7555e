"""`retrofill operation list` and `retrofill task history`: what people did (OPS-8)."""

from __future__ import annotations

import click

from retrofill.cli.grammar import Command, Group
from retrofill.cli.session import Session, integer_id, pass_session
from retrofill.domain.running.filters import OperationFilter
from retrofill.services.catalogs.deploy import find_task
from retrofill.services.reading.audit_log import latest
from retrofill.services.reading.backfills import Row, operation_row

_COLUMNS = ["at", "user", "action", "backfill", "instance", "task", "from_state", "to_state", "comment"]
_TASK_COLUMNS = ["at", "user", "action", "comment"]


@click.group(cls=Group)
def operation() -> None:
    """The record of what people did."""


@operation.command("list")
@click.option("--user", metavar="NAME", help="Only what this user did.")
@click.option("--action", metavar="ACTION", help="Only this action, for example rerun or freeze-task.")
@click.option("--backfill", metavar="ID", help="Only what was done to this backfill and its instances.")
@click.option("--instance", metavar="ID", help="Only what was done to this instance.")
@click.option("--task", metavar="T", help="Only freezing and unfreezing of this task.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@pass_session
def list_command(
    session: Session,
    user: str | None,
    action: str | None,
    backfill: str | None,
    instance: str | None,
    task: str | None,
    limit: int,
) -> None:
    """List operations, newest first."""
    asked = OperationFilter(
        user,
        action,
        None if backfill is None else integer_id(backfill, "a backfill"),
        None if instance is None else integer_id(instance, "an instance"),
        None if task is None else _task_id(session, task),
    )
    session.rows(_rows(session, asked, limit), _COLUMNS, "Nobody has done anything of that kind.")


@click.command("history", cls=Command)
@click.argument("name", metavar="T")
@pass_session
def task_history(session: Session, name: str) -> None:
    """Show who froze and unfroze a task, newest first."""
    rows = _rows(session, OperationFilter(task_id=_task_id(session, name)), limit=100_000)
    session.rows(rows, _TASK_COLUMNS, f"Nobody has frozen or unfrozen {name}.")


def _rows(session: Session, asked: OperationFilter, limit: int) -> list[Row]:
    project = session.project
    if project.deployed is None:
        return []
    with project.store.read() as reader:
        names = {i: name for name, i in reader.task_ids().items()}
        found = latest(reader, project.access(reader), asked, limit)
        return [operation_row(o, None if o.task_id is None else names[o.task_id]) for o in found]


def _task_id(session: Session, text: str) -> int | None:
    """The id of a deployed task that the actor sees; None before the first deploy.

    Raises:
        UnknownNameError: there is none of this name, or it is not to be seen.
    """
    project = session.project
    if project.deployed is None:
        return None
    with project.store.read() as reader:
        ids = reader.task_ids()
    return ids[find_task(project.deployed.catalog, ids, text, project.actor.sees)]


COMMANDS: dict[str, click.Command] = {"operation": operation}
