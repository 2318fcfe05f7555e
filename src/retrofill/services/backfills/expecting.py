"""Keeps the expected ends of running backfills up to date, beside the scheduler (BF-2).

At most every two seconds, and for at most a fiftieth of the time, however large they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.running.expected import Expected
from retrofill.services.backfills.estimates import estimate_left
from retrofill.services.backfills.expected import basis, expected

if TYPE_CHECKING:
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Clock, Reader, Store
    from retrofill.services.ports.records import OpenBackfill

_EVERY_MS = 2_000
_SHARE = 50
_AT_ONCE = 20  # backfills that are estimated in one go


class Expecting:
    """Estimates of one store's active backfills.

    Args:
        graphs: the scheduler's own, whose plans are at hand.
    """

    def __init__(self, store: Store, graphs: GraphCache, clock: Clock) -> None:
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self._next_ms = 0
        self._is_behind = True

    def look(self, has_moved: bool) -> int | None:
        """Estimate what has moved, if it is time; when to look again, None when something has moved.

        Args:
            has_moved: whether anything may have changed since the last look.
        """
        self._is_behind = self._is_behind or has_moved
        if not self._is_behind:
            return None
        began_ms = self._clock.now_ms()
        if began_ms < self._next_ms:
            return self._next_ms
        self._is_behind = self._write(began_ms)
        ended_ms = self._clock.now_ms()
        self._next_ms = ended_ms + max(_EVERY_MS, _SHARE * (ended_ms - began_ms))
        return self._next_ms if self._is_behind else None

    def _write(self, now_ms: int) -> bool:
        """Whether more is left than is done in one go."""
        with self._store.read() as reader:
            moved = [record for record in reader.open_backfills() if self._has_moved(reader, record)]
            found = {record.id: self._estimate(reader, record, now_ms) for record in moved[:_AT_ONCE]}
        if found:
            with self._store.transaction() as tx:
                for backfill_id, estimate in found.items():
                    tx.times.set_expected(backfill_id, estimate.to_json())
        return len(moved) > len(found)

    def _has_moved(self, reader: Reader, record: OpenBackfill) -> bool:
        if record.phase != "active" or record.paused or record.stopped:
            return False
        found = expected(reader, record.id)
        return found is None or (found.policy, found.moved) != basis(reader, record)

    def _estimate(self, reader: Reader, record: OpenBackfill, now_ms: int) -> Expected:
        whole = reader.find_backfill(record.id)
        self._graphs.follow([record])
        left = None if whole is None else estimate_left(reader, self._graphs, whole, now_ms)
        return Expected(None if left is None else left.end_ms, now_ms, *basis(reader, record))
