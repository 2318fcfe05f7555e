"""Backfills that pause by themselves, because too many of their instances failed (POL-14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.alerts import Event
from retrofill.domain.words import many
from retrofill.services.instances.alert_queue import tell
from retrofill.services.instances.stored import max_failures_of, told_of

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger
    from retrofill.services.ports.records import BackfillRecord

BY_FAILURES = "max_failures"
NOBODY = "retrofill"  # who did what no person did, in the record


def note_failures(tx: Ledger, backfill_id: int, count: int, is_running: bool, now_ms: int) -> bool:
    """Count instances that have failed for good; whether the backfill has paused by itself because of them.

    One that is held already stays so, in the name of whoever holds it; one of which nothing could start
    anyway ends.
    """
    failures = tx.add_failures(backfill_id, count)
    record = tx.find_backfill(backfill_id)
    if record is None or not (is_running or any(tx.has_waiting(backfill_id))):
        return False
    return pause_if_too_many(tx, record, failures, now_ms)


def pause_if_too_many(tx: Ledger, record: BackfillRecord, failures: int, now_ms: int) -> bool:
    """Pause where so many failures are as many as the policy bears."""
    most = max_failures_of(record)
    if most is None or failures < most or record.paused or record.stopped:
        return False
    tx.set_backfill(record.id, paused=1, paused_by=BY_FAILURES)
    comment = f"{many(failures, 'instance')} failed (max_failures {most})"
    tx.record(now_ms, NOBODY, "pause", record.id, comment=comment)
    tell(tx, record.id, told_of(record), Event.PAUSED, now_ms)
    return True
