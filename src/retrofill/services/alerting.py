"""Queueing alerts in the transaction of what they tell, so that no crash loses one (POL-9)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retrofill.domain.alerting import Event, methods, tells
from retrofill.domain.policy import Alert, AlertMethod, AlertTrigger

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger


def alert_of(policy: str) -> Alert | None:
    """The alert that a stored policy asks for."""
    if '"alert": null' in policy:
        return None  # the common case, without decoding
    alert = json.loads(policy).get("alert")
    return None if alert is None else Alert(AlertTrigger(alert["trigger"]), AlertMethod(alert["method"]))


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
