"""What programs are told without asking."""

from __future__ import annotations

from typing import TypedDict

from retrofill.services.reading.documents.backfills import BackfillRow
from retrofill.services.reading.documents.instances import InstanceRow


class Notice(TypedDict):
    """What is posted to a webhook when a backfill has ended, had its first failure, or paused by itself (POL-9)."""

    event: str  #: `backfill.success`, `backfill.failure` or `backfill.paused`
    id: str  #: the same at every try, and in the header `X-Retrofill-Delivery`
    project: str
    noticed_at: str  #: when it happened; the rest is as it is when the notice is sent
    backfill: BackfillRow
    failures: list[
        InstanceRow
    ]  #: at most five that failed for a reason of their own, the first to fail first
