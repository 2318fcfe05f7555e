"""`retrofill resource-group ...`: slots, who holds them, and who waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import InstanceRow, Queue

_QUEUE = ["place", "id", "task", "scheduled_at", "backfill", "priority"]


@click.group("resource-group", cls=Group)
def resource_group() -> None:
    """The pools of slots that instances run in."""


@resource_group.command("list")
@pass_session
def resource_group_list(session: Session) -> None:
    """List resource groups with slots in use and the queue."""
    rows = session.center.groups.list()
    columns = ["resource_group", "type", "slots", "running", "waiting", "reserved_for_auto", "workspaces"]
    session.rows(rows, columns, "There are no resource groups.")


@resource_group.command("show")
@click.argument("name", metavar="G")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Of the queue.")
@pass_session
def resource_group_show(session: Session, name: str, limit: int) -> None:
    """Show what holds a group's slots, and what waits for them in the order in which it will start."""
    document = session.center.groups.show(name, limit)
    session.document(document, lambda: _print_queue(session, document))


def _print_queue(session: Session, document: Queue) -> None:
    reserved = document["reserved_for_auto"]
    kept = f", {reserved} of them kept for auto triggered instances" if reserved else ""
    click.echo(f"{document['resource_group']}: {many(document['slots'], 'slot')}{kept}")
    running = document["running"]
    click.echo(f"{many(len(running), 'instance')} running{':' if running else ''}")
    for row in running:
        click.echo(
            f"  {row['id']}  {cell(row['task'])}  {row['scheduled_at']}  {_whose(row)}  since {row['started_at']}"
        )
    queue = [{**row, "place": place} for place, row in enumerate(document["queue"], start=1)]
    session.rows(queue, _QUEUE, "Nothing waits for a slot.")
    if document["hidden"]:
        say(f"{many(document['hidden'], 'instance')} of other workspaces not shown.")


def _whose(row: InstanceRow) -> str:
    return "auto triggered" if row["backfill"] is None else f"backfill {row['backfill']}"


COMMANDS: dict[str, click.Command] = {"resource-group": resource_group}
