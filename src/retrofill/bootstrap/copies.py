"""Backups of a deployment's store and of its logs, and putting one in its place."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill import __version__
from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import UsageError, WrongStateError, shown
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.domain.words import many
from retrofill.services.ports.leadership import SchedulerRunsError

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import AnyStore
    from retrofill.executors.local.folder import RunsFolder
    from retrofill.services.ports import Reader
    from retrofill.services.reading.documents import (
        BackupDocument,
        CopiedDocument,
        CopiedTableDocument,
        MigratedDocument,
        RestoredDocument,
    )


EMBEDDED = "embedded"  # as a place to copy to
_WHERE = f"Name the server as postgresql://USER@HOST/DATABASE, or the folder's own file as {EMBEDDED}."


class StoreExistsError(WrongStateError):
    """{option.force} restores in its place; the store that is there is moved aside, not removed."""

    code = "store_exists"


class RunsGoOnError(WrongStateError):
    """Wait for the end of what runs, or stop it with {instance.stop}; then restore."""

    code = "runs_go_on"


class ServersStoreError(UsageError):
    """Use `pg_dump` and `pg_restore`, as docs/guides/postgresql.md says; logs are on the machines that ran them."""

    code = "servers_store"


class LocalCopies:
    """Of the store that is a file of this machine, beside the logs of its runs."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def take(self, file: Path, project: str, with_logs: bool, force: bool) -> BackupDocument:
        from retrofill.executors.local.folder import RunsFolder
        from retrofill.store.sqlite import backups
        from retrofill.store.sqlite.database import Database

        on = self._deployment
        logs = RunsFolder(on.folder.runs).pieces() if with_logs else iter(())
        self._refuse_servers_store()
        assert isinstance(on.store, Database)
        manifest = backups.write(on.store, file, project, on.clock.now_ms(), __version__, logs, force)
        return {
            "file": str(file.absolute()),
            "bytes": file.stat().st_size,
            "made_at": shown_instant(manifest.made_ms),
            "schema": manifest.schema,
            "logs": manifest.logs,
        }

    def put_back(self, file: Path, user: str, force: bool) -> RestoredDocument:
        from retrofill.store.sqlite.leftovers import remove_leftovers
        from retrofill.store.sqlite.staying import nobody_stays

        if not file.is_file():
            raise UsageError(
                f"there is no file {shown(str(file))}", Text("Name a file that {store.back_up} has made.")
            )
        self._refuse_servers_store()
        home = self._deployment.folder.home
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        leadership = self._deployment.leadership()
        if not leadership.lead():
            leader = leadership.leader()
            process = "" if leader is None else leader.as_process
            raise SchedulerRunsError(f"a scheduler runs {process}".rstrip())
        try:
            with nobody_stays(home):
                document = self._restore(file, user, force)
            # Only now: what a restore that was broken off has left tells that there was a store.
            remove_leftovers(home, restores=True)
        finally:
            leadership.resign()
        return document

    def migrate(self) -> MigratedDocument:
        from retrofill.store.schema.revision import HEAD

        store = self._deployment.store
        before = store.revision()
        store.open()
        return {"from": before, "to": HEAD}

    def copy_to(self, url: str) -> CopiedDocument:
        from retrofill.store.sqlite.staying import nobody_stays

        on = self._deployment
        leadership = on.leadership()
        if not leadership.lead():
            leader = leadership.leader()
            raise SchedulerRunsError(f"a scheduler runs {leader.as_process if leader else ''}".rstrip())
        try:
            if (on.store_url is None) == (url == EMBEDDED):
                raise UsageError("the store is copied from the embedded one to a server, or back", _WHERE)
            self._check_rest()
            if url == EMBEDDED:
                return self._copy_to_file()
            with nobody_stays(on.folder.home):  # what a server were told meanwhile would stay behind
                return self._copy_to_server(url)
        finally:
            leadership.resign()

    def _check_rest(self) -> None:
        """Runs that go on without a scheduler would be nobody's in the copy."""
        with self._deployment.store.read() as reader:
            runs = reader.open_runs()
        if runs:
            raise WrongStateError(
                f"{many(len(runs), 'open run')} would be left behind, for example that of instance {runs[0].instance_id}",
                "Let a scheduler see them through, then stop it and copy.",
            )

    def _copy_to_server(self, url: str) -> CopiedDocument:
        from retrofill.bootstrap.stores import checked_url, open_server

        on = self._deployment
        named = checked_url(url, on.in_force().project, "as a place to copy to")
        with (
            tempfile.TemporaryDirectory() as nowhere,  # until it is a copy, no folder remembers it
            closing(open_server(named, Path(nowhere), on.secret)) as target,
        ):
            return self._copy(target.open(), target.shown)

    def _copy_to_file(self) -> CopiedDocument:
        from retrofill.store.sqlite.database import Database

        home = self._deployment.folder.home
        if (home / "retrofill.db").exists():
            raise StoreExistsError(
                f"{shown(str(self._deployment.folder.directory))} has an embedded store already",
                f"Move {home / 'retrofill.db'} away.",
            )
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="copying.") as prepared:
            target = Database(Path(prepared))
            with closing(target):
                document = self._copy(target.open(), str(home / "retrofill.db"))
            os.replace(target.path, home / "retrofill.db")
        return document

    def _copy(self, target: AnyStore, where: str) -> CopiedDocument:
        """All of it, of one moment, at which nobody writes."""
        from retrofill.store import transfer

        source, home = self._deployment.store, self._deployment.folder.home
        with source.transaction() as tx:
            _refuse_while_created(source, tx)
            with target.transaction() as other:
                tables = transfer.copy(tx.connection, other.connection)
            target.take_over(tx.word(), home)
        listed: list[CopiedTableDocument] = [
            {"table": table.name, "rows": table.rows, "checksum": table.checksum} for table in tables
        ]
        return {"to": where, "rows": sum(table.rows for table in tables), "tables": listed}

    def _refuse_servers_store(self) -> None:
        """The one that lies on a server has backups of its own; asked without opening it, as it may be broken."""
        if self._deployment.store_url is not None:
            raise ServersStoreError("the store lies on a PostgreSQL server, whose own programs back it up")

    def _restore(self, file: Path, user: str, force: bool) -> RestoredDocument:
        from retrofill.executors.local.folder import RunsFolder
        from retrofill.services.running.restoring import hold_everything
        from retrofill.store.sqlite import backups
        from retrofill.store.sqlite.database import Database

        on, home = self._deployment, self._deployment.folder.home
        if (home / "retrofill.db").exists() and not force:
            raise StoreExistsError(f"{shown(str(on.folder.directory))} has a store already")
        folder = RunsFolder(on.folder.runs)
        _refuse_while_runs_go_on(folder)
        with (
            backups.open_backup(file) as backup,
            tempfile.TemporaryDirectory(dir=home, prefix="restoring.") as prepared,
        ):
            made_ms = backup.manifest.made_ms
            backup.extract_store(Path(prepared) / "retrofill.db")
            # Held before it takes its place: at no moment is there a store that would go on by itself.
            with closing(Database(Path(prepared))) as store:
                specs = self._deployment.specs(sys.executable)
                held = hold_everything(store, on.clock, specs, user, made_ms)
                store.bind(home)
            on.close()
            stamp = f"{instant_of(on.clock.now_ms()):%Y%m%dT%H%M%S}.{os.getpid()}"
            aside = backups.put_in_place(Path(prepared), home, stamp)
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


def _refuse_while_created(store: AnyStore, reader: Reader) -> None:
    creating = [record.id for record in reader.in_phase("creating") if store.is_being_created(record.id)]
    if creating:
        raise WrongStateError(
            f"backfill {creating[0]} is being created", "Wait until that is done, or end the command."
        )


def _refuse_while_runs_go_on(folder: RunsFolder) -> None:
    living = folder.living_supervisors()
    if living:
        names = ", ".join(f"instance {name.partition('.')[0]} (process {pid})" for pid, name in living[:5])
        go_on = "goes on" if len(living) == 1 else "go on"
        raise RunsGoOnError(f"{many(len(living), 'run')} of the store that is there {go_on}: {names}")
