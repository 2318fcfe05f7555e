"""Commands about the project: init, schema, check, deploy, task, workspace, resource-group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from retrofill.cli.commands.history import task_history
from retrofill.cli.commands.rendering import task_render
from retrofill.cli.exit_statuses import exit_status, first_exit_status
from retrofill.cli.folder import folder_catalog
from retrofill.cli.grammar import Command, Group
from retrofill.cli.paging import cursor_option, limit_option, page_of_names
from retrofill.cli.printing.results import refusal
from retrofill.cli.session import Session, pass_session, say, say_json
from retrofill.cli.tables import cell, print_table
from retrofill.domain.catalog.definitions import Catalog, DependencyKind, RunMode, Task
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.people.rights import Rights
from retrofill.domain.selection.filters import matching
from retrofill.domain.words import many
from retrofill.services.catalogs.deploy import find_task


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
    from retrofill.cli.printing.lineage import doubts_in, warnings_of
    from retrofill.cli.printing.periods import period_warnings

    try:
        catalog, places, doubts = project.load_with_places(session.project.directory)
    except project.ProjectError as error:
        seen = (session.opened or session.project).as_seen(error)  # who acts may be unknown for that error
        if session.is_text:
            raise seen from None
        say_json({"errors": [problem.to_json() for problem in seen.problems]})
        return exit_status(seen)
    rights = session.project.actor.rights(catalog)
    warnings = [
        *doubts_in(doubts, rights),
        *period_warnings(catalog, places, rights),
        *warnings_of(session.project.lineages(catalog), places),
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
    catalog, ids = folder_catalog(session)
    filters = {"workspace": workspace, "type": task_type, "tag": tag}
    conditions = {key: frozenset({value}) for key, value in filters.items() if value is not None}
    frozen = _frozen_tasks(session, catalog)
    names = [
        name
        for name in matching(catalog, conditions, session.project.rights)
        if part is None or part.lower() in name.lower()
    ]
    session.rows(
        [
            _row(catalog.tasks[found], ids) | {"frozen": found in frozen}
            for found in page_of_names(names, cursor, limit)
        ],
        ["id", "task", "type", "cycle", "schedule", "owner", "resource_group", "frozen"],
        "There are no such tasks.",
    )


@task.command("show")
@click.argument("name", metavar="T")
@pass_session
def task_show(session: Session, name: str) -> None:
    """Show one task: schedule, dependencies, parameters, settings, lineage."""
    catalog, ids = folder_catalog(session)
    show_task(session, catalog, ids, find_task(catalog, ids, name, session.project.actor.sees))


def show_task(
    session: Session, catalog: Catalog, ids: dict[str, int], name: str, version_id: int | None = None
) -> None:
    """Print a task as a catalog has it.

    Args:
        version_id: the version that the catalog is; None for the present.
    """
    from retrofill.cli.printing.lineage import print_lineage
    from retrofill.services.reading.lineage import lineage_of

    found = catalog.tasks.get(name)
    if found is None:
        raise UnknownNameError(
            f"version {version_id} has no task {name}",
            f"`retrofill version show {version_id}` lists its tasks.",
        )
    row = _row(found, ids) | _details(catalog, found, session.project.actor.sees)
    row |= {"included": [file.path for file in catalog.workspaces[found.workspace].files]}
    if version_id is None:
        row["frozen"] = found.name in _frozen_tasks(session, catalog)
    else:
        row = {"version": version_id} | row
    row["lineage"] = lineage_of(session.project.lineages(catalog), found.name)

    def text() -> None:
        for key, value in row.items():
            if key not in ("code", "lineage", "reads", "writes"):
                click.echo(f"{key.replace('_', ' '):<24}{_shown_detail(value)}")
        print_lineage(row["lineage"])
        if found.code:
            click.echo("code")
            click.echo("".join(f"    {line}\n" for line in found.code.splitlines()), nl=False)

    session.document(row, text)


def _freezing(name: str, frozen: bool, help_text: str) -> None:
    @task.command(name, help=help_text)
    @click.argument("names", metavar="T...", nargs=-1, required=True)
    @click.option("--comment", default="", metavar="TEXT", help="Why; it is kept in the record.")
    @pass_session
    def command(session: Session, names: tuple[str, ...], comment: str) -> int:
        tasks = session.project.center.tasks
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
    catalog, ids = folder_catalog(session)
    rights = session.project.rights
    names = [n for n in catalog.tasks if rights.sees(n)]
    if name is not None:
        full = find_task(catalog, ids, name, rights.sees)
        around = catalog.graph.ancestors([full]) | catalog.graph.descendants([full]) | {full}
        names = [n for n in names if n in around]
    inside = set(names)
    order = [n for n in catalog.graph.in_order() if n in inside]
    if session.is_text:
        click.echo("\n".join(_drawn(catalog, order, rights)) or "There are no tasks.")
        return
    rows = [
        {
            "task": n,
            "upstream": [u for u in catalog.graph.upstream[n] if u in inside],
            "downstream": [d for d in catalog.graph.downstream[n] if d in inside],
        }
        for n in order
    ]
    session.rows(rows, ["task", "upstream", "downstream"], "There are no tasks.")


_DEEPEST = 20  # levels that are drawn by indenting; further ones are told as a number


def _drawn(catalog: Catalog, order: list[str], rights: Rights) -> Iterator[str]:
    """One line a task, indented by its level, with what it waits for."""
    levels: dict[str, int] = {}
    inside = set(order)
    for name in order:
        above = [u for u in catalog.graph.upstream[name] if u in inside]
        levels[name] = 1 + max((levels[u] for u in above), default=-1)
        extra = [
            _dependency_words(d.kind, d.task)
            for d in catalog.tasks[name].depends_on
            if d.kind != "same_cycle" and (not d.task or rights.sees(d.task))
        ]
        waits = [*above, *extra]
        level = levels[name]
        deep = f"({level}) " if level > _DEEPEST else ""
        yield f"{'  ' * min(level, _DEEPEST)}{deep}{name}{'  <- ' + ', '.join(waits) if waits else ''}"


def _dependency_words(kind: DependencyKind, name: str) -> str:
    return {
        DependencyKind.SELF: "its own previous cycle",
        DependencyKind.PREVIOUS: f"{name} (previous cycle)",
        DependencyKind.CHILDREN: "the previous cycle of its downstream tasks",
    }.get(kind, name)


@click.group(cls=Group)
def workspace() -> None:
    """The workspaces of the project."""


@workspace.command("list")
@pass_session
def workspace_list(session: Session) -> None:
    """List workspaces with their members."""
    catalog, _ = folder_catalog(session)
    ids: dict[str, int] = {}
    if session.project.deployed is not None:
        with session.project.store.read() as reader:
            ids = reader.workspace_ids()
    rows: list[dict[str, Any]] = [
        {
            "id": ids.get(found.name),
            "workspace": found.name,
            "timezone": found.timezone,
            "region": found.region,
            "tasks": sum(1 for t in catalog.tasks.values() if t.workspace == found.name),
            "members": dict(found.members),
        }
        for found in catalog.workspaces.values()
        if session.project.rights.sees(found.name)
    ]
    if session.is_text:
        for row in rows:
            row["members"] = [f"{name} ({role})" for name, role in row["members"].items()]
    session.rows(
        rows, ["id", "workspace", "timezone", "region", "tasks", "members"], "There are no workspaces."
    )


def _frozen_tasks(session: Session, catalog: Catalog) -> set[str]:
    """The tasks of which instances made from now on are frozen: by mode, or by command (SEC-4)."""
    by_mode = {name for name, found in catalog.tasks.items() if found.mode is RunMode.PAUSED}
    if session.project.deployed is None:
        return by_mode
    with session.project.store.read() as reader:
        return by_mode | set(reader.frozen_tasks.names())


def _row(found: Task, ids: dict[str, int]) -> dict[str, Any]:
    return {
        "id": ids.get(found.name),
        "task": found.name,
        "type": found.type.value,
        "cycle": found.schedule.cycle.value,
        "schedule": found.schedule.text,
        "owner": found.owner or None,
        "priority": found.priority,
        "resource_group": found.resource_group,
    }


def _details(catalog: Catalog, found: Task, sees: Callable[[str], bool]) -> dict[str, Any]:
    return {
        "description": found.description or None,
        "timezone": catalog.timezone_of(found),
        "schedule_in_words": found.schedule.words(),
        "depends_on": [
            d.task if d.kind is DependencyKind.SAME_CYCLE else _dependency_words(d.kind, d.task)
            for d in found.depends_on
            if not d.task or sees(d.task)
        ],
        "downstream": [name for name in catalog.graph.downstream[found.name] if sees(name)],
        "parameters": dict(found.parameters),
        "baseline": found.baseline or None,
        "mode": found.mode.value,
        "rerun": {
            "mode": found.rerun.mode,
            "times": found.rerun.times,
            "interval_seconds": found.rerun.interval_seconds,
            "on_lost": found.rerun.on_lost,
        },
        "timeout_seconds": found.timeout_seconds,
        "max_parallel_instances": found.max_parallel_instances,
        "valid_from": found.valid_from.isoformat() if found.valid_from else None,
        "valid_until": found.valid_until.isoformat() if found.valid_until else None,
        "tags": list(found.tags),
        "reads": list(found.reads),
        "writes": list(found.writes),
        "connection": found.connection or None,
        "code_file": found.code_file or None,
        "code": found.code,
    }


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
