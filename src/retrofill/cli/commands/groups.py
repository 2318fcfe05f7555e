"""`retrofill resource-group ...`: slots, who holds them, and who waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell, coloured
from retrofill.domain.words import duration, many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.services.reading.documents import HeldSlot, HostRow, InstanceRow, Queue

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
    if any(row["hosts"] is not None for row in rows):
        columns += ["executor", "hosts", "offered"]
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
    if document["executor"] != "local":
        _print_hosts(document)
    running = [row for row in document["running"] if not row["offered"]]
    click.echo(f"{many(len(running), 'instance')} running{':' if running else ''}")
    for row in running:
        click.echo(f"  {where(row)}")
    _print_offers([row for row in document["running"] if row["offered"]])
    queue = [{**row, "place": place} for place, row in enumerate(document["queue"], start=1)]
    session.rows(queue, _QUEUE, "Nothing waits for a slot.")
    if document["hidden"]:
        say(f"{many(document['hidden'], 'instance')} of other workspaces not shown.")


def _print_hosts(document: Queue) -> None:
    """Who takes its instances, a line each."""
    hosts = document["hosts"]
    taken = f"{many(len(hosts), 'host')} {'takes' if len(hosts) == 1 else 'take'} its instances"
    none = "no host takes its instances: `retrofill worker` starts one"
    click.echo(f"{taken}:" if hosts else none)
    for host in hosts:
        heard = "" if host["state"] in ("there", "draining") else f", {_silence(host)}"
        state = coloured(host["state"], host["state"])
        click.echo(
            f"  {cell(host['label'])}  {state}{heard}  {host['running']} of {many(host['slots'] or 0, 'slot')}"
        )


def _silence(host: HostRow) -> str:
    seconds = host["silent_seconds"]
    return "never heard of" if seconds is None else f"not heard of for {duration(seconds)}"


def _print_offers(offered: Sequence[HeldSlot]) -> None:
    if not offered:
        return
    click.echo(f"{many(len(offered), 'instance')} offered, for a host to take:")
    for row in offered:
        click.echo(f"  {where(row)}")


def where(row: HeldSlot, with_host: bool = True) -> str:
    """An instance that holds a slot, in a line."""
    began = "offered at" if row["offered"] else "since"
    place = f"  {cell(row['where'])}" if with_host and row["where"] else ""
    return f"{row['id']}  {cell(row['task'])}  {row['scheduled_at']}  {_whose(row)}  {began} {row['started_at']}{place}"


def _whose(row: InstanceRow) -> str:
    return "auto triggered" if row["backfill"] is None else f"backfill {row['backfill']}"


COMMANDS: dict[str, click.Command] = {"resource-group": resource_group}
