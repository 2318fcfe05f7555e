"""What is read from the ledger: plain SQL with bound values, one method per question, one module per noun."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.store.statements import identity
from retrofill.store.statements.backfills import BackfillReader
from retrofill.store.statements.catalogs import CatalogReader
from retrofill.store.statements.clock import BootClock, ClockReader, boot_clock
from retrofill.store.statements.errands import ErrandReader
from retrofill.store.statements.generations import FrozenTasks, Generations
from retrofill.store.statements.health import Health
from retrofill.store.statements.hosting import HostReader
from retrofill.store.statements.instances import InstanceReader
from retrofill.store.statements.interventions import InterventionReader
from retrofill.store.statements.operations import OperationReader
from retrofill.store.statements.outbox import OutboxReader
from retrofill.store.statements.people import PeopleReader
from retrofill.store.statements.request_keys import RequestKeyReader
from retrofill.store.statements.revisions import Revisions
from retrofill.store.statements.run_times import TimesReader
from retrofill.store.statements.saved_forms import SavedFormReader
from retrofill.store.statements.signing_in import SignInReader
from retrofill.store.statements.starts import FailedStarts
from retrofill.store.statements.versions import VersionsReader

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.retention import RetentionReader


class Reader(CatalogReader, BackfillReader, InstanceReader, OperationReader):
    """One consistent view of the ledger.

    Args:
        others: how much other threads have committed through the same connection.
    """

    def __init__(self, connection: Connection, boot_clock: BootClock = boot_clock, others: int = 0) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._boot_clock = boot_clock
        self._others = others

    @property
    def connection(self) -> Connection:
        """For what is at home in `store` and reads whole tables."""
        return self._connection

    @property
    def people(self) -> PeopleReader:
        return PeopleReader(self._connection)

    @property
    def signing_in(self) -> SignInReader:
        return SignInReader(self._connection)

    @property
    def errands(self) -> ErrandReader:
        return ErrandReader(self._connection)

    @property
    def request_keys(self) -> RequestKeyReader:
        return RequestKeyReader(self._connection)

    @property
    def saved_forms(self) -> SavedFormReader:
        return SavedFormReader(self._connection)

    @property
    def interventions(self) -> InterventionReader:
        return InterventionReader(self._connection)

    @property
    def outbox(self) -> OutboxReader:
        return OutboxReader(self._connection)

    @property
    def times(self) -> TimesReader:
        """Run times by task."""
        return TimesReader(self._connection)

    @cached_property
    def clock(self) -> ClockReader:
        return ClockReader(self._connection, self._boot_clock)

    @property
    def hosting(self) -> HostReader:
        return HostReader(self._connection)

    @property
    def versions(self) -> VersionsReader:
        return VersionsReader(self._connection)

    @property
    def revisions(self) -> Revisions:
        return Revisions(self._connection)

    @property
    def failed_starts(self) -> FailedStarts:
        """What could not be started."""
        return FailedStarts(self._connection)

    @cached_property
    def generations(self) -> Generations:
        return Generations(self._connection)

    @cached_property
    def frozen_tasks(self) -> FrozenTasks:
        return FrozenTasks(self._connection)

    @property
    def health(self) -> Health:
        return Health(self._connection)

    @property
    def retention(self) -> RetentionReader:
        from retrofill.store.statements.retention import RetentionReader

        return RetentionReader(self._connection)

    def word(self) -> str:
        """The random word that names this store."""
        row = self._execute(identity.WORD).fetchone()
        return str(row[0]) if row else ""

    def others_commits(self) -> int:
        """A number that differs once another connection has committed, or another thread through this one."""
        return self._connection.others_commits() + self._others
