"""What one process has of a deployment, and what its threads share: store, graphs, clock, secrets, adapters.

Settings are those of the version that is deployed when they are asked for; who answers one question asks
once. Nothing here belongs to a person: that is `centers`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.bootstrap.folder import Deployed, Folder, find_folder
from retrofill.domain.errors import shown
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR
from retrofill.domain.texts import Step, Text
from retrofill.executors.clock import SystemClock
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.plans import PlanCache

if TYPE_CHECKING:
    from retrofill.bootstrap.logs import LogRooms
    from retrofill.bootstrap.stores import StoreUrl
    from retrofill.bootstrap.tallies import TallyFile
    from retrofill.domain.addresses import InternalAddressError
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.domain.running.startable import Known, Lack
    from retrofill.executors.local.folder import RunsFolder
    from retrofill.executors.routing import Surroundings
    from retrofill.identity.oidc import OidcProvider
    from retrofill.identity.passwords import Argon2Passwords
    from retrofill.secrets.keeper import SecretKeeper
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.people.reception import Reception
    from retrofill.services.people.referral import Referral
    from retrofill.services.ports import Check, Leadership, Notifier
    from retrofill.services.ports.identities import IdentityProvider
    from retrofill.services.ports.notifying import Poster
    from retrofill.services.reading.feed import Changes, Feed
    from retrofill.services.reading.log_index import LineIndexes
    from retrofill.services.upkeep.retention import Retention
    from retrofill.settings.in_force import Settings
    from retrofill.store.postgres.database import Database as ServerDatabase
    from retrofill.store.postgres.hosts import SharedHosts
    from retrofill.store.sqlite.database import Database

    AnyStore = Database | ServerDatabase


class Deployment:
    """One a process, for all of its threads.

    Args:
        environ: where settings and secrets come from beside the project.
        command: a step in the words of messages to people.
    """

    def __init__(
        self, folder: Folder, environ: Mapping[str, str], command: Callable[[Step], str] = str
    ) -> None:
        self.folder = folder
        self.environ = environ
        self.command = command
        self.clock = SystemClock()
        self.plans = PlanCache()
        self._lock = RLock()
        self._store: AnyStore | None = None
        self._deployed: Deployed | None = None
        self._provider: OidcProvider | None = None

    @cached_property
    def line_indexes(self) -> LineIndexes:
        """Where the lines of logs lie, for all who look."""
        from retrofill.services.reading.log_index import LineIndexes

        return LineIndexes()

    @cached_property
    def logs(self) -> LogRooms:
        """The logs of all of its machines, for all who read them, and where those of this one go besides."""
        from retrofill.bootstrap.logs import LogRooms, Surroundings

        around = Surroundings(
            self.folder,
            self.environ,
            lambda: self.host,
            lambda: self.store,
            self.settings,
            lambda: self.server_key,
        )
        return LogRooms(around)

    # The store

    @property
    def has_store(self) -> bool:
        """Whether there is one; looking shall make none."""
        if self.store_url is not None:
            return self.store.is_there()
        from retrofill.store.sqlite.presence import is_there

        return is_there(self.folder.home / "retrofill.db")

    @cached_property
    def store_url(self) -> StoreUrl | None:
        """The server that the store lies on; None for the embedded one."""
        from retrofill.bootstrap.stores import find_url

        return find_url(self.folder.directory, self.environ)

    @cached_property
    def host(self) -> str | None:
        """What this machine is called among those that share the store; None where it has the store alone."""
        if self.store_url is None:
            return None
        from retrofill.executors.local.hosts import host_of

        return host_of(self.folder.runs)

    @property
    def store(self) -> AnyStore:
        with self._lock:
            if self._store is None:
                self._store = self._open_store()
            return self._store

    def _open_store(self) -> AnyStore:
        if self.store_url is not None:
            from retrofill.bootstrap.stores import open_server

            return open_server(self.store_url, self.folder.home, self.secret)
        from retrofill.store.sqlite.database import Database

        store = Database(self.folder.home)
        # Where its scheduler lives it is no copy, however its file system is seen from here.
        if self.has_store and store.is_copy() and self.leadership().leader() is None:
            from retrofill.services.running.restoring import hold_copy

            specs = self.specs(sys.executable)
            user = self.environ.get("RETROFILL_USER", SYSTEM_ADMINISTRATOR)
            hold_copy(store, self.clock, specs, user, self.say)
        return store

    def say(self, text: str | Text) -> None:
        """To people, beside what a command prints."""
        print(Text.of(text).with_commands(self.command), file=sys.stderr, flush=True)

    def leadership(self) -> Leadership:
        """One part in deciding who schedules: for a process that may want to, or that asks who does."""
        if self.store_url is not None:
            return self._server.leadership()
        from retrofill.store.sqlite.leading import FlockLeadership

        return FlockLeadership(self.folder.home)

    def refuse_second_scheduler(self) -> None:
        """Before one is started; opens no store.

        Raises:
            SchedulerRunsError: this machine has the store alone, and a scheduler runs.
        """
        from retrofill.services.ports.leadership import SchedulerRunsError

        if self.store_url is None and (leader := self.leadership().leader()) is not None:
            group = self.folder.group_of(leader.pid)
            if group is not None:
                pid, url = group
                raise SchedulerRunsError(
                    f"a server and its scheduler run already, as process {pid}, at {url}"
                )
            raise SchedulerRunsError(f"a scheduler runs already, {leader.as_process}".rstrip(", "))

    def hosts(self, lost_minutes: int = 0) -> SharedHosts | None:
        """The machines that share the store; None where this one has it alone.

        Args:
            lost_minutes: for who beats: after how long without a beat its runs are lost.
        """
        return None if self.host is None else self._server.hosts(self.host, 60 * lost_minutes)

    @property
    def _server(self) -> ServerDatabase:
        from retrofill.store.postgres.database import Database

        store = self.store
        assert isinstance(store, Database)
        return store

    @cached_property
    def _feed(self) -> Feed:
        from retrofill.services.reading.feed import Feed

        return Feed(self.store)

    def look(self, since: int) -> Changes | None:
        """What has changed in the store since a revision's number, for the one thread that tells all others.

        None while there is no store.
        """
        return self._feed.look(since) if self.has_store else None

    def staying_open(self) -> AbstractContextManager[None]:
        """For a process that has the store open for long: nobody restores another one in its place meanwhile.

        Raises:
            StoreBusyError: then: somebody does so just now.
        """
        if self.store_url is not None:
            return nullcontext()
        from retrofill.store.sqlite.staying import staying_open

        return staying_open(self.folder.home)

    def graphs(self) -> GraphCache:
        """Graphs of instances for one call, request or thread."""
        return GraphCache(self.plans)

    def close(self) -> None:
        with self._lock:
            if self._store is not None:
                self._store.close()

    # What is deployed

    def deployed(self) -> Deployed | None:
        """The version that is deployed now; None before the first deploy."""
        if not self.has_store:
            return None
        with self.store.read() as reader:
            version_id = reader.current_version_id()
        if version_id is None:
            return None
        found = self._deployed
        if found is None or found.version_id != version_id:
            found = self._deployed = Deployed(lambda: self._catalog(version_id), version_id)
        return found

    def _catalog(self, version_id: int) -> Catalog:
        with self.store.read() as reader:
            return self.plans.catalog(reader, version_id)

    def published(self) -> Deployed:
        """What is deployed now; before the first deploy, the folder."""
        return self.deployed() or self.folder.load(None)

    def in_force(self) -> Catalog:
        """The catalog of what is deployed now; before the first deploy, the folder's."""
        return self.published().catalog

    def settings(self) -> Settings:
        """Those of the version that is deployed now.

        Raises:
            SettingError: they do not hold in this environment.
        """
        return self.settings_of(self.in_force())

    def settings_of(self, catalog: Catalog) -> Settings:
        """Those of a version, or of a folder that is not deployed.

        Raises:
            SettingError: they do not hold in this environment.
        """
        from retrofill.settings import in_force

        return in_force.load(catalog.settings, self.environ)

    def secret(self, name: str) -> str | None:
        """The value of a secret; None: nobody knows one of this name (SEC-3).

        Raises:
            SecretUnavailableError: a source of secrets could not be asked.
        """
        return self.secrets.find(name)

    @cached_property
    def secrets(self) -> SecretKeeper:
        """What this process knows of secrets, by the setting `secrets` as it is now."""
        from retrofill.bootstrap.secrets import open_secrets

        return open_secrets(self.folder.directory, self.environ)

    def lacking_secrets(self) -> dict[str, str] | None:
        """What tasks and connections name and is not to be had here: the end of a sentence by name.

        None: only the environment is asked, which may be another one for the scheduler.
        """
        from retrofill.domain.planning.overrides import secrets_of

        if self.secrets.is_plain:
            return None
        why = {name: self._lacks_secret(name) for name in sorted(set(secrets_of(self.in_force())))}
        return {name: f"{lack.why}: {lack.hint}" for name, lack in why.items() if lack is not None}

    def _lacks_secret(self, name: str) -> Lack | None:
        from retrofill.domain.running.startable import Lack
        from retrofill.services.ports.secrets import SecretUnavailableError

        try:
            known = self.secret(name) is not None
            return None if known else Lack("is not set here", self.secrets.remedy(name))
        except SecretUnavailableError as error:
            return Lack(f"is not to be had here ({error.message})", str(error.hint))

    # Who comes from elsewhere

    @cached_property
    def reception(self) -> Reception:
        """Recognises who comes to a server."""
        from retrofill.services.people.reception import Reception

        return Reception(self.store, self.clock, self.in_force, self.passwords, lambda: self.server_key)

    @cached_property
    def passwords(self) -> Argon2Passwords:
        """One for all threads: only a few hash at once."""
        from retrofill.identity.passwords import Argon2Passwords

        return Argon2Passwords()

    @cached_property
    def server_key(self) -> ServerKey:
        """From which the secrets of access keys come; servers that share a store share it, too.

        Raises:
            ServerKeyError: what should be one is none, or others can read it.
        """
        from retrofill.identity.server_keys import server_key_of

        return server_key_of(self.folder.home / "server.key", self.environ)

    @cached_property
    def referral(self) -> Referral:
        """Sends people to a provider of identities, and receives them."""
        from retrofill.services.people.referral import Referral

        return Referral(self.reception, self.clock, lambda: self.server_key, self.identity_provider)

    def identity_provider(self) -> IdentityProvider | None:
        """Who knows people besides us, by the setting of now; None where nobody is named."""
        from retrofill.identity.oidc import OidcProvider

        settings = self.settings()
        if settings.oidc is None:
            return None
        known = self._provider
        if known is None or known.setting != settings.oidc:
            known = self._provider = OidcProvider(settings.oidc, self.secret)
        return known

    # Adapters for services

    def specs(
        self,
        interpreter: str = "",
        working_folders: Mapping[str, str] = MappingProxyType({}),
        *,
        starts: bool = False,
    ) -> RunSpecs:
        """What runs of this deployment are given.

        Args:
            interpreter: runs python tasks; who starts nothing needs none.
            working_folders: where they run, by workspace; nor these.
            starts: for who starts runs within a transaction, where nothing may wait for a secret.
        """
        from retrofill.services.instances.run_specs import RunSpecs

        find = self.secrets.find_soon if starts else self.secret
        return RunSpecs(self.folder.directory, find, interpreter, working_folders)

    def surroundings(self, project: str, settings: Settings) -> Surroundings:
        """What makes offers known, or hears of them, by these settings."""
        from retrofill.executors.routing import Surroundings

        with self.store.read() as reader:
            name = f"{project}.{reader.word()}"
        return Surroundings(name, settings.values(), self.secret)

    def known_of(self, catalog: Catalog) -> Known:
        """What runs of a catalog's tasks would find here: secrets, drivers, interpreters."""
        from retrofill.domain.running.startable import Known
        from retrofill.executors.drivers import missing_driver
        from retrofill.executors.local.orders import base_environment

        path = base_environment(self.environ)["PATH"]
        return Known(
            lacks_secret=self._lacks_secret,
            has_program=lambda program: shutil.which(program, path=path) is not None,
            missing_driver=missing_driver,
            python=self.settings_of(catalog).python or sys.executable,
        )

    def checks_of(self, catalog: Catalog) -> list[Check]:
        """The extension checks that a catalog's settings and the installed plugins ask for (VER-3).

        Raises:
            SettingError: two checks have the same name.
        """
        from retrofill.checks.discovery import installed
        from retrofill.settings.in_force import SettingError

        settings = self.settings_of(catalog)
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

    def lineages(self, catalog: Catalog, sees: Callable[[str], bool]) -> Lineages:
        """Lineage of the tasks of a catalog, as who sees only some workspaces may see it."""
        from retrofill.lineage import SqlLineage
        from retrofill.services.catalogs.lineage import Lineages

        return Lineages(catalog, SqlLineage(catalog.connections), sees)

    def notifier(self, settings: Settings) -> Notifier:
        from retrofill.alerts.notifier import AppriseNotifier

        return AppriseNotifier(settings.alerts, self.secret, settings.allow_internal)

    def poster(self, settings: Settings) -> Poster:
        """Posts to webhooks."""
        from retrofill.checks.telling import WebhookPoster
        from retrofill.settings.outer_forms import Receiver

        own = Receiver("", settings.notify_secret)
        return WebhookPoster(settings.webhooks, own, self.secret, settings.allow_internal, self.clock)

    def internal_webhooks(self, catalog: Catalog) -> dict[str, InternalAddressError]:
        """Webhooks and checks of a catalog that lead to an internal address which is not allowed, by setting."""
        from retrofill.domain.addresses import internal_host

        settings = self.settings_of(catalog)
        urls = {f"checks.{name}": one.url for name, one in settings.checks.items()}
        urls |= {f"webhooks.{name}": one.url for name, one in settings.webhooks.items()}
        found = {name: internal_host(url, settings.allow_internal) for name, url in urls.items()}
        return {name: error for name, error in found.items() if error is not None}

    def runs_folder(self) -> RunsFolder:
        """Logs and journals of this machine, and what else lies among them."""
        from retrofill.executors.local.folder import RunsFolder

        return RunsFolder(self.folder.runs)

    @property
    def tallies(self) -> TallyFile:
        """What schedulers of this machine have done."""
        from retrofill.bootstrap.tallies import TallyFile

        return TallyFile(self.folder.home)

    def retention(self, settings: Settings, is_dry: bool = False) -> Retention:
        """What goes by age and size, as of now (RET-1, RET-2)."""
        from retrofill.executors.code import CodeFolders
        from retrofill.services.upkeep.custody import Rules
        from retrofill.services.upkeep.retention import Retention

        rules = Rules(settings.retention_days, settings.log_days, settings.auto_log_cap)
        folder, code = self.runs_folder(), CodeFolders(self.folder.code)
        shelves = self.logs.shelves()
        return Retention(self.store, folder, self.graphs(), self.clock, rules, is_dry, code, shelves)


def open_deployment(
    directory: str | None, environ: Mapping[str, str], command: Callable[[Step], str] = str
) -> Deployment:
    """That of a folder, of RETROFILL_PROJECT, the current folder or the nearest one above it.

    Args:
        command: a step in the words of messages to people.

    Raises:
        NoProjectError: there is none.
    """
    return Deployment(find_folder(directory, environ), environ, command)
