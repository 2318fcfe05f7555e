"""What is written to the ledger, inside one transaction; one module per noun."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.services.ports.records import Upcoming
from retrofill.store.statements.backfills import BackfillWriter
from retrofill.store.statements.catalogs import CatalogWriter
from retrofill.store.statements.clock import BootClock, ClockKeeper, boot_clock
from retrofill.store.statements.errands import Errands
from retrofill.store.statements.generations import Generations
from retrofill.store.statements.hosting import HostTables
from retrofill.store.statements.instances import NEXT_START
from retrofill.store.statements.interventions import Interventions
from retrofill.store.statements.moves import InstanceWriter
from retrofill.store.statements.operations import OperationWriter
from retrofill.store.statements.outbox import NEXT_ALERT, Outbox
from retrofill.store.statements.people import PeopleTables
from retrofill.store.statements.reader import Reader
from retrofill.store.statements.request_keys import RequestKeys
from retrofill.store.statements.revisions import Changed
from retrofill.store.statements.run_times import TimesLedger
from retrofill.store.statements.saved_forms import SavedForms
from retrofill.store.statements.signing_in import SignInTables
from retrofill.store.statements.versions import Versions

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.retention import RetentionTables


LEADER = "leader"  # the lease of who schedules
UPCOMING = f"SELECT ({NEXT_START}), ({NEXT_ALERT})"
TERM = f"SELECT holder, number FROM lease WHERE name = '{LEADER}'"


class Ledger(Reader, CatalogWriter, BackfillWriter, InstanceWriter, OperationWriter):
    """A write transaction; reads see its own writes.

    Args:
        others: how much other threads have committed through the same connection.
    """

    def __init__(self, connection: Connection, boot_clock: BootClock = boot_clock, others: int = 0) -> None:
        super().__init__(connection, boot_clock, others)
        self._changed = Changed()

    def write_revision(self, *, prunes: bool) -> bool:
        """At the end of it, by the store: number what it has changed; whether there is anything.

        Args:
            prunes: let go of old ones, too.
        """
        return self.revisions.write(self._changed, prunes)

    @property
    def decides(self) -> bool:
        """Whether it has changed something that who schedules has to know."""
        return self._changed.decides

    def is_term(self, holder: str, number: int) -> bool:
        """Whether the term to schedule is still this holder's; another one has another number."""
        found = self._execute(TERM).fetchone()
        return found is not None and tuple(found) == (holder, number)

    def upcoming(self) -> Callable[[], Upcoming]:
        row = self._connection.later(UPCOMING)
        return lambda: Upcoming(*row())

    @property
    def people(self) -> PeopleTables:
        return PeopleTables(self._connection, self._changed)

    @property
    def signing_in(self) -> SignInTables:
        return SignInTables(self._connection, self._changed)

    @property
    def errands(self) -> Errands:
        return Errands(self._connection)

    @property
    def request_keys(self) -> RequestKeys:
        return RequestKeys(self._connection)

    @property
    def saved_forms(self) -> SavedForms:
        return SavedForms(self._connection)

    @property
    def interventions(self) -> Interventions:
        return Interventions(self._connection, self._changed)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self._connection, self._changed)

    @property
    def times(self) -> TimesLedger:
        """Run times by task."""
        return TimesLedger(self._connection, self._changed)

    @cached_property
    def clock(self) -> ClockKeeper:
        return ClockKeeper(self._connection, self._boot_clock, self._changed)

    @cached_property
    def generations(self) -> Generations:
        return Generations(self._connection, self._changed)

    @property
    def hosting(self) -> HostTables:
        return HostTables(self._connection, self._changed)

    @property
    def versions(self) -> Versions:
        return Versions(self._connection)

    @property
    def retention(self) -> RetentionTables:
        from retrofill.store.statements.retention import RetentionTables

        return RetentionTables(self._connection, self._changed)
