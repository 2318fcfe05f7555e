"""`retrofill doctor`: is the project, its store and its runner in order?"""

from __future__ import annotations

import click

from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session
from retrofill.cli.steps import told


@click.command(cls=Command)
@pass_session
def doctor(session: Session) -> int:
    """Report on store, scheduler, runs and what they have left.

    Exit 1 if something is wrong.
    """
    rows = session.center.upkeep.doctor()
    if session.is_text:
        for row in rows:
            word, colour = ("ok", "green") if row["ok"] else ("WRONG", "red")
            click.echo(f"{click.style(f'{word:<5}', fg=colour)}  {row['check']}: {told(row['detail'])}")
    else:
        session.rows(rows, [], "")
    return 0 if all(row["ok"] for row in rows) else 1


COMMANDS: dict[str, click.Command] = {"doctor": doctor}
