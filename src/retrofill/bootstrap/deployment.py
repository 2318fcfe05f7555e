"""Where settings become adapters and adapters become services: the only place that names them all."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.domain.errors import (
    Kind,
    NotPermittedError,
    RetrofillError,
    UnknownNameError,
    WrongStateError,
    shown,
)
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR, Actor, actor_of, system_administrator
from retrofill.domain.texts import Step, Text
from retrofill.executors.clock import SystemClock
from retrofill.services.catalogs import deploy as catalogs
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.people.access import Access

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.people.rights import Rights
    from retrofill.domain.running.startable import Known
    from retrofill.executors.code import CodeFolders
    from retrofill.project.problems import ProjectError
    from retrofill.services.alerts.delivery import Courier, Delivery
    from retrofill.services.backfills.requests import PlanLimits
    from retrofill.services.backfills.steering import BackfillSteering
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.operations.emergencies import Emergencies
    from retrofill.services.operations.operations import Operations
    from retrofill.services.people.accounts import People
    from retrofill.services.ports import Check, Executor, Notifier, Reader
    from retrofill.services.running.following import InForce
    from retrofill.services.running.loop import Loop
    from retrofill.services.running.nights import NightMaker
    from retrofill.services.upkeep.daily import Daily
    from retrofill.services.upkeep.retention import Retention
    from retrofill.settings.in_force import Settings
    from retrofill.store.sqlite.database import Database
    from retrofill.store.sqlite.locks import SchedulerLock


class NoProjectError(UnknownNameError):
    """Name a project's folder with {option.project}, or make one with {project.create}."""

    code = "no_project"
    kind = Kind.USAGE


class NoServerSupportError(RetrofillError):
    """Unset RETROFILL_URL to work on the embedded store of the project's folder."""

    code = "no_server_support"
    kind = Kind.UNREACHABLE


