"""`retrofill backup` and `retrofill restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import RestoredDocument

_force = click.option("--force", is_flag=True, help="Take the place of what is there.")


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--with-logs", is_flag=True, help="The logs of all runs too.")
@_force
@pass_session
def backup(session: Session, file: Path, with_logs: bool, force: bool) -> None:
    """Write a consistent copy of the store to FILE, also while a scheduler runs.

    The project's own files and secrets are not in it; the code of every deployed version is.
    """
    document = session.call.center.upkeep.back_up(file, with_logs, force)
    and_logs = f" with {document['logs']} logs" if with_logs else ""
    size = document["bytes"]
    session.document(document, lambda: click.echo(f"Backed up the store{and_logs} to {file}, {size} bytes."))


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@_force
@pass_session
def restore(session: Session, file: Path, force: bool) -> None:
    """Make the store anew from a backup; nothing starts until somebody resumes it.

    Every unfinished backfill is paused. What ran when the backup was made is lost: Failed, or with
    `on_lost: true` run again once resumed, though that machine may still be running. Logs that are
    there stay.
    """
    document = session.call.center.upkeep.restore(file, force)
    session.document(document, lambda: _say(document))


def _say(document: RestoredDocument) -> None:
    click.echo(f"Restored the store as it was at {document['made_at']}.")
    if document["replaced"]:
        click.echo(f"The store that was there is in {document['replaced']} now.")
    paused, lost, again = document["paused"], document["lost"], document["run_again"]
    if failed := len(lost) - len(again):
        is_failed = "is" if failed == 1 else "are"
        click.echo(
            f"{many(failed, 'instance')} ran when it was made and {is_failed} Failed (lost): what was done is unknown."
        )
    if again:
        click.echo(
            f"{many(len(again), 'instance')} ran when it was made and will run again once resumed, because of "
            f"`rerun: {{on_lost: true}}`: {' '.join(map(str, again[:20]))}{' ...' if len(again) > 20 else ''}. "
            "What was done is unknown."
        )
    click.echo("The schedule is held: no auto triggered instances are made or started.")
    if paused:
        ids = " ".join(map(str, paused[:20]))
        are = "is" if len(paused) == 1 else "are"
        more = " ..." if len(paused) > 20 else ""
        click.echo(f"{many(len(paused), 'unfinished backfill')} {are} paused: {ids}{more}")
    say(
        "What the machine of the backup has run since, nobody here knows. Make sure that it runs no more, then "
        "let each backfill go on with `retrofill backfill resume ID`, and the schedule with `retrofill schedule resume`."
    )


COMMANDS: dict[str, click.Command] = {"backup": backup, "restore": restore}
