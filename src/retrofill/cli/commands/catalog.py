"""Commands about the project: init, schema, check, deploy, task, workspace, resource-group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.commands.history import task_history
from retrofill.cli.commands.rendering import task_render
from retrofill.cli.exit_statuses import exit_status, first_exit_status
from retrofill.cli.folder import look_at_folder
from retrofill.cli.grammar import Command, Group
from retrofill.cli.paging import cursor_option, limit_option, say_more
from retrofill.cli.printing.results import refusal
from retrofill.cli.session import Session, pass_session, say, say_json
from retrofill.cli.tables import cell, print_table
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import TaskInGraph, TaskPage


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@click.option("--example", metavar="NAME", help="Fill it with an example: flights.")
@pass_session
def init(session: Session, directory: str, example: str | None) -> None:
    """Make a new project in DIR.

    It has three small tasks, or is filled with an example.
    """
    import shlex

    from retrofill.project.scaffold import create_project

    paths = create_project(Path(directory), example)
    session.document(
        {"directory": directory, "files": [str(path) for path in paths]},
        lambda: click.echo(
            f"Made {directory} with {many(len(paths), 'file')}. Next: cd {shlex.quote(directory)} && retrofill check && "
            "retrofill backfill plan --help"
        ),
    )


@click.command(cls=Command)
def schema() -> None:
    """Print the JSON Schema of the project's files, for editors."""
    from retrofill import project

    say_json(project.schema())


@click.command(cls=Command)
@pass_session
def check(session: Session) -> int:
    """Check the whole project.

    Prints every error, each with file and line. Warnings, such as a task that reads a table which
    another writes without depending on it, leave the exit status 0.
    """
    from retrofill import project
    from retrofill.cli.printing.elsewhere import elsewhere_warnings
    from retrofill.cli.printing.lineage import doubts_in, warnings_of
    from retrofill.cli.printing.periods import period_warnings
    from retrofill.cli.printing.webhooks import webhook_warnings

    try:
        loaded = project.load_whole(session.folder_call.directory)
    except project.ProjectError as error:
        seen = (session.opened or session.folder_call).as_seen(
            error
        )  # who acts may be unknown for that error
        if session.is_text:
            raise seen from None
        say_json({"errors": [problem.to_json() for problem in seen.problems]})
        return exit_status(seen)
    catalog = loaded.catalog
    rights = session.folder_call.actor.rights(catalog)
    warnings = [
        *doubts_in(loaded.doubts, rights),
        *period_warnings(catalog, loaded.places, rights),
        *elsewhere_warnings(session.folder_call.misfits(catalog), loaded.places, loaded.group_places),
        *warnings_of(session.folder_call.lineages(catalog), loaded.places),
        *webhook_warnings(session.folder_call.deployment.internal_webhooks(catalog)),
    ]
    document = {
        "project": catalog.project,
        "workspaces": len(catalog.workspaces),
        "tasks": len(catalog.tasks),
        "warnings": warnings,
    }

    def text() -> None:
        for warning in warnings:
            click.echo(
                f"{warning['path']}:{warning['line']}:{warning['column']}: "
                f"{click.style(warning['level'], fg='yellow')}: {cell(warning['message'])}; {warning['hint']}"
            )
        graves = sum(warning["level"] == "warning" for warning in warnings)
        click.echo(
            f"{catalog.project}: {many(len(catalog.tasks), 'task')} in "
            f"{many(len(catalog.workspaces), 'workspace')}, no errors"
            f"{', ' + many(graves, 'warning') if graves else ''}"
        )

    session.document(document, text)
    return 0


@click.group(cls=Group)
def task() -> None:
    """The tasks of the project."""


@task.command("list")
@click.option("--workspace", metavar="W", help="Only tasks of this workspace.")
@click.option("--type", "task_type", metavar="TYPE", help="Only tasks of this type.")
@click.option("--tag", metavar="TAG", help="Only tasks with this tag.")
@click.option("--name", "part", metavar="TEXT", help="Only tasks whose full name contains this.")
@limit_option
@cursor_option
@pass_session
def task_list(
    session: Session,
    workspace: str | None,
    task_type: str | None,
    tag: str | None,
    part: str | None,
    limit: int | None,
    cursor: str | None,
) -> None:
    """List tasks by their full names."""
    look_at_folder(session)
    filters = {"workspace": workspace, "type": task_type, "tag": tag}
    given = {key: value for key, value in filters.items() if value is not None}
    page = session.center.tasks.list(given, part, limit, cursor)
    session.rows(
        page["items"],
        ["id", "task", "type", "cycle", "schedule", "owner", "resource_group", "frozen"],
        "There are no such tasks.",
    )
    if page["next"] is not None:
        say_more(page["next"])


