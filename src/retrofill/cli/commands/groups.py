"""`retrofill resource-group ...`: slots, who holds them, and who waits for them."""

from __future__ import annotations

from typing import Any

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.errors import UnknownNameError, did_you_mean, shown
from retrofill.domain.words import many

_QUEUE = ["place", "id", "task", "scheduled_at", "backfill", "priority"]


@click.group("resource-group", cls=Group)
def resource_group() -> None:
    """The pools of slots that instances run in."""


@resource_group.command("list")
@pass_session
def resource_group_list(session: Session) -> None:
    """List resource groups with slots in use and the queue."""
    from retrofill.services.reading.backfills import Views

    catalog = session.project.in_force
    counts: dict[tuple[str, str], int] = {}
    project = session.project
    if project.deployed is not None:
        with project.store.read() as reader:
            counts = Views(reader, project.graphs, project.clock.now_ms()).queues()
    sees = project.actor.sees
    rows = [
        {
            "resource_group": group.name,
            "type": group.type,
            "slots": group.slots,
            "running": counts.get((group.name, "running"), 0),
            "waiting": counts.get((group.name, "waiting_resources"), 0),
            "reserved_for_auto": group.reserved_for_auto,
            "workspaces": None if group.workspaces is None else sorted(filter(sees, group.workspaces)),
        }
        for group in catalog.resource_groups.values()
    ]
    columns = ["resource_group", "type", "slots", "running", "waiting", "reserved_for_auto", "workspaces"]
    session.rows(rows, columns, "There are no resource groups.")


@resource_group.command("show")
@click.argument("name", metavar="G")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Of the queue.")
@pass_session
def resource_group_show(session: Session, name: str, limit: int) -> None:
    """Show what holds a group's slots, and what waits for them in the order in which it will start."""
    from retrofill.services.reading.backfills import Views
    from retrofill.services.reading.queues import queue_of

    catalog = session.project.in_force
    group = catalog.resource_groups.get(name)
    if group is None:
        near = did_you_mean(name, catalog.resource_groups)
        raise UnknownNameError(
            f'there is no resource group "{shown(name)}"{near}',
            "`retrofill resource-group list` shows all of them.",
        )
    project = session.project
    document: dict[str, Any] = {
        "resource_group": group.name,
        "slots": group.slots,
        "reserved_for_auto": group.reserved_for_auto,
        "running": [],
        "queue": [],
        "hidden": 0,
    }
    if project.deployed is not None:
        with project.store.read() as reader:
            views = Views(reader, project.graphs, project.clock.now_ms())
            document |= queue_of(reader, views, project.access(reader), name, limit)
    session.document(document, lambda: _print_queue(session, document))


def _print_queue(session: Session, document: dict[str, Any]) -> None:
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


def _whose(row: dict[str, Any]) -> str:
    return "auto triggered" if row["backfill"] is None else f"backfill {row['backfill']}"


COMMANDS: dict[str, click.Command] = {"resource-group": resource_group}
