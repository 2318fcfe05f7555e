"""One call of the command line, one request: who acts, and as of which version everything is answered.

A call is what an operation center works with (`Parts`); it is of one thread, and short. Whoever goes on for longer
makes another one (`anew`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

from retrofill.bootstrap.deployment import Deployment, open_deployment
from retrofill.bootstrap.engine import Engine
from retrofill.bootstrap.folder import Deployed
from retrofill.domain.errors import NotPermittedError, WrongStateError, shown
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR, Actor, actor_of, system_administrator
from retrofill.domain.texts import Step, Text
from retrofill.services.people.access import Access

if TYPE_CHECKING:
    from retrofill.bootstrap.bringing import BroughtFile
    from retrofill.bootstrap.copies import LocalCopies
    from retrofill.bootstrap.deployment import AnyStore
    from retrofill.bootstrap.premises import LocalPremises
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.catalog.elsewhere import Misfit
    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.domain.running.startable import Known
    from retrofill.executors.local.watch import LocalWatch
    from retrofill.identity.passwords import Argon2Passwords
    from retrofill.project.problems import ProjectError
    from retrofill.services.backfills.requests import PlanLimits
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.ports import Check, Leadership, Ledger, Notifier, Reader
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.notifying import Poster
    from retrofill.services.reading.log_index import LineIndexes
    from retrofill.services.running.nights import NightMaker
    from retrofill.services.upkeep.retention import Retention
    from retrofill.settings.in_force import Settings

LOCAL_ORIGIN = "http://127.0.0.1:8080"  # where a server is asked that nobody has told otherwise


class Call:
    """On a deployment that others share, as of what was deployed when it first asked.

    Args:
        user: the name of who acts; None: RETROFILL_USER says it.
        is_remote: they act from elsewhere: the folder is not theirs, and the deployed version stands for it.
        origin: under which they have reached the server, for links to it where no setting says another.
    """

    def __init__(
        self,
        deployment: Deployment,
        user: str | None = None,
        is_remote: bool = False,
        origin: str = LOCAL_ORIGIN,
    ) -> None:
        self.deployment = deployment
        self._is_remote = is_remote
        self._origin = origin
        self._once: AnyStore | None = None
        self._user = user or deployment.environ.get("RETROFILL_USER", SYSTEM_ADMINISTRATOR)
        self.directory = self.deployment.folder.directory
        self.home = self.deployment.folder.home
        self.runs_directory = self.deployment.folder.runs
        self.environ = deployment.environ
        self.clock = self.deployment.clock
        self.graphs = self.deployment.graphs()

    def anew(self) -> Call:
        """As of now, for who goes on for longer than one question."""
        return Call(self.deployment, self._user, self._is_remote, self._origin)

    @property
    def store(self) -> AnyStore:
        return self.deployment.store if self._once is None else self._once

    def once(self, key: str, asked: str) -> None:
        """Let what is done from now on be done only if its key has done nothing yet (`note_once`).

        Args:
            asked: what tells the request from others.
        """
        from retrofill.bootstrap.once import OnceStore
        from retrofill.services.operation_center.repeated_requests import note_once

        def note(tx: Ledger) -> None:
            note_once(tx, self._user, key, asked, self.clock.now_ms())

        self._once = cast("AnyStore", OnceStore(self.deployment.store, note))

    @property
    def has_store(self) -> bool:
        return self.deployment.has_store

    @cached_property
    def deployed(self) -> Deployed | None:
        """What was deployed last, as of the first question."""
        return self.deployment.deployed()

    @property
    def in_force(self) -> Catalog:
        """What is deployed; before the first deploy, the folder."""
        return (self.deployed or self.folder).catalog

    @cached_property
    def folder(self) -> Deployed:
        """The folder as it is; carries the deployed version's id where nothing differs from it.

        For who acts from elsewhere: the deployed version, as soon as there is one.

        Raises:
            ProjectError: the folder has errors.
        """
        from retrofill.project import ProjectError

        if self._is_remote and self.deployed is not None:
            return self.deployed
        try:
            return self.deployment.folder.load(self.deployed)
        except ProjectError as error:
            raise self.as_seen(error) from None

    def bring(self, files: Iterable[BroughtFile]) -> None:
        """From now on these files stand for the folder; a deploy of them needs the rights that it needs (SEC-4).

        Raises:
            ProjectError: there are errors in them: whoever brings them is told all.
            UsageError: they are no project.
        """
        from retrofill.bootstrap.bringing import read_files

        self.__dict__["folder"] = read_files(files, self.deployed)

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
    def owns_folder(self) -> bool:
        """Whether who acts can write the folder, and so decides what is deployed from it (SEC-4)."""
        return not self._is_remote and self.deployment.folder.is_writable

    def note_deployed(self, catalog: Catalog, version_id: int, is_folder: bool) -> None:
        """From now on this version is what is deployed.

        Args:
            is_folder: whether the folder holds the same.
        """
        if self._is_remote:
            self.deployment.folder.note_brought(version_id)
        if is_folder and self._is_remote:
            from retrofill.bootstrap.bringing import make_folders

            make_folders(self.directory, catalog)
        self.__dict__.pop("settings", None)
        self.__dict__["deployed"] = deployed = Deployed(catalog, version_id)
        if is_folder:
            self.__dict__["folder"] = deployed

    @cached_property
    def settings(self) -> Settings:
        return self.deployment.settings_of(self.in_force)

    @property
    def limits(self) -> PlanLimits:
        from retrofill.settings.in_force import limits

        return limits(self.settings)

    @cached_property
    def actor(self) -> Actor:
        """Who acts, with the roles that the deployed members give (SEC-1, SEC-4).

        Raises:
            NotPermittedError: nobody is called so.
        """
        if self._user == SYSTEM_ADMINISTRATOR:
            return system_administrator(self._user)
        found = _member(self.deployment, self.in_force, self._user)
        if found is None:
            raise NotPermittedError(
                f'nobody is called "{shown(self._user)}" here',
                "Set RETROFILL_USER to a member of a workspace or to a user that was added, or unset it to "
                "act as the system administrator.",
            )
        return found

    @property
    def user(self) -> str:
        """The name of who acts."""
        return self.actor.name

    def access(self, reader: Reader) -> Access:
        """What the actor may see and do, on one view of the ledger."""
        return Access(reader, self.graphs, self.actor)

    @cached_property
    def center(self) -> OperationCenter:
        """Everything that the actor may ask and do."""
        from retrofill.services.operation_center import OperationCenter

        return OperationCenter(self, self.actor)

    def checks_of(self, catalog: Catalog) -> list[Check]:
        return self.deployment.checks_of(catalog)

    def lineages(self, catalog: Catalog) -> Lineages:
        """Lineage of the tasks of a catalog."""
        return self.deployment.lineages(catalog, self.actor.sees)

    def misfits(self, catalog: Catalog) -> list[Misfit]:
        """What of a catalog does not fit where its groups run, as far as the actor may know."""
        from retrofill.domain.catalog.elsewhere import misfits
        from retrofill.executors import routing

        found = misfits(catalog, self.deployment.store_url is not None, routing.names())
        return [one for one in found if not one.task or self.actor.sees(one.task)]

    def schedule(self) -> NightMaker:
        from retrofill.services.running.nights import NightMaker
        from retrofill.settings.in_force import scheduling

        found = scheduling(self.settings, self.in_force.timezone)
        return NightMaker(self.store, self.graphs, self.clock, found.schedule)

    @property
    def retention_days(self) -> int:
        return self.settings.retention_days

    def retention(self, is_dry: bool = False) -> Retention:
        """What goes by age and size, as of now (RET-1, RET-2)."""
        return self.deployment.retention(self.settings, is_dry)

    def notifier(self) -> Notifier:
        return self.deployment.notifier(self.settings)

    def poster(self) -> Poster:
        return self.deployment.poster(self.settings)

    @property
    def webhooks(self) -> tuple[str, ...]:
        """Names of those that are told of every backfill that is created now."""
        return tuple(self.settings.webhooks)

    @property
    def passwords(self) -> Argon2Passwords:
        return self.deployment.passwords

    @property
    def server_key(self) -> ServerKey:
        return self.deployment.server_key

    @property
    def public_origin(self) -> str:
        """Under which people reach the server."""
        return self.settings.public_origin or self._origin

    def known_of(self, catalog: Catalog) -> Known:
        return self.deployment.known_of(catalog)

    # What the center looks at

    @property
    def working_folders(self) -> Mapping[str, str]:
        return self.settings.working_folders

    @property
    def interpreter(self) -> str:
        """What runs python tasks."""
        return self.settings.python or sys.executable

    @cached_property
    def watch(self) -> LocalWatch:
        from retrofill.executors.local.watch import LocalWatch

        on = self.deployment
        return LocalWatch(
            self.runs_directory,
            self.leadership.leader,
            on.host,
            on.hosts,
            lambda: 60_000 * self.settings.host_lost_minutes,
        )

    @property
    def premises(self) -> LocalPremises:
        from retrofill.bootstrap.premises import LocalPremises

        return LocalPremises(self.deployment)

    @property
    def logs(self) -> Logs:
        return self.deployment.logs.everywhere

    @property
    def line_indexes(self) -> LineIndexes:
        return self.deployment.line_indexes

    @cached_property
    def specs(self) -> RunSpecs:
        return self.deployment.specs()

    def specs_with_names(self) -> RunSpecs:
        from retrofill.services.instances.run_specs import RunSpecs

        folders = self.settings.working_folders
        return RunSpecs(self.directory, lambda name: f"${{secret:{name}}}", "", folders)

    @property
    def copies(self) -> LocalCopies:
        from retrofill.bootstrap.copies import LocalCopies

        return LocalCopies(self.deployment)

    # Running

    @cached_property
    def leadership(self) -> Leadership:
        return self.deployment.leadership()

    def has_scheduler(self, auto: bool = False) -> bool:
        """Whether somebody starts backfill instances, or auto triggered ones if `auto`."""
        found = self.leadership.leader()
        return found is not None and found.starts(auto)

    @cached_property
    def engine(self) -> Engine:
        """What this process schedules with, where it leads."""
        return self.make_engine()

    def make_engine(self) -> Engine:
        """One that knows nothing yet of what others have written."""
        return Engine(self.deployment, self.leadership)

    def close(self) -> None:
        self.deployment.close()


def open_call(
    directory: str | None,
    environ: Mapping[str, str] | None = None,
    command: Callable[[Step], str] = str,
) -> Call:
    """A call on the deployment of a folder, of RETROFILL_PROJECT, of the current folder or the nearest one above it.

    Args:
        command: a step in the words of messages to people.
    """
    return Call(open_deployment(directory, os.environ if environ is None else environ, command))


def _member(deployment: Deployment, catalog: Catalog, name: str) -> Actor | None:
    from retrofill.services.people import clerks

    if not deployment.has_store:  # looking shall make none
        return actor_of(name, catalog) if name in clerks.members_of(catalog) else None
    with deployment.store.read() as reader:
        return clerks.find_actor(reader.people, catalog, name)
