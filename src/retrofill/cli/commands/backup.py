"""`retrofill backup` and `retrofill restore`."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrofill import __version__
from retrofill.bootstrap.project import Project
from retrofill.cli.commands.scheduler import SchedulerRunsError
from retrofill.cli.driving import as_process
from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.errors import UsageError, WrongStateError, shown
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.domain.words import many
from retrofill.services.people.copying import Copying
from retrofill.store.sqlite.leftovers import remove_leftovers

if TYPE_CHECKING:
    from retrofill.executors.local.folder import RunsFolder
    from retrofill.store.sqlite.database import Database

_force = click.option("--force", is_flag=True, help="Take the place of what is there.")


class StoreExistsError(WrongStateError):
    """`--force` restores in its place; the store that is there is moved aside, not removed."""

    code = "store_exists"


class RunsGoOnError(WrongStateError):
    """Wait for the end of what runs, or stop it with `retrofill instance stop`; then restore."""

    code = "runs_go_on"


class ServersStoreError(UsageError):
    """Use `pg_dump` and `pg_restore`; docs/guides/postgresql.md says how."""

    code = "servers_store"


def _check_embedded(project: Project) -> None:
    """Refuse a store that is no file here; without opening it, since it may be broken.

    Raises:
        ServersStoreError: it lies on a server, which has backups of its own.
    """
    if project.deployment.store_url is not None:
        raise ServersStoreError("the store lies on a PostgreSQL server, whose own programs back it up")


def _embedded(project: Project) -> Database:
    from retrofill.store.sqlite.database import Database

    _check_embedded(project)
    assert isinstance(project.store, Database)
    return project.store


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--with-logs", is_flag=True, help="The logs of all runs too.")
@_force
@pass_session
def backup(session: Session, file: Path, with_logs: bool, force: bool) -> None:
    """Write a consistent copy of the store to FILE, also while a scheduler runs.

    The project's own files and secrets are not in it; the code of every deployed version is.
    """
    from retrofill.executors.local.folder import RunsFolder
    from retrofill.store.sqlite import backups

    project = session.project
    copying = Copying(project.actor)
    store = _embedded(project)
    if project.deployed is None:
        raise WrongStateError(
            "there is no store yet, so there is nothing to back up", "`retrofill deploy` makes one."
        )
    logs = RunsFolder(project.runs_directory).pieces() if with_logs else iter(())
    name = project.deployed.catalog.project
    now_ms = project.clock.now_ms()
    manifest = copying.take(lambda: backups.write(store, file, name, now_ms, __version__, logs, force))
    size = file.stat().st_size
    document = {
        "file": str(file.absolute()),
        "bytes": size,
        "made_at": shown_instant(manifest.made_ms),
        "schema": manifest.schema,
        "logs": manifest.logs,
    }
    and_logs = f" with {manifest.logs} logs" if with_logs else ""
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
    project = session.project
    Copying(project.actor).check_restore()
    if not file.is_file():
        raise UsageError(
            f"there is no file {shown(str(file))}", "Name a file that `retrofill backup` has made."
        )
    _check_embedded(project)
    project.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    leadership = project.leadership
    if not leadership.lead():
        raise SchedulerRunsError(f"a scheduler runs {as_process(leadership.leader())}".rstrip())
    try:
        document = _restore(project, file, force)
        # Only now: what a restore that was broken off has left tells that there was a store.
        remove_leftovers(project.home, restores=True)
    finally:
        leadership.resign()
    session.document(document, lambda: _say(document))


def _restore(project: Project, file: Path, force: bool) -> dict[str, object]:
    from retrofill.executors.local.folder import RunsFolder
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.running.restoring import hold_everything
    from retrofill.store.sqlite import backups
    from retrofill.store.sqlite.database import Database

    if (project.home / "retrofill.db").exists() and not force:
        raise StoreExistsError(f"{shown(str(project.directory))} has a store already")
    folder = RunsFolder(project.runs_directory)
    _refuse_while_runs_go_on(folder)
    with (
        backups.open_backup(file) as backup,
        tempfile.TemporaryDirectory(dir=project.home, prefix="restoring.") as prepared,
    ):
        made_ms = backup.manifest.made_ms
        backup.extract_store(Path(prepared) / "retrofill.db")
        # Held before it takes its place: at no moment is there a store that would go on by itself.
        with closing(Database(Path(prepared))) as store:
            specs = RunSpecs(project.directory, project.secret, sys.executable)
            held = hold_everything(store, project.clock, specs, project.actor, made_ms)
            store.bind(project.home)
        project.close()
        stamp = f"{instant_of(project.clock.now_ms()):%Y%m%dT%H%M%S}.{os.getpid()}"
        aside = backups.put_in_place(Path(prepared), project.home, stamp)
        logs = folder.put_back(backup.logs())
    return {
        "made_at": shown_instant(made_ms),
        "project": backup.manifest.project,
        "schedule_is_held": True,
        "paused": list(held.backfills),
        "lost": list(held.instances),
        "run_again": list(held.again),
        "logs": logs,
        "replaced": str(aside) if aside is not None else None,
    }


def _refuse_while_runs_go_on(folder: RunsFolder) -> None:
    living = folder.living_supervisors()
    if living:
        names = ", ".join(f"instance {name.partition('.')[0]} (process {pid})" for pid, name in living[:5])
        go_on = "goes on" if len(living) == 1 else "go on"
        raise RunsGoOnError(f"{many(len(living), 'run')} of the store that is there {go_on}: {names}")


def _say(document: dict[str, object]) -> None:
    click.echo(f"Restored the store as it was at {document['made_at']}.")
    if document["replaced"]:
        click.echo(f"The store that was there is in {document['replaced']} now.")
    paused, lost, again = document["paused"], document["lost"], document["run_again"]
    assert isinstance(paused, list)
    assert isinstance(lost, list)
    assert isinstance(again, list)
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
