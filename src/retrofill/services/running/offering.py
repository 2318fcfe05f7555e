"""Starts for other machines: committed as offers, then made known to who may claim them (`ports.hosting`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from retrofill.services.ports.dispatching import Offered
from retrofill.services.ports.hosting import Offer
from retrofill.services.ports.running import RunEnd, RunRef

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.ports import Ledger
    from retrofill.services.ports.dispatching import Dispatcher
    from retrofill.services.ports.hosts import Hosts
    from retrofill.services.ports.records import InstanceRecord, RunRecord

_UNCLAIMED = "stopped before a machine had claimed it"


class Offering:
    """What who schedules knows of other machines.

    Args:
        hosts: whom to call; None where one machine has the store, so that nobody could claim anything.
        dispatcher: the one of an executor's name; None: nobody is told.
    """

    def __init__(
        self, hosts: Hosts | None = None, dispatcher: Callable[[str], Dispatcher] | None = None
    ) -> None:
        self._hosts = hosts
        self._dispatcher = dispatcher
        self._offered: dict[str, list[Offered]] = defaultdict(list)  # by executor, not yet made known
        self._withdrawn: dict[str, list[Offer]] = defaultdict(list)
        self._calls = False

    @property
    def is_possible(self) -> bool:
        return self._hosts is not None

    def offer(
        self, tx: Ledger, starts: Sequence[tuple[InstanceRecord, str]], catalog: Catalog, at_ms: int
    ) -> None:
        """Commit these starts, instances with the tokens of their runs, as offers."""
        by_executor: dict[str, list[Offered]] = defaultdict(list)
        for row, token in starts:
            executor = catalog.resource_groups[row.resource_group].executor
            offer = Offer(row.id, row.run_number, token)
            by_executor[executor].append(Offered(offer, row.resource_group, row.priority, row.due_ms))
        for executor, offers in by_executor.items():
            tx.start([one.offer for one in offers], "", at_ms, executor=executor)
            self._offered[executor] += offers

    def reports(self, tx: Ledger) -> list[RunEnd]:
        """How runs elsewhere have ended, as their hosts have reported since the last time."""
        if self._hosts is None:
            return []
        return [
            RunEnd(
                RunRef(end.instance_id, end.number, end.token, ""),
                end.outcome,
                end.exit_code,
                end.signal,
                None if end.started_ms is None else end.started_ms / 1000,
                end.ended_ms / 1000,
                end.message,
            )
            for end in tx.hosting.take_reports()
        ]

    def withdraw(self, runs: Iterable[RunRecord], now_ms: int) -> list[RunEnd]:
        """The ends of offers that are to be stopped and that nobody has claimed."""
        ends = []
        for run in runs:
            offer = Offer(run.instance_id, run.number, run.token)
            self._withdrawn[run.executor or ""].append(offer)
            ends.append(RunEnd(RunRef(*offer, ""), "stopped", None, None, None, now_ms / 1000, _UNCLAIMED))
        return ends

    def call(self) -> None:
        """Something is to be heard by a host after the commit."""
        self._calls = True

    def make_known(self) -> None:
        """After the commit: tell everybody whom it concerns."""
        if self._dispatcher is not None:
            for executor, offers in self._offered.items():
                self._dispatcher(executor).offer(offers)
            for executor, withdrawn in self._withdrawn.items():
                self._dispatcher(executor).withdraw(withdrawn)
        if self._hosts is not None and (self._offered or self._calls):
            self._hosts.call()
        self.forget()

    def forget(self) -> None:
        """What was decided was not committed, as far as is known: what was, is found in the ledger by who claims."""
        self._offered.clear()
        self._withdrawn.clear()
        self._calls = False
