"""Who does the work of a server: schedulers, what stands still, and what goes on only once somebody schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import InstanceHome, SchedulerState, StandstillRow, Unstarted


class WorkDesk(Desk):
    def scheduler(self) -> SchedulerState:
        """Whether somebody schedules, and what that one starts."""
        return self._server.get("scheduler")

    def standstills(self) -> Sequence[StandstillRow]:
        """Own processes of the server's machine that are alive and do nothing."""
        return self._server.get("scheduler/standstills")

    def unstarted(self, backfills: Sequence[int] = (), instances: Sequence[int] = ()) -> Unstarted:
        """What of these goes on, and is started by nobody."""
        body = {"backfills": [*backfills], "instances": [*instances]}
        return self._server.ask("scheduler/unstarted", body)

    def backfills_of(self, instances: Sequence[int]) -> Sequence[InstanceHome]:
        """Which backfills these instances are of."""
        return self._server.ask("scheduler/backfills-of", {"instances": [*instances]}) if instances else []

    def still_running(self, instances: Sequence[int]) -> Sequence[int]:
        """Those of these instances that the ledger holds to be running."""
        return self._server.ask("scheduler/still-running", {"instances": [*instances]}) if instances else []
