"""Queueing alerts in the transaction of what they tell, so that no crash loses one (POL-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.alerts import Event, Told

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger


def tell(
    tx: Ledger,
    backfill_id: int,
    told: Told,
    event: Event,
    now_ms: int,
    instance_id: int | None = None,
) -> None:
    """Queue what is to be told; a round's event is told once, however often it is noticed.

    Args:
        instance_id: the one that failed first, where one did.
    """
    methods = told.methods(event)
    if not methods:
        return
    sure_ms = tx.clock.check(now_ms).sure_ms  # else it would wait for a time that may never come
    for method in methods:
        tx.outbox.add(backfill_id, event, method, sure_ms, instance_id)
