"""`retrofill operation list` and `retrofill task history`: what people did (OPS-8)."""

from __future__ import annotations

import click

from retrofill.cli.grammar import Command, Group
from retrofill.cli.session import Session, pass_session
from retrofill.domain.inputs import integer_id
from retrofill.domain.running.searches import OperationSearch

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
    search = OperationSearch(
        user,
        action,
        None if backfill is None else integer_id(backfill, "a backfill"),
        None if instance is None else integer_id(instance, "an instance"),
        task,
    )
    operations = session.center.operations
    page = operations.list(search, limit)
    rows = page["items"]
    while isinstance(page["next"], int) and len(rows) < limit:
        page = operations.list(search, limit - len(rows), page["next"])
        rows += page["items"]
    session.rows(rows, _COLUMNS, "Nobody has done anything of that kind.")


@click.command("history", cls=Command)
@click.argument("name", metavar="T")
@pass_session
def task_history(session: Session, name: str) -> None:
    """Show who froze and unfroze a task, newest first."""
    rows = session.center.operations.of_task(name)
    session.rows(rows, _TASK_COLUMNS, f"Nobody has frozen or unfrozen {name}.")


COMMANDS: dict[str, click.Command] = {"operation": operation}