@task.command("show")
@click.argument("name", metavar="T")
@pass_session
def task_show(session: Session, name: str) -> None:
    """Show one task: schedule, dependencies, parameters, settings, lineage."""
    look_at_folder(session)
    page = session.center.tasks.show(name)
    session.document(page, lambda: print_task(page))


def print_task(page: TaskPage) -> None:
    """A task as a catalog has it, with its lineage and its code."""
    from retrofill.cli.printing.lineage import print_lineage

    for key, value in page.items():
        if key not in ("code", "lineage", "reads", "writes"):
            click.echo(f"{key.replace('_', ' '):<24}{_shown_detail(value)}")
    print_lineage(page["lineage"])
    if page["code"]:
        click.echo("code")
        click.echo("".join(f"    {line}\n" for line in page["code"].splitlines()), nl=False)


def _freezing(name: str, frozen: bool, help_text: str) -> None:
    @task.command(name, help=help_text)
    @click.argument("names", metavar="T...", nargs=-1, required=True)
    @click.option("--comment", default="", metavar="TEXT", help="Why; it is kept in the record.")
    @pass_session
    def command(session: Session, names: tuple[str, ...], comment: str) -> int:
        tasks = session.center.tasks
        results = (tasks.freeze if frozen else tasks.unfreeze)(names, comment)
        rows = [
            {
                "task": result.task,
                "ok": result.error is None,
                "frozen": result.frozen,
                **refusal(result.error),
                **({"unchanged": True} if result.unchanged else {}),
            }
            for result in results
        ]
        session.rows(rows, ["task", "ok", "frozen", "error"], "")
        return first_exit_status(result.error for result in results)


_freezing("freeze", True, "Freeze tasks: what is made of them from now on stands still.")
_freezing("unfreeze", False, "Take back a freeze; instances that are frozen stay so until they are unfrozen.")


task.add_command(task_history)
task.add_command(task_render)


@task.command("graph")
@click.argument("name", metavar="[T]", required=False)
@pass_session
def task_graph(session: Session, name: str | None) -> None:
    """Show who waits for whom, of all tasks or around one."""
    look_at_folder(session)
    rows = session.center.tasks.graph(name)
    if session.is_text:
        click.echo("\n".join(_drawn(rows)) or "There are no tasks.")
        return
    session.rows(rows, ["task", "upstream", "downstream"], "There are no tasks.")


_DEEPEST = 20  # levels that are drawn by indenting; further ones are told as a number


def _drawn(rows: Sequence[TaskInGraph]) -> Iterator[str]:
    """One line a task, indented by its level, with what it waits for."""
    levels: dict[str, int] = {}
    for row in rows:
        name = row["task"]
        level = levels[name] = 1 + max((levels[above] for above in row["upstream"]), default=-1)
        waits = [*row["upstream"], *row["earlier_cycles"]]
        deep = f"({level}) " if level > _DEEPEST else ""
        yield f"{'  ' * min(level, _DEEPEST)}{deep}{name}{'  <- ' + ', '.join(waits) if waits else ''}"


@click.group(cls=Group)
def workspace() -> None:
    """The workspaces of the project."""


@workspace.command("list")
@pass_session
def workspace_list(session: Session) -> None:
    """List workspaces with their members."""
    look_at_folder(session)
    found = session.center.tasks.workspaces()
    rows: Sequence[Mapping[str, Any]] = found
    if session.is_text:
        rows = [
            {**row, "members": [f"{name} ({role})" for name, role in row["members"].items()]} for row in found
        ]
    session.rows(
        rows, ["id", "workspace", "timezone", "region", "tasks", "members"], "There are no workspaces."
    )


def _shown_detail(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={cell(item)}" for key, item in value.items()) or "-"
    return cell(value)


COMMANDS: dict[str, click.Command] = {
    "init": init,
    "schema": schema,
    "check": check,
    "task": task,
    "workspace": workspace,
}
__all__ = ["COMMANDS", "print_table", "say"]
