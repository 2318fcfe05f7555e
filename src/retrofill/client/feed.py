"""What has changed at a server: ids and revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillChanges, ListChanges


class FeedDesk(Desk):
    """Ids and revisions; what they say is asked at the other desks."""

    def backfill(self, backfill_id: int, since: str | None = None) -> BackfillChanges:
        """What has changed of a backfill."""
        return self._server.get(f"backfills/{backfill_id}/events", {"since": since})

    def backfills(self, since: str | None = None) -> ListChanges:
        """Which backfills have changed, have come or have gone."""
        return self._server.get("backfills/events", {"since": since or None})
