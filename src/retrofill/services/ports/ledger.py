"""The ledger: what a tick, a command and a page read and write, in transactions.

What is asked of it stands in a module for each noun. What is asked a thousand times in a tick are its own methods
(`tx.start`, `reader.instances`); what has a trade of its own is a part (`tx.outbox`, `reader.generations`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from retrofill.services.ports.backfills import BackfillReader, BackfillWriter
from retrofill.services.ports.catalogs import CatalogReader, CatalogWriter
from retrofill.services.ports.instances import InstanceReader, InstanceWriter
from retrofill.services.ports.operations import OperationReader, OperationWriter

if TYPE_CHECKING:
    from retrofill.services.ports.clocks import ClockKeeper, ClockReader
    from retrofill.services.ports.errands import ErrandReader, Errands
    from retrofill.services.ports.generations import FrozenTasks, Generations
    from retrofill.services.ports.health import HealthReader
    from retrofill.services.ports.host_tables import HostReader, HostTables
    from retrofill.services.ports.interventions import InterventionReader, Interventions
    from retrofill.services.ports.outbox import Outbox, OutboxReader
    from retrofill.services.ports.people import PeopleReader, PeopleTables
    from retrofill.services.ports.records import Upcoming
    from retrofill.services.ports.request_keys import RequestKeyReader, RequestKeys
    from retrofill.services.ports.retention import RetentionReader, RetentionTables
    from retrofill.services.ports.revisions import Revisions
    from retrofill.services.ports.run_times import TimesLedger, TimesReader
    from retrofill.services.ports.saved_forms import SavedFormReader, SavedForms
    from retrofill.services.ports.signing_in import SignInReader, SignInTables
    from retrofill.services.ports.starts import FailedStarts, FailedStartsReader
    from retrofill.services.ports.versions import Versions, VersionsReader


class Reader(CatalogReader, BackfillReader, InstanceReader, OperationReader, Protocol):
    """One consistent view of the ledger."""

    @property
    def people(self) -> PeopleReader: ...

    @property
    def signing_in(self) -> SignInReader: ...

    @property
    def errands(self) -> ErrandReader: ...

    @property
    def request_keys(self) -> RequestKeyReader: ...

    @property
    def saved_forms(self) -> SavedFormReader: ...

    @property
    def interventions(self) -> InterventionReader: ...

    @property
    def outbox(self) -> OutboxReader: ...

    @property
    def times(self) -> TimesReader: ...

    @property
    def clock(self) -> ClockReader: ...

    @property
    def revisions(self) -> Revisions: ...

    @property
    def failed_starts(self) -> FailedStartsReader: ...

    @property
    def hosting(self) -> HostReader: ...

    @property
    def versions(self) -> VersionsReader: ...

    @property
    def generations(self) -> Generations: ...

    @property
    def frozen_tasks(self) -> FrozenTasks: ...

    @property
    def retention(self) -> RetentionReader: ...

    @property
    def health(self) -> HealthReader: ...

    def word(self) -> str:
        """The random word that names this store: tokens of runs begin with it (RUN-8)."""
        ...

    def others_commits(self) -> int:
        """A number that differs once anybody else has committed what who schedules must know; one's own leave it as it is."""
        ...


class Ledger(Reader, CatalogWriter, BackfillWriter, InstanceWriter, OperationWriter, Protocol):
    """A write transaction: compare-and-set moves, counters, records; reads see its own writes."""

    def is_term(self, holder: str, number: int) -> bool:
        """Whether the term to schedule that was issued as this number is still this holder's."""
        ...

    def upcoming(self) -> Callable[[], Upcoming]:
        """What waits as the ledger is now. Called after the end of the transaction it has cost no waiting.

        Raises:
            StoreUnavailableError: then: the answer was lost, as that to the commit may have been.
        """
        ...

    @property
    def people(self) -> PeopleTables: ...

    @property
    def signing_in(self) -> SignInTables: ...

    @property
    def errands(self) -> Errands: ...

    @property
    def request_keys(self) -> RequestKeys: ...

    @property
    def saved_forms(self) -> SavedForms: ...

    @property
    def interventions(self) -> Interventions: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def times(self) -> TimesLedger: ...

    @property
    def clock(self) -> ClockKeeper: ...

    @property
    def failed_starts(self) -> FailedStarts: ...

    @property
    def hosting(self) -> HostTables: ...

    @property
    def versions(self) -> Versions: ...

    @property
    def retention(self) -> RetentionTables: ...
