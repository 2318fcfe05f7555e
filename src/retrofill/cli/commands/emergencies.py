"""`retrofill instance remove-wait`, `set-priority`, `set-resource-group`: for administrators (OPS-7)."""

from __future__ import annotations

import click

from retrofill.cli.grammar import Command
from retrofill.cli.printing.results import comment_option, done, ids_argument, numbers_of
from retrofill.cli.session import Session, pass_session
from retrofill.domain.errors import UsageError
from retrofill.domain.planning.options import PRIORITY


@click.command("remove-wait", cls=Command)
@ids_argument
@click.option(
    "--upstream",
    multiple=True,
    metavar="ID",
    help="An instance that they wait for (repeat; `instance dag` shows them).",
)
@click.option("--all", "everything", is_flag=True, help="All waits, and the isolation of an isolated one.")
@comment_option
@pass_session
def remove_wait(
    session: Session, instance_ids: tuple[str, ...], upstream: tuple[str, ...], everything: bool, comment: str
) -> int:
    """Let instances run without waiting for upstream ones.

    For administrators of the workspace. A wait that was removed does not come back when the upstream
    instance runs again. The turn of the bizdate, the time and a slot are waited for all the same.
    """
    if bool(upstream) == everything:
        raise UsageError("either --upstream or --all says which waits go", "Give one of the two.")
    numbers = None if everything else numbers_of(upstream)
    instances = session.center.instances
    return done(session, instances.remove_waits(numbers_of(instance_ids), numbers, comment))


@click.command("set-priority", cls=Command)
@ids_argument
@click.argument("priority", metavar="P")
@comment_option
@pass_session
def set_priority(session: Session, instance_ids: tuple[str, ...], priority: str, comment: str) -> int:
    """Set the priority with which instances queue for a slot: 1, 3, 5, 7 or 8 (the highest).

    For administrators of the workspace. It stays, however old the bizdate is.
    """
    instances = session.center.instances
    return done(session, instances.set_priority(numbers_of(instance_ids), PRIORITY.parse(priority), comment))


@click.command("set-resource-group", cls=Command)
@ids_argument
@click.argument("group", metavar="G")
@comment_option
@pass_session
def set_resource_group(session: Session, instance_ids: tuple[str, ...], group: str, comment: str) -> int:
    """Let instances take a slot of another resource group.

    For administrators of the workspace. The group must be bound to it.
    """
    instances = session.center.instances
    return done(session, instances.set_resource_group(numbers_of(instance_ids), group, comment))


COMMANDS: tuple[click.Command, ...] = (remove_wait, set_priority, set_resource_group)
