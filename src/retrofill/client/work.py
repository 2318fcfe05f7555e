"""Who does the work of a server: schedulers, what stands still, and what goes on only once somebody schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import InstanceHome, SchedulerState, StandstillRow, Unstarted


class WorkDesk(Desk):
    def scheduler(self) -> SchedulerState:
        """Whether somebody schedules, and what that one starts."""
        return self._server.get("scheduler")

    def standstills(self) -> Sequence[StandstillRow]:
        """Own processes of the server's machine that are alive and do nothing."""
        return self._server.get("scheduler/standstills")["items"]

    def unstarted(self, backfills: Sequence[int] = (), instances: Sequence[int] = ()) -> Unstarted:
        """What of these goes on, and is started by nobody."""
        body = {"backfills": [*backfills], "instances": [*instances]}
        return self._server.ask("scheduler/unstarted", body)

    def backfills_of(self, instances: Sequence[int]) -> Sequence[InstanceHome]:
        """Which backfills these instances are of."""
        return self._ask("backfills-of", instances)

    def still_running(self, instances: Sequence[int]) -> Sequence[int]:
        """Those of these instances that the ledger holds to be running."""
        return self._ask("still-running", instances)

    def _ask(self, what: str, instances: Sequence[int]) -> Any:
        if not instances:
            return []
        return self._server.ask(f"scheduler/{what}", {"instances": [*instances]})["items"]
