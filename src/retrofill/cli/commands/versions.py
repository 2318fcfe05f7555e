"""`retrofill deploy` and `retrofill version ...`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.commands.publishing import (
    confirm_losing_everything,
    lines,
    say_what_is_published,
)
from retrofill.cli.grammar import Command, Group
from retrofill.cli.printing.estimates import to_seconds
from retrofill.cli.session import Session, integer_id, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.catalog.publishing import differences
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.words import many
from retrofill.services.catalogs.deploy import find_past_task, unknown_version
from retrofill.services.ports.records import VersionRecord

if TYPE_CHECKING:
    from retrofill.services.reading.documents import DeployedVersion

_COLUMNS = ["version", "current", "deployed_at", "deployed_by", "tasks", "published_from"]
_NOT_CONFIRMED = 1


@click.command(cls=Command)
@click.option("--version", "older", metavar="N", help="Publish version N anew, whatever the folder holds.")
@click.option("--yes", is_flag=True, help="Do not ask, even where every workspace would be gone.")
@pass_session
def deploy(session: Session, older: str | None, yes: bool) -> int:
    """Publish the folder as a new version.

    An unchanged folder makes none. Says what it changes for the nightly schedule.
    """
    project = session.project
    if older is not None:
        return _deploy_older(session, integer_id(older, "a version"))
    found = project.center.versions.about_to_publish()
    if not confirm_losing_everything(project, found, yes):
        say("Nothing was deployed.")
        return _NOT_CONFIRMED
    if project.folder.version_id is None:
        say_what_is_published(project, found)
    _say_deployed(session, project.center.versions.deploy())
    return 0


def _say_deployed(session: Session, document: DeployedVersion) -> None:
    if session.is_text:
        for note in document["notes"]:
            say(note)
    is_so = "is deployed" if document["new"] else "is deployed already; nothing changed"
    session.document(document, lambda: click.echo(f"Version {document['version']} {is_so}."))


def _deploy_older(session: Session, number: int) -> int:
    document, found = session.project.center.versions.deploy_again(number)
    if document["new"]:
        say(f"Version {number} anew; for the nightly schedule this changes:")
        for line in lines(found):
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
    project = session.project
    if project.deployed is None:
        session.rows([], _COLUMNS, "Nothing is deployed yet.")
        return
    with project.store.read() as reader:
        found = reader.versions.latest(limit or (50 if session.is_text else -1))
    rows = [_row(record, project.deployed.version_id) for record in found]
    if session.is_text:
        rows = [row | {"deployed_at": to_seconds(row["deployed_at"])} for row in rows]
    session.rows(rows, _COLUMNS, "Nothing is deployed yet.")


def _row(record: VersionRecord, current: int | None) -> dict[str, Any]:
    return {
        "version": record.id,
        "current": record.id == current,
        "deployed_at": shown_instant(record.created_ms),
        "deployed_by": record.created_by,
        "tasks": record.task_count,
        "published_from": record.published_from,
    }


@version.command("show")
@click.argument("number", metavar="N")
@click.option("--task", "name", metavar="T", help="This task as the version has it, with its code.")
@click.option("--file", "path", metavar="W/PATH", help="What an included file of workspace W holds.")
@pass_session
def version_show(session: Session, number: str, name: str | None, path: str | None) -> None:
    """Show what a version holds: tasks, included files, and what it changed."""
    project = session.project
    wanted = integer_id(number, "a version")
    if project.deployed is None:
        raise unknown_version(wanted)
    with project.store.read() as reader:
        record = reader.versions.find(wanted)
        if record is None:
            raise unknown_version(wanted)
        catalog = project.graphs.catalog(reader, wanted)
        before = reader.versions.before(wanted)
        earlier = project.graphs.catalog(reader, before) if before is not None else None
        ids = reader.task_ids()
    if path is not None:
        _print_file(session, catalog, wanted, path)
        return
    if name is not None:
        from retrofill.cli.commands.catalog import show_task

        show_task(session, catalog, ids, find_past_task(catalog, ids, name, project.actor.sees), wanted)
        return
    _show_whole(session, catalog, earlier, _row(record, project.deployed.version_id))


def _show_whole(session: Session, catalog: Catalog, earlier: Catalog | None, row: dict[str, Any]) -> None:
    sees = session.project.actor.sees
    found = differences(earlier, catalog).seen_by(sees)
    tasks = [
        {
            "task": task.name,
            "type": task.type.value,
            "schedule": task.schedule.text,
            "code_file": task.code_file or None,
        }
        for task in catalog.tasks.values()
        if sees(task.name)
    ]
    files = {
        workspace.name: [{"path": f.path, "bytes": f.size, "sha256": f.sha256} for f in workspace.files]
        for workspace in catalog.workspaces.values()
        if sees(workspace.name)
    }
    document = row | {"changes": found.to_json(), "tasks": tasks, "included": files}

    def text() -> None:
        anew = f", version {row['published_from']} anew" if row["published_from"] else ""
        current = ", the current one" if row["current"] else ""
        click.echo(
            f"Version {row['version']}{anew}{current}: {to_seconds(row['deployed_at'])} by {cell(row['deployed_by'])}"
        )
        for line in lines(found) if earlier is not None else ():
            click.echo(f"  {line}")
        for task in tasks:
            where = f"  {task['code_file']}" if task["code_file"] else ""
            click.echo(f"{task['task']}  {task['type']}  {task['schedule']}{cell(where) if where else ''}")
        for workspace, included in files.items():
            if included:
                click.echo(f"{workspace} includes {many(len(included), 'file')}:")
            for file in included:
                click.echo(f"  {cell(file['path'])}  {file['bytes']:,} bytes")

    session.document(document, text)


def _print_file(session: Session, catalog: Catalog, number: int, path: str) -> None:
    """What a file holds, byte for byte as text, as JSON in base64."""
    import base64

    name, _, inner = path.partition("/")
    known = catalog.workspaces.get(name) if session.project.actor.sees(name) else None
    files = {file.path: file for file in known.files} if known is not None else {}
    file = files.get(inner)
    if file is None:
        raise UnknownNameError(
            f"version {number} includes no file {cell(path)}",
            f"`retrofill version show {number}` lists them.",
        )
    with session.project.store.read() as reader:
        data = reader.versions.content(file.sha256)
    document = {"path": path, "sha256": file.sha256, "base64": base64.b64encode(data).decode()}
    session.document(document, lambda: click.echo(data, nl=False))


COMMANDS: dict[str, click.Command] = {"deploy": deploy, "version": version}
