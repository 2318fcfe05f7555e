"""What an operation center works with; `bootstrap` hands it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.backfills.requests import PlanLimits
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Check, Clock, Store
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.watching import Watch
    from retrofill.services.running.nights import NightMaker


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


class Parts(Protocol):
    """As of one deployed version, its settings and its limits; nothing is opened or loaded before it is asked for."""

    @property
    def store(self) -> Store: ...

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
    def in_force(self) -> Catalog:
        """What is deployed; before the first deploy, the folder."""
        ...

    @property
    def watch(self) -> Watch: ...

    @property
    def logs(self) -> Logs: ...

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

    def checks_of(self, catalog: Catalog) -> list[Check]:
        """The extension checks that a catalog's settings and the installed plugins ask for (VER-3)."""
        ...
