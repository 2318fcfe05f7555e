"""`retrofill schedule ...`: auto triggered instances, night by night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say, say_json
from retrofill.cli.steps import command_of, told
from retrofill.domain.running.states import State

if TYPE_CHECKING:
    from retrofill.services.reading.documents import MissedNights, ScheduleDocument, ScheduleState

_comment = click.option("--comment", default="", metavar="TEXT", help="Why; it is kept in the record.")


@click.group(cls=Group)
def schedule() -> None:
    """The regular schedule: instances that every night makes."""


@schedule.command("show")
@pass_session
def show(session: Session) -> None:
    """Show when the next night is, and whether the schedule goes on."""
    document = session.center.schedule.show()
    if session.is_text:
        _print_status(document)
    else:
        say_json({**document, "missed": _with_commands(document["missed"])})


def _with_commands(missed: MissedNights | None) -> dict[str, Any] | None:
    """With what mends it as commands that can be pasted."""
    if missed is None:
        return None
    afterwards = missed["afterwards"]
    return {
        **missed,
        "makes_up": command_of(missed["makes_up"]),
        "afterwards": None if afterwards is None else command_of(afterwards),
    }


def _print_status(document: ScheduleDocument) -> None:
    if document["held"]:
        click.echo("The schedule is paused: nothing is made, and nothing of it starts.")
    elif document["next_at"] is None:
        click.echo("Nothing is deployed yet, so there is no schedule.")
    else:
        click.echo(f"The next instances are made at {document['next_at']}.")
    if document["last_bizdate"] is not None:
        click.echo(f"The last night made those of bizdate {document['last_bizdate']}.")
    if document["clock"] is not None:
        click.echo(told(document["clock"]))
    for sentence in document["missed"]["sentences"] if document["missed"] is not None else ():
        click.echo(told(sentence))
    if not document["scheduler"]:
        say("No scheduler runs that makes and starts them: `retrofill scheduler`.")


@schedule.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=30, show_default=True)
@pass_session
def list_command(session: Session, limit: int) -> None:
    """List bizdates with auto triggered instances, newest first."""
    nights = session.center.schedule.nights(limit)["items"]
    rows: Sequence[Mapping[str, Any]] = nights
    if session.is_text:
        rows = [{**night, **night["counts"], "instances": night["instance_count"]} for night in nights]
    columns = ["bizdate", "instances", *(state.value for state in State)]
    session.rows(rows, columns, "There are no auto triggered instances yet.")


@schedule.command("pause")
@_comment
@pass_session
def pause(session: Session, comment: str) -> None:
    """Make nothing and start nothing of the schedule; what runs, ends."""
    _say_steered(session, session.center.schedule.pause(comment))


@schedule.command("resume")
@_comment
@pass_session
def resume(session: Session, comment: str) -> None:
    """Let the schedule go on; nights that were missed are made."""
    _say_steered(session, session.center.schedule.resume(comment))


@schedule.command("accept-clock")
@_comment
@pass_session
def accept(session: Session, comment: str) -> None:
    """Say that the clock of this machine is right, after it has jumped.

    Until then no night is made and nothing is deleted by age.
    """
    document = session.center.schedule.accept_clock(comment)
    session.document(
        document, lambda: click.echo(f"The clock is taken to be right: it is {document['now']}.")
    )


def _say_steered(session: Session, document: ScheduleState) -> None:
    words = "is paused" if document["held"] else "goes on"
    already = " already; nothing changed" if document["unchanged"] else ""
    session.document(document, lambda: click.echo(f"The schedule {words}{already}."))


COMMANDS: dict[str, click.Command] = {"schedule": schedule}
