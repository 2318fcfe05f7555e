"""`retrofill host ...`: the machines that carry out runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from retrofill.cli.commands.groups import where
from retrofill.cli.exit_statuses import first_exit_status
from retrofill.cli.grammar import Group
from retrofill.cli.printing.results import comment_option, refusal
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.steps import told
from retrofill.cli.tables import Row, cell, coloured
from retrofill.domain.errors import RetrofillError
from retrofill.domain.words import duration, many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import HostAct, HostPage, HostRow

_COLUMNS = ["label", "state", "heard", "resource_groups", "running", "slots", "executor", "version", "name"]
_EXPENDABLE = ["version", "executor", "heard", "name"]

_hosts = click.argument("hosts", metavar="HOST...", nargs=-1, required=True)


@click.group(cls=Group)
def host() -> None:
    """The machines that carry out runs: workers, and those that schedule."""


@host.command("list")
@click.option(
    "--all", "everything", is_flag=True, help="Also those that have left, and lost ones where nothing lives."
)
@pass_session
def list_command(session: Session, everything: bool) -> None:
    """List hosts, with what they take, what runs there, and whether they are heard of.

    A host that is not heard of is `unknown`: what runs there may go on. After `host_lost_minutes` it is
    `lost`, and so are its runs.
    """
    found = session.center.hosts.list(everything)
    rows = [_as_text(row) for row in found] if session.is_text else found
    empty = "No host is known: this machine has the store alone, or no worker has been started."
    session.rows(rows, _COLUMNS, empty, _EXPENDABLE)


def _as_text(row: HostRow) -> Row:
    return {
        **row,
        "heard": "" if row["silent_seconds"] is None else f"{duration(row['silent_seconds'])} ago",
        "resource_groups": ", ".join(row["resource_groups"]),
        "slots": "" if row["slots"] is None else row["slots"],
        "version": row["version"] or "",
    }


@host.command("show")
@click.argument("name", metavar="HOST")
@pass_session
def show(session: Session, name: str) -> None:
    """Show one host by its name or label: what it takes, and what runs there."""
    page = session.center.hosts.show(name)
    session.document(page, lambda: _print_page(page))


def _print_page(page: HostPage) -> None:
    name = "" if page["name"] == page["label"] else f" ({cell(page['name'])})"
    click.echo(f"{cell(page['label'])}{name}: {coloured(page['state'], page['state'])}. {told(page['why'])}")
    if page["resource_groups"]:
        takes = f"takes {', '.join(page['resource_groups'])}, {many(page['slots'] or 0, 'slot')}"
        click.echo(f"{page['executor']}, Retrofill {page['version']}, since {page['since']}: {takes}")
    if page["logs_at"]:
        click.echo(f"logs are read at {cell(page['logs_at'])}")
    click.echo(f"{many(page['running'], 'run')}{':' if page['instances'] else ''}")
    for row in page["instances"]:
        click.echo(f"  {where(row, with_host=False)}")
    if page["hidden"]:
        say(f"{many(page['hidden'], 'run')} of other workspaces not shown.")


@host.command("drain")
@_hosts
@comment_option
@pass_session
def drain(session: Session, hosts: tuple[str, ...], comment: str) -> int:
    """Let hosts take no more; what runs there ends by itself.

    For system administrators. It stays so, over restarts of the worker, until `host undrain`.
    """
    return _each(session, hosts, lambda name: session.center.hosts.drain(name, comment), _drained)


@host.command("undrain")
@_hosts
@comment_option
@pass_session
def undrain(session: Session, hosts: tuple[str, ...], comment: str) -> int:
    """Let hosts that drain take work again.

    For system administrators.
    """
    return _each(session, hosts, lambda name: session.center.hosts.undrain(name, comment), _undrained)


@host.command("forget")
@_hosts
@comment_option
@pass_session
def forget(session: Session, hosts: tuple[str, ...], comment: str) -> int:
    """Remove what is known of hosts that are gone.

    For system administrators. One that comes back is known again.
    """
    return _each(session, hosts, lambda name: session.center.hosts.forget(name, comment), _forgotten)


def _drained(act: HostAct) -> str:
    left = f"{many(act['running'], 'run')} {'goes' if act['running'] == 1 else 'go'} on there"
    return f"takes no more{' already' if act['unchanged'] else ''}; {left if act['running'] else 'nothing runs there'}"


def _undrained(act: HostAct) -> str:
    return f"takes work{' already' if act['unchanged'] else ' again'}"


def _forgotten(act: HostAct) -> str:
    return "is forgotten"


def _each(
    session: Session, hosts: tuple[str, ...], do: Callable[[str], HostAct], words: Callable[[HostAct], str]
) -> int:
    """Each by itself: one that is refused keeps none of the others."""
    refused: list[RetrofillError] = []
    rows: list[Row] = []
    for name in dict.fromkeys(hosts):
        try:
            act = do(name)
            rows.append({"ok": True, **act, "error": None})
            line = f"{cell(act['label'])} {words(act)}."
        except RetrofillError as error:
            refused.append(error)
            rows.append({"ok": False, "name": name, **refusal(error)})
            line = f"{cell(name)}: {told(error.text)}; {told(error.hint)}"
        if session.is_text:
            click.echo(line)
    if not session.is_text:
        session.rows(rows, [], "")
    return first_exit_status(refused)


COMMANDS: dict[str, click.Command] = {"host": host}
