"""What an operation center works with; `bootstrap` hands it out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.domain.running.startable import Known
    from retrofill.services.backfills.requests import PlanLimits
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Check, Clock, Notifier, Store
    from retrofill.services.ports.health import Premises
    from retrofill.services.ports.identities import PasswordHasher
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.notifying import Poster
    from retrofill.services.ports.watching import Watch
    from retrofill.services.reading.documents import (
        BackupDocument,
        CopiedDocument,
        MigratedDocument,
        RestoredDocument,
    )
    from retrofill.services.reading.log_index import LineIndexes
    from retrofill.services.running.nights import NightMaker
    from retrofill.services.upkeep.retention import Retention


class Published(Protocol):
    """A catalog with the version that it was deployed as; None for a folder that was not.

    The catalog is loaded when it is asked for: many questions do without.
    """

    @property
    def catalog(self) -> Catalog: ...

    @property
    def version_id(self) -> int | None: ...

    @property
    def contents(self) -> Mapping[str, bytes]:
        """Of files that a folder includes."""
        ...


class Copies(Protocol):
    """Takes backups, and puts one in the place of the store."""

    def take(self, file: Path, project: str, with_logs: bool, force: bool) -> BackupDocument:
        """Write a consistent copy of the store, also while others write.

        Args:
            project: what the deployment calls itself.
            force: write over a file that is there.

        Raises:
            WrongStateError: there is such a file.
            UsageError: this store is backed up by its server.
        """
        ...

    def put_back(self, file: Path, user: str, force: bool) -> RestoredDocument:
        """Make the store anew from a backup, with everything held.

        Args:
            user: in whose name it is held.
            force: move aside the store that is there.

        Raises:
            WrongStateError: a scheduler runs, runs go on, or there is a store.
            UsageError: there is no such file, or it is no backup.
        """
        ...

    def migrate(self) -> MigratedDocument:
        """Make the store, or bring its schema to that of this program."""
        ...

    def copy_to(self, url: str) -> CopiedDocument:
        """Copy the store at rest, compared by counts and checksums.

        Args:
            url: of a database of a server, or the word `embedded`.

        Raises:
            WrongStateError: a scheduler or a creation is at work, or there is a store.
        """
        ...


class Parts(Protocol):
    """As of one deployed version, its settings and its limits; nothing is opened or loaded before it is asked for."""

    @property
    def store(self) -> Store: ...

    @property
    def has_store(self) -> bool:
        """Whether there is one by now; it is made by the first who writes."""
        ...

    @property
    def graphs(self) -> GraphCache: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def deployed(self) -> Published | None:
        """What was deployed last; None: there may be no store, and looking shall make none."""
        ...

    @property
    def folder(self) -> Published:
        """What is shown and planned: the folder as it is, or what stands for it.

        Raises:
            ProjectError: the folder has errors.
        """
        ...

    @property
    def owns_folder(self) -> bool:
        """Whether the actor can write the folder, and so decides what is deployed from it (SEC-4)."""
        ...

    def note_deployed(self, catalog: Catalog, version_id: int, is_folder: bool) -> None:
        """From now on this version is what is deployed.

        Args:
            is_folder: whether the folder holds the same.
        """
        ...

    @property
    def directory(self) -> Path:
        """The folder of the project, in which tasks run."""
        ...

    @property
    def working_folders(self) -> Mapping[str, str]:
        """Where tasks run, by workspace, where that is not the workspace's own folder."""
        ...

    @property
    def interpreter(self) -> str:
        """What runs python tasks."""
        ...

    @property
    def in_force(self) -> Catalog:
        """What is deployed; before the first deploy, the folder."""
        ...

    @property
    def watch(self) -> Watch: ...

    @property
    def premises(self) -> Premises: ...

    @property
    def logs(self) -> Logs: ...

    @property
    def line_indexes(self) -> LineIndexes:
        """Where the lines of logs lie, as far as somebody has looked."""
        ...

    @property
    def specs(self) -> RunSpecs:
        """What runs are given; nothing is started by a center, so without an interpreter."""
        ...

    def specs_with_names(self) -> RunSpecs:
        """The same with `${secret:NAME}` in place of every secret (SEC-3)."""
        ...

    def schedule(self) -> NightMaker:
        """What makes nights, by the settings of the deployed version."""
        ...

    def lineages(self, catalog: Catalog) -> Lineages:
        """Lineage of the tasks of a catalog, as the actor may see it."""
        ...

    @property
    def limits(self) -> PlanLimits: ...

    def known_of(self, catalog: Catalog) -> Known:
        """What runs of a catalog's tasks would find here: secrets, drivers, interpreters."""
        ...

    def checks_of(self, catalog: Catalog) -> list[Check]:
        """The extension checks that a catalog's settings and the installed plugins ask for (VER-3)."""
        ...

    @property
    def retention_days(self) -> int:
        """How long backfills and instances are kept after their last change (RET-1)."""
        ...

    def retention(self, is_dry: bool = False) -> Retention:
        """What goes by age and size, as of now, by the settings of the deployed version."""
        ...

    def notifier(self) -> Notifier: ...

    def poster(self) -> Poster: ...

    @property
    def webhooks(self) -> tuple[str, ...]:
        """Names of the webhooks that are told of every backfill that is created now."""
        ...

    @property
    def passwords(self) -> PasswordHasher: ...

    @property
    def server_key(self) -> ServerKey:
        """From which the secrets of access keys come."""
        ...

    @property
    def public_origin(self) -> str:
        """Under which people reach the server."""
        ...

    @property
    def copies(self) -> Copies: ...
