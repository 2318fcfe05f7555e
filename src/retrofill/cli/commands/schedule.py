"""`retrofill schedule ...`: auto triggered instances, night by night."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.steps import command_of, told
from retrofill.domain.running.states import State
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.reading.backfills import Views
from retrofill.services.running.missed import Missed, find_missed
from retrofill.services.upkeep.clocks import accept_clock, trouble_with

_comment = click.option("--comment", default="", metavar="TEXT", help="Why; it is kept in the record.")


@click.group(cls=Group)
def schedule() -> None:
    """The regular schedule: instances that every night makes."""


@schedule.command("show")
@pass_session
def show(session: Session) -> None:
    """Show when the next night is, and whether the schedule goes on."""
    project = session.project
    document: dict[str, Any] = {"held": False, "last_bizdate": None, "next_at": None, "scheduler": False}
    missed: Missed | None = None
    clock: Text | None = None
    if project.deployed is not None:
        schedule = project.schedule()
        with project.store.read() as reader:
            document["held"] = reader.generations.is_held()
            document["last_bizdate"] = reader.generations.last_night()
            clock = trouble_with(reader.clock.check(project.clock.now_ms()))
            missed = find_missed(reader, project.graphs, schedule, project.actor.sees)
        document["next_at"] = shown_instant(schedule.next_ms())
        document["scheduler"] = project.has_scheduler(auto=True)
    document["clock"] = clock
    document["missed"] = None if missed is None else _missed_document(missed)
    session.document(document, lambda: _print_status(document, missed))


def _missed_document(missed: Missed) -> dict[str, Any]:
    afterwards = missed.afterwards
    commands = {
        "makes_up": command_of(missed.makes_up),
        "afterwards": None if afterwards is None else command_of(afterwards),
    }
    return asdict(missed) | commands


def _print_status(document: dict[str, Any], missed: Missed | None) -> None:
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
    for sentence in missed.sentences() if missed is not None else ():
        click.echo(told(sentence))
    if not document["scheduler"]:
        say("No scheduler runs that makes and starts them: `retrofill scheduler`.")


@schedule.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=30, show_default=True)
@pass_session
def list_command(session: Session, limit: int) -> None:
    """List bizdates with auto triggered instances, newest first."""
    project = session.project
    rows: list[dict[str, Any]] = []
    if project.deployed is not None:
        with project.store.read() as reader:
            rows = Views(reader, project.graphs, project.clock.now_ms()).nights(limit)
    states = [state.value for state in State]
    if session.is_text:
        rows = [row | row["counts"] | {"instances": row["instance_count"]} for row in rows]
    session.rows(rows, ["bizdate", "instances", *states], "There are no auto triggered instances yet.")


@schedule.command("pause")
@_comment
@pass_session
def pause(session: Session, comment: str) -> None:
    """Make nothing and start nothing of the schedule; what runs, ends."""
    _steer(session, True, comment)


@schedule.command("resume")
@_comment
@pass_session
def resume(session: Session, comment: str) -> None:
    """Let the schedule go on; nights that were missed are made."""
    _steer(session, False, comment)


@schedule.command("accept-clock")
@_comment
@pass_session
def accept(session: Session, comment: str) -> None:
    """Say that the clock of this machine is right, after it has jumped.

    Until then no night is made and nothing is deleted by age.
    """
    project = session.project
    check = accept_clock(project.store, project.clock, project.actor, comment)
    now = shown_instant(check.wall_ms // 1000 * 1000)
    doubted = check.expected_ms is not None
    session.document(
        {"now": now, "unchanged": not doubted},
        lambda: click.echo(f"The clock is taken to be right: it is {now}."),
    )


def _steer(session: Session, hold: bool, comment: str) -> None:
    project = session.project
    service = project.schedule()
    changed = service.pause(project.actor, comment) if hold else service.resume(project.actor, comment)
    words = "is paused" if hold else "goes on"
    session.document(
        {"held": hold, "unchanged": not changed},
        lambda: click.echo(f"The schedule {words}{'' if changed else ' already; nothing changed'}."),
    )


COMMANDS: dict[str, click.Command] = {"schedule": schedule}
