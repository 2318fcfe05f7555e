"""What a tick knows of the rest of the ledger, and how it carries changes to what depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.holds import HeldBackfills, holds_of
from retrofill.services.instances.propagation import Propagation
from retrofill.services.ports.records import OpenBackfill

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger


@dataclass(slots=True)
class LedgerSnapshot:
    """What a tick knows of the rest of the ledger, as of what others had committed."""

    others_commits: int
    backfills: dict[int, OpenBackfill]
    catalog: Catalog | None
    stopping: list[int]
    has_auto: bool = False
    schedule_is_held: bool = False
    _holds: HeldBackfills | None = None

    def starts_auto(self, is_asked: bool) -> bool:
        """Whether auto triggered instances may start."""
        return is_asked and self.has_auto and not self.schedule_is_held

    def pause(self, backfill_id: int) -> None:
        """A backfill has paused by itself."""
        record = self.backfills.get(backfill_id)
        if record is not None:
            self.backfills[backfill_id] = record._replace(paused=1)
            self._holds = None

    def holds(self, now_ms: int) -> HeldBackfills:
        """As of now; only a window changes them by time alone."""
        if self._holds is None or self._holds.has_windows:
            self._holds = holds_of(self.backfills.values(), instant_of(now_ms))
        return self._holds


class Propagations:
    """One Propagation per backfill that a tick touches, and one for the schedule (None)."""

    def __init__(
        self, tx: Ledger, graphs: GraphCache, now_ms: int, holds: HeldBackfills, schedule_is_held: bool
    ) -> None:
        self._tx = tx
        self._graphs = graphs
        self._now_ms = now_ms
        self._held: frozenset[int | None] = frozenset(holds.may_not_pass)
        if schedule_is_held:
            self._held |= {None}
        self._propagations: dict[int | None, Propagation] = {}

    def of(self, backfill_id: int | None) -> Propagation:
        propagation = self._propagations.get(backfill_id)
        if propagation is None:
            context = self._graphs.by_id(self._tx, backfill_id)
            propagation = Propagation(self._tx, context, self._now_ms, backfill_id in self._held)
            self._propagations[backfill_id] = propagation
        return propagation

    def propagate(self, is_last: bool = True) -> None:
        for propagation in self._propagations.values():
            propagation.propagate(is_last)

    @property
    def are_cut(self) -> bool:
        """Whether passes were left for the next tick."""
        return any(propagation.is_cut for propagation in self._propagations.values())

    def take_failures(self) -> dict[int, int]:
        """How many instances have failed for good since the last call, by backfill."""
        found = {}
        for backfill_id, propagation in self._propagations.items():
            if backfill_id is not None and propagation.failures:
                found[backfill_id], propagation.failures = propagation.failures, 0
        return found

    def backfill_ids(self) -> set[int]:
        return {backfill_id for backfill_id in self._propagations if backfill_id is not None}
