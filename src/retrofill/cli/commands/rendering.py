"""`retrofill task render`: what a task would run, with its values."""

from __future__ import annotations

import sys

import click

from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.errors import UsageError
from retrofill.domain.time.bizdates import parse_bizdate
from retrofill.domain.time.windows import clock, parse_clock_range
from retrofill.services.catalogs.deploy import find_task
from retrofill.services.reading.rendering import Rendered, render


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
    from retrofill.cli.folder import folder_catalog

    project = session.project
    if deployed:
        project.work_on_deployed()
    catalog, ids = folder_catalog(session)
    full = find_task(catalog, ids, name, project.actor.sees)
    minute = _minute(time)
    rendered = render(
        catalog,
        full,
        parse_bizdate(bizdate),
        minute,
        project.directory,
        project.settings.python or sys.executable,
        project.folder.version_id,
        ids,
    )
    document = rendered.document(project.folder.version_id)
    if minute is None and len(rendered.slots) > 1:
        say(
            f"{full} has {len(rendered.slots)} slots a date; this is {clock(rendered.slots[0])}, --time names another."
        )
    if rendered.is_off_day:
        say(f"{full} has its off day then: its instance succeeds without running this.")
    session.document(document, lambda: _print(document, rendered))


def _minute(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_clock_range(f"{text}-{text}")[0]
    except UsageError:
        raise UsageError(f'--time: "{cell(text)}" is no time of day', "Write it like 06:30.") from None


def _print(document: dict[str, object], rendered: Rendered) -> None:
    for key in ("task", "type", "version", "bizdate", "scheduled_at", "due_at", "working_directory"):
        click.echo(f"{key.replace('_', ' '):<20}{cell(document[key])}")
    for key in ("connection", "connection_url", "interpreter"):
        if document[key]:
            click.echo(f"{key.replace('_', ' '):<20}{cell(document[key])}")
    if document["arguments"]:
        for number, value in enumerate(rendered.spec.arguments, 1):
            click.echo(f"{f'${number}':<20}{cell(value)}")
    click.echo(f"{'inherits':<20}{cell(' '.join(rendered.inherits))}")
    click.echo("environment")
    for key, value in sorted(rendered.spec.environment.items()):
        click.echo(f"    {key}={cell(value)}")
    click.echo("code")
    click.echo("".join(f"    {line}\n" for line in rendered.spec.code.splitlines()), nl=False)
