"""Queueing alerts in the transaction of what they tell, so that no crash loses one (POL-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.alerts import Event, methods, tells

if TYPE_CHECKING:
    from retrofill.domain.planning.policy import Alert
    from retrofill.services.ports import Ledger


def tell(
    tx: Ledger,
    backfill_id: int,
    alert: Alert | None,
    event: Event,
    now_ms: int,
    instance_id: int | None = None,
) -> None:
    """Queue what the alert asks for; a round's event is told once, however often it is noticed.

    Args:
        instance_id: the one that failed first, where one did.
    """
    if alert is None or not tells(alert, event):
        return
    sure_ms = tx.clock.check(now_ms).sure_ms  # else it would wait for a time that may never come
    for method in methods(alert):
        tx.outbox.add(backfill_id, event, method, sure_ms, instance_id)