class Deployed:
    """A catalog with the version that it was deployed as; None for a folder that was not.

    Args:
        catalog: or what loads it, when it is asked for: many commands do without.
        contents: of files that a folder includes.
    """

    def __init__(
        self,
        catalog: Catalog | Callable[[], Catalog],
        version_id: int | None,
        contents: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        self._catalog = catalog
        self.version_id = version_id
        self.contents = contents

    @cached_property
    def catalog(self) -> Catalog:
        return self._catalog() if callable(self._catalog) else self._catalog


class Project:
    """A project's folder with its embedded store, and the services on them.

    Args:
        command: a step in the words of messages to people.
    """

    def __init__(
        self, directory: Path, environ: Mapping[str, str], command: Callable[[Step], str] = str
    ) -> None:
        self.directory = directory.absolute()
        self.environ = environ
        self.command = command
        self.clock = SystemClock()
        self.graphs = GraphCache()
        self.deploy_notes: list[str] = []  # what the last deploy of this process means for the schedule
        if not (self.directory / "retrofill.yaml").exists():
            raise NoProjectError(f"{shown(str(directory))} is no Retrofill project: it has no retrofill.yaml")

    @property
    def home(self) -> Path:
        """Store, runs and logs."""
        return self.directory / ".retrofill"

    @property
    def _has_store(self) -> bool:
        from retrofill.store.sqlite.presence import is_there

        return is_there(self.home / "retrofill.db")

    @cached_property
    def store(self) -> Database:
        from retrofill.store.sqlite.database import Database
        from retrofill.store.sqlite.locks import SchedulerLock

        store = Database(self.home)
        # Where its scheduler lives it is no copy, however its file system is seen from here.
        if self._has_store and store.is_copy() and SchedulerLock(self.home).holder() is None:
            from retrofill.services.instances.run_specs import RunSpecs
            from retrofill.services.running.restoring import hold_copy

            specs = RunSpecs(self.directory, self.secret, sys.executable)
            user = self.environ.get("RETROFILL_USER", SYSTEM_ADMINISTRATOR)
            hold_copy(store, self.clock, specs, user, self._say)
        return store

    @cached_property
    def deployed(self) -> Deployed | None:
        """What was deployed last, as of the first question."""
        if not self._has_store:
            return None
        with self.store.read() as reader:
            version_id = reader.current_version_id()
            if version_id is None:
                return None
            return Deployed(lambda: self._catalog(version_id), version_id)

    def _catalog(self, version_id: int) -> Catalog:
        with self.store.read() as reader:
            return self.graphs.catalog(reader, version_id)

    @property
    def in_force(self) -> Catalog:
        """What is deployed; before the first deploy, the folder."""
        return (self.deployed or self.folder).catalog

    @cached_property
    def folder(self) -> Deployed:
        """The folder as it is; carries the deployed version's id where nothing differs from it.

        Raises:
            ProjectError: the folder has errors.
        """
        from retrofill import project

        deployed = self.deployed
        if deployed is not None and project.unchanged(
            self.directory, deployed.catalog.files, deployed.catalog.workspaces
        ):
            return deployed
        try:
            loaded = project.load_whole(self.directory)
        except project.ProjectError as error:
            raise self.as_seen(error) from None
        return Deployed(loaded.catalog, None, loaded.contents)

    def as_seen(self, error: ProjectError) -> ProjectError:
        """Without the errors in workspaces that the actor is no member of (SEC-2).

        Before the first deploy no roles are in force, and all errors are told.
        """
        return error if self.deployed is None else error.seen_by(self.actor.sees)

    def work_on_deployed(self) -> Deployed:
        """From now on the deployed version stands for the folder, whatever that holds.

        Raises:
            WrongStateError: nothing is deployed.
        """
        if self.deployed is None:
            raise WrongStateError("nothing is deployed yet", Text("{project.deploy} publishes the folder."))
        self.__dict__["folder"] = self.deployed
        return self.deployed

    @property
    def _owns_folder(self) -> bool:
        """Whether who acts can write the folder, and so decides what is deployed from it (SEC-4)."""
        return os.access(self.directory, os.W_OK)

    def deploy(self) -> tuple[int, bool]:
        """Publish the folder: version and whether it is new (CAT-1)."""
        folder = self.folder
        if folder.version_id is not None:
            self._make_owed(is_new=False)  # of a deploy that was killed
            return folder.version_id, False
        version_id, is_new = catalogs.deploy(
            self.store,
            folder.catalog,
            self.actor,
            self.clock.now_ms(),
            folder.contents,
            owns_folder=self._owns_folder,
        )
        self.__dict__["folder"] = Deployed(folder.catalog, version_id)
        return self._deployed_as(self.folder, is_new)

    def deploy_again(self, version_id: int) -> tuple[int, bool]:
        """Publish an older version anew, whatever the folder holds (CAT-9).

        Raises:
            UnknownNameError: there is no such version.
        """
        number, is_new = catalogs.deploy_again(
            self.store, version_id, self.actor, self.clock.now_ms(), owns_folder=self._owns_folder
        )
        with self.store.read() as reader:
            published = Deployed(self.graphs.catalog(reader, number), number)
        return self._deployed_as(published, is_new)

    def _deployed_as(self, deployed: Deployed, is_new: bool) -> tuple[int, bool]:
        """What follows from a deploy."""
        assert deployed.version_id is not None
        self.__dict__.pop("settings", None)
        self.__dict__["deployed"] = deployed
        self._make_owed(is_new)
        return deployed.version_id, is_new

    def _make_owed(self, is_new: bool) -> None:
        """Make the instances that a deploy owes, and note what it means for the schedule (AUTO-1, AUTO-2)."""
        from retrofill.domain.planning.moves import made_sentences

        schedule = self.schedule()
        notes = schedule.notes_of_deploy(self.actor.sees) if is_new else []
        self.deploy_notes = [*made_sentences(schedule.make_owed()), *notes]

    @cached_property
    def settings(self) -> Settings:
        from retrofill.settings import in_force as settings

        return settings.load(self.in_force.settings, self.environ)

    @property
    def limits(self) -> PlanLimits:
        from retrofill.settings.in_force import limits

        return limits(self.settings)

    @cached_property
    def actor(self) -> Actor:
        """Who acts, with the roles that the deployed members give (SEC-1, SEC-4).

        Raises:
            NotPermittedError: RETROFILL_USER names nobody.
        """
        name = self.environ.get("RETROFILL_USER", SYSTEM_ADMINISTRATOR)
        if name == SYSTEM_ADMINISTRATOR:
            return system_administrator(name)
        found = self._find_actor(name)
        if found is None:
            raise NotPermittedError(
                f'nobody is called "{shown(name)}" here',
                "Set RETROFILL_USER to a member of a workspace or to a user that was added, or unset it to "
                "act as the system administrator.",
            )
        return found

    def _find_actor(self, name: str) -> Actor | None:
        from retrofill.services.people.accounts import find_actor, members_of

        catalog = self.in_force
        if not self._has_store:  # looking shall make none
            return actor_of(name, catalog) if name in members_of(catalog) else None
        with self.store.read() as reader:
            return find_actor(reader.people, catalog, name)

    @property
    def user(self) -> str:
        """The name of who acts."""
        return self.actor.name

    @cached_property
    def rights(self) -> Rights:
        """What the actor may backfill, override and see of the folder's tasks."""
        return self.actor.rights(self.folder.catalog)

    def access(self, reader: Reader) -> Access:
        """What the actor may see and do, on one view of the ledger."""
        return Access(reader, self.graphs, self.actor)

    def people(self) -> People:
        from retrofill.services.people.accounts import People

        return People(self.store, self.in_force, self.clock, self.actor)

    def backfills(self) -> BackfillSteering:
        from retrofill.services.backfills.steering import BackfillSteering

        return BackfillSteering(self.store, self.graphs, self.clock, self.limits, self.actor, self.checks_of)

    def checks_of(self, catalog: Catalog) -> list[Check]:
        """The extension checks that a catalog's settings and the installed plugins ask for (VER-3).

        Raises:
            SettingError: two checks have the same name.
        """
        from retrofill.checks.discovery import installed
        from retrofill.settings.in_force import SettingError, load

        settings = load(catalog.settings, self.environ)
        plugins = installed()
        both = [name for name in plugins if name in settings.checks]
        if both:
            raise SettingError(
                f"checks ({shown(both[0])}) is also the name of an installed plugin; call it otherwise"
            )
        if not (plugins or settings.checks):
            return []
        from retrofill.checks.plugins import PluginCheck
        from retrofill.checks.webhooks import WebhookCheck, WebhookSurroundings

        around = WebhookSurroundings(self.secret, settings.allow_internal, self.clock)
        webhooks = [
            WebhookCheck(name, hook.url, hook.secret, hook.timeout_seconds, hook.retries, around)
            for name, hook in settings.checks.items()
        ]
        return [*webhooks, *(PluginCheck(name, settings.plugin_seconds) for name in plugins)]

    def operations(self) -> Operations:
        from retrofill.services.operations.operations import Operations

        return Operations(self.store, self.graphs, self.clock, self.actor)

    def emergencies(self) -> Emergencies:
        """Operations on single instances for administrators (OPS-7)."""
        from retrofill.services.operations.emergencies import Emergencies

        return Emergencies(self.operations(), self.in_force.resource_groups)

    def lineages(self, catalog: Catalog) -> Lineages:
        """Lineage of the tasks of a catalog."""
        from retrofill.lineage import SqlLineage
        from retrofill.services.catalogs.lineage import Lineages

        return Lineages(catalog, SqlLineage(catalog.connections), self.actor.sees)

    def schedule(self) -> NightMaker:
        from retrofill.services.running.nights import NightMaker

        return NightMaker(self.store, self.graphs, self.clock, self._scheduling().schedule)

    # Running

    @cached_property
    def scheduler_lock(self) -> SchedulerLock:
        from retrofill.store.sqlite.locks import SchedulerLock

        return SchedulerLock(self.home)

    @property
    def runs_directory(self) -> Path:
        return self.home / "runs"

    def secret(self, name: str) -> str | None:
        """The value of a secret: RETROFILL_SECRET_<NAME> of this process's environment (SEC-3)."""
        return self.environ.get(f"RETROFILL_SECRET_{name}")

    @property
    def known(self) -> Known:
        """What runs would find here: secrets, drivers, interpreters."""
        from retrofill.domain.running.startable import Known
        from retrofill.executors.drivers import missing_driver
        from retrofill.executors.local.orders import base_environment

        path = base_environment(self.environ)["PATH"]
        return Known(
            has_secret=lambda name: self.secret(name) is not None,
            has_program=lambda program: shutil.which(program, path=path) is not None,
            missing_driver=missing_driver,
            python=self.settings.python or sys.executable,
        )

    def executor(self) -> Executor:
        """What carries out runs, observed where events are to be sent."""
        from retrofill.executors.local.executor import LocalExecutor

        settings = self.settings
        self._local = executor = LocalExecutor(
            self.runs_directory,
            self.home / "wake.sock",
            log_cap_bytes=settings.log_cap,
            grace_seconds=settings.grace_seconds,
            prepare=lambda spec: self._code_folders.prepare(spec, self._content),
        )
        return self._observed(executor, settings.openlineage) if settings.openlineage else executor

    @cached_property
    def _code_folders(self) -> CodeFolders:
        from retrofill.executors.code import CodeFolders

        return CodeFolders(self.home / "code")

    def _content(self, sha256: str) -> bytes:
        """A file of a version; a store that cannot be read is a start to be tried again, as a full disk is."""
        try:
            with self.store.read() as reader:
                return reader.versions.content(sha256)
        except RetrofillError as error:
            raise OSError(errno.EIO, error.message) from error

    def _observed(self, executor: Executor, url: str) -> Executor:
        """The executor with its runs told to a lineage service."""
        from retrofill.lineage.openlineage.emitter import observed

        key = self.secret("OPENLINEAGE_API_KEY")
        name = self.deployed.catalog.project if self.deployed is not None else ""
        return observed(executor, url, key, name, lambda ref: self.specs.find(self.store, self.graphs, ref))

    @cached_property
    def specs(self) -> RunSpecs:
        from retrofill.services.instances.run_specs import RunSpecs

        return RunSpecs(self.directory, self.secret, self._scheduling().interpreter)

    def loop(self, executor: Executor, starts: bool = True, auto: bool = False) -> Loop:
        """The scheduler's loop; the caller holds the scheduler lock.

        Args:
            auto: make and start auto triggered instances too, and not those of backfills only.
        """
        from retrofill.services.backfills.expecting import Expecting
        from retrofill.services.running.following import Following, Parts
        from retrofill.services.running.loop import Loop
        from retrofill.services.running.scheduler import Scheduler
        from retrofill.store.sqlite.locks import WakeSocket

        store, clock, found = self.store, self.clock, self._scheduling()
        scheduler = Scheduler(
            store, executor, clock, self.specs, self.graphs, starts, auto, found.stops_for_auto
        )
        scheduler.clock_tolerance_ms = found.clock_tolerance_ms
        schedule, backfills, daily = (self.schedule() if auto else None), self.backfills(), self.daily()
        parts = Parts(scheduler, backfills, schedule, daily, self.specs, self._local.set_limits)
        following = Following(store, parts, self._scheduling_anew)
        wake = WakeSocket(self.store.open().directory)
        expecting = Expecting(store, self.graphs, clock)
        return Loop(
            scheduler, backfills, schedule, executor, wake, clock, self.courier, daily, following, expecting
        )

    def _scheduling(self) -> InForce:
        from retrofill.settings.in_force import scheduling

        return scheduling(self.settings, self.in_force.timezone)

    def _scheduling_anew(self) -> InForce:
        """By the version that is deployed now; if its settings do not hold, the old ones stay."""
        kept: dict[str, object] = {
            name: self.__dict__.pop(name) for name in ("settings", "deployed") if name in self.__dict__
        }
        try:
            return self._scheduling()
        except RetrofillError:
            self.__dict__ |= kept
            raise

    def retention(self, is_dry: bool = False) -> Retention:
        """What goes by age and size, as of now (RET-1, RET-2)."""
        from retrofill.executors.local.folder import RunsFolder
        from retrofill.services.upkeep.retention import Retention, Rules

        settings = self.settings
        rules = Rules(settings.retention_days, settings.log_days, settings.auto_log_cap)
        folder = RunsFolder(self.runs_directory)
        return Retention(self.store, folder, self.graphs, self.clock, rules, is_dry, self._code_folders)

    def daily(self) -> Daily:
        """The job that a scheduler does once a day."""
        from retrofill.services.upkeep.daily import Daily

        found = self._scheduling()
        return Daily(self.store, self.retention, self.clock, found.retention_minute, found.timezone)

    # Alerts

    def notifier(self) -> Notifier:
        from retrofill.alerts.notifier import AppriseNotifier

        return AppriseNotifier(self.settings.alerts, self.secret, self.settings.allow_internal)

    @cached_property
    def courier(self) -> Courier:
        from retrofill.services.alerts.delivery import Courier

        return Courier(self._open_delivery, self.clock, self._wake)

    @contextmanager
    def _open_delivery(self) -> Iterator[Delivery]:
        """On a store of its own, for another thread, and by the settings of now."""
        from retrofill.services.alerts.delivery import Delivery

        project = Project(self.directory, self.environ, self.command)
        try:
            yield Delivery(
                project.store, project.notifier(), project.clock, project.in_force.project, self.command
            )
        finally:
            project.close()

    def _say(self, text: str | Text) -> None:
        print(Text.of(text).with_commands(self.command), file=sys.stderr, flush=True)

    def _wake(self) -> None:
        from retrofill.store.sqlite import locks

        locks.wake(self.home)

    def close(self) -> None:
        store = self.__dict__.get("store")
        if store is not None:
            store.close()


def open_project(
    directory: str | None,
    environ: Mapping[str, str] | None = None,
    command: Callable[[Step], str] = str,
) -> Project:
    """The project of a folder, of RETROFILL_PROJECT, of the current folder or the nearest one above it.

    Args:
        command: a step in the words of messages to people.
    """
    values = os.environ if environ is None else environ
    if values.get("RETROFILL_URL"):
        raise NoServerSupportError("RETROFILL_URL names a server, and this version cannot talk to one")
    named = directory or values.get("RETROFILL_PROJECT")
    if named:
        return Project(Path(named), values, command)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "retrofill.yaml").exists():
            return Project(folder, values, command)
    return Project(here, values, command)
