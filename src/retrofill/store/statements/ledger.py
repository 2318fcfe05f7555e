"""What is written to the ledger, inside one transaction; one module per noun."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.store.statements.backfills import BackfillWriter
from retrofill.store.statements.catalogs import CatalogWriter
from retrofill.store.statements.clock import ClockKeeper
from retrofill.store.statements.interventions import Interventions
from retrofill.store.statements.moves import InstanceWriter
from retrofill.store.statements.operations import OperationWriter
from retrofill.store.statements.outbox import Outbox
from retrofill.store.statements.people import PeopleTables
from retrofill.store.statements.reader import Reader
from retrofill.store.statements.run_times import TimesLedger
from retrofill.store.statements.signing_in import SignInTables
from retrofill.store.statements.versions import Versions

if TYPE_CHECKING:
    from retrofill.store.statements.retention import RetentionTables


LEADER = "leader"  # the lease of who schedules


class Ledger(Reader, CatalogWriter, BackfillWriter, InstanceWriter, OperationWriter):
    """A write transaction; reads see its own writes."""

    def is_term(self, holder: str, number: int) -> bool:
        """Whether the term to schedule is still this holder's; another one has another number."""
        found = self._execute(
            "SELECT 1 FROM lease WHERE name = ? AND holder = ? AND number = ?", (LEADER, holder, number)
        )
        return found.fetchone() is not None

    @property
    def people(self) -> PeopleTables:
        return PeopleTables(self._connection)

    @property
    def signing_in(self) -> SignInTables:
        return SignInTables(self._connection)

    @property
    def interventions(self) -> Interventions:
        return Interventions(self._connection)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self._connection)

    @property
    def times(self) -> TimesLedger:
        """Run times by task."""
        return TimesLedger(self._connection)

    @cached_property
    def clock(self) -> ClockKeeper:
        return ClockKeeper(self._connection, self._boot_clock)

    @property
    def versions(self) -> Versions:
        return Versions(self._connection)

    @property
    def retention(self) -> RetentionTables:
        from retrofill.store.statements.retention import RetentionTables

        return RetentionTables(self._connection)
