"""What is posted to webhooks: one JSON document for each event of a backfill."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.alerts.messages import failed_first
from retrofill.services.ports.notifying import Delivered
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from retrofill.services.ports.records import AlertRecord, BackfillRecord
    from retrofill.services.reading.documents import BackfillRow, Notice
    from retrofill.services.reading.view import View

_NAMESPACE = uuid.UUID("3b0f4c1e-7a1d-5b5e-9a55-1f8f6f0c2d11")


def notice_of(
    view: View, record: BackfillRecord, alert: AlertRecord, row: BackfillRow, project: str
) -> Delivered:
    """The backfill as it is when it is sent, however long that took.

    Args:
        view: of whoever may be told: what they may not see is not in it (SEC-2).
        row: the backfill's row in that view.
    """
    instances = InstanceReader(view)
    failures = [instances.row(one) for one in failed_first(view.reader, view.access, record, alert)]
    notice: Notice = {
        "event": f"backfill.{alert.event}",
        "id": str(uuid.uuid5(_NAMESPACE, f"{project}/{alert.id}/{alert.queued_ms}")),
        "project": project,
        "noticed_at": shown_instant(alert.queued_ms),
        "backfill": row,
        "failures": failures,
    }
    return Delivered(notice["id"], dict(notice))
