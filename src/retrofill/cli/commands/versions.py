"""`retrofill deploy` and `retrofill version ...`"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.commands.publishing import (
    confirm_losing_everything,
    lines,
    say_what_is_published,
)
from retrofill.cli.grammar import Command, Group
from retrofill.cli.printing.estimates import to_seconds
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.inputs import integer_id
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import DeployedVersion, VersionPage

_COLUMNS = ["version", "current", "deployed_at", "deployed_by", "tasks", "published_from"]
_NOT_CONFIRMED = 1


@click.command(cls=Command)
@click.option("--version", "older", metavar="N", help="Publish version N anew, whatever the folder holds.")
@click.option("--yes", is_flag=True, help="Do not ask, even where every workspace would be gone.")
@click.option(
    "--rename-project", is_flag=True, help="Publish it, although the deployed project has another name."
)
@pass_session
def deploy(session: Session, older: str | None, yes: bool, rename_project: bool) -> int:
    """Publish the folder as a new version.

    An unchanged folder makes none. Says what it changes for the nightly schedule. A folder of a project
    with another name than the deployed one is refused: it is rather meant for another server.
    """
    versions = session.center.versions
    if older is not None:
        return _deploy_older(session, integer_id(older, "a version"))
    found = versions.about_to_publish()
    if not confirm_losing_everything(session, found, yes):
        say("Nothing was deployed.")
        return _NOT_CONFIRMED
    say_what_is_published(found)
    _say_deployed(session, versions.deploy(found["deployed"] or 0, rename_project, found["loses_everything"]))
    return 0


def _say_deployed(session: Session, document: DeployedVersion) -> None:
    if session.is_text:
        for note in document["notes"]:
            say(note)
    is_so = "is deployed" if document["new"] else "is deployed already; nothing changed"
    session.document(document, lambda: click.echo(f"Version {document['version']} {is_so}."))


def _deploy_older(session: Session, number: int) -> int:
    found = session.center.versions.deploy_again(number)
    document: DeployedVersion = {"version": found["version"], "new": found["new"], "notes": found["notes"]}
    if document["new"]:
        say(f"Version {number} anew; for the nightly schedule this changes:")
        for line in lines(found["changes"]):
            say(f"  {line}")
        say(
            "The folder was not touched: the next deploy, and `backfill create` without --deployed, publish what it holds."
        )
    _say_deployed(session, document)
    return 0


@click.group(cls=Group)
def version() -> None:
    """Deployed versions: what they hold, and which came when."""


@version.command("list")
@click.option("--limit", type=click.IntRange(1), help="At most so many (default: 50 as text, else all).")
@pass_session
def version_list(session: Session, limit: int | None) -> None:
    """List deployed versions, newest first."""
    found = session.center.versions.list(limit or (50 if session.is_text else None))["items"]
    rows: Sequence[Mapping[str, Any]] = found
    if session.is_text:
        rows = [{**row, "deployed_at": to_seconds(row["deployed_at"])} for row in found]
    session.rows(rows, _COLUMNS, "Nothing is deployed yet.")


@version.command("show")
@click.argument("number", metavar="N")
@click.option("--task", "name", metavar="T", help="This task as the version has it, with its code.")
@click.option("--file", "path", metavar="W/PATH", help="What an included file of workspace W holds.")
@pass_session
def version_show(session: Session, number: str, name: str | None, path: str | None) -> None:
    """Show what a version holds: tasks, included files, and what it changed."""
    versions, wanted = session.center.versions, integer_id(number, "a version")
    if path is not None:
        file = versions.file(wanted, path)
        session.document(file, lambda: click.echo(base64.b64decode(file["base64"]), nl=False))
    elif name is not None:
        from retrofill.cli.commands.catalog import print_task

        task = versions.task(wanted, name)
        session.document(task, lambda: print_task(task))
    else:
        page = versions.show(wanted)
        session.document(page, lambda: _print_version(page))


def _print_version(page: VersionPage) -> None:
    anew = f", version {page['published_from']} anew" if page["published_from"] else ""
    current = ", the current one" if page["current"] else ""
    by = f" by {cell(page['deployed_by'])}" if page["deployed_by"] else ""
    click.echo(f"Version {page['version']}{anew}{current}: {to_seconds(page['deployed_at'])}{by}")
    for line in lines(page["changes"]) if page["compared_with"] is not None else ():
        click.echo(f"  {line}")
    for task in page["tasks"]:
        where = f"  {task['code_file']}" if task["code_file"] else ""
        click.echo(f"{task['task']}  {task['type']}  {task['schedule']}{cell(where) if where else ''}")
    for workspace, included in page["included"].items():
        if included:
            click.echo(f"{workspace} includes {many(len(included), 'file')}:")
        for file in included:
            click.echo(f"  {cell(file['path'])}  {file['bytes']:,} bytes")


COMMANDS: dict[str, click.Command] = {"deploy": deploy, "version": version}
