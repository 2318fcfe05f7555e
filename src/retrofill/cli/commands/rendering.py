"""`retrofill task render`: what a task would run, with its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.errors import UsageError
from retrofill.domain.time.bizdates import parse_bizdate
from retrofill.domain.time.windows import parse_clock_range

if TYPE_CHECKING:
    from retrofill.services.reading.documents import RenderedRun


@click.command("render", cls=Command)
@click.argument("name", metavar="T")
@click.option("--bizdate", required=True, metavar="D", help="The business date, YYYY-MM-DD.")
@click.option("--time", "time", metavar="HH:MM", help="The slot, where it has several (default: the first).")
@click.option("--deployed", is_flag=True, help="As it is deployed, whatever the folder holds.")
@pass_session
def task_render(session: Session, name: str, bizdate: str, time: str | None, deployed: bool) -> None:
    """Print the code as it would run, with its values and its environment; nothing runs.

    Secrets are not resolved. What every task inherits from the scheduler is not listed.
    """
    from retrofill.cli.folder import look_at_folder

    if deployed:
        session.work_on_deployed()
    look_at_folder(session)
    minute = _minute(time)
    rendered = session.center.tasks.render(name, parse_bizdate(bizdate), minute)
    full, slots = rendered["task"], rendered["slots"]
    if minute is None and len(slots) > 1:
        say(f"{full} has {len(slots)} slots a date; this is {slots[0]}, --time names another.")
    if rendered["off_day"]:
        say(f"{full} has its off day then: its instance succeeds without running this.")
    session.document(rendered, lambda: _print(rendered))


def _minute(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_clock_range(f"{text}-{text}")[0]
    except UsageError:
        raise UsageError(f'--time: "{cell(text)}" is no time of day', "Write it like 06:30.") from None


def _print(run: RenderedRun) -> None:
    shown: Mapping[str, object] = run
    for key in ("task", "type", "version", "bizdate", "scheduled_at", "due_at", "working_directory"):
        click.echo(f"{key.replace('_', ' '):<20}{cell(shown[key])}")
    for key in ("connection", "connection_url", "interpreter"):
        if shown[key]:
            click.echo(f"{key.replace('_', ' '):<20}{cell(shown[key])}")
    for number, value in enumerate(run["arguments"], 1):
        click.echo(f"{f'${number}':<20}{cell(value)}")
    click.echo(f"{'inherits':<20}{cell(' '.join(run['inherits']))}")
    click.echo("environment")
    for key, value in sorted(run["environment"].items()):
        click.echo(f"    {key}={cell(value)}")
    click.echo("code")
    click.echo("".join(f"    {line}\n" for line in run["code"].splitlines()), nl=False)
