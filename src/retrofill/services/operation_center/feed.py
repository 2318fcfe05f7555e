"""What has changed: asked again and again, or followed as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.operation_center.desk import Desk
from retrofill.services.people.access import unknown_backfill
from retrofill.services.reading.feed import Eyes, Feed

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillChanges, ListChanges


class FeedDesk(Desk):
    """Ids and revisions; what they say is asked at the other desks."""

    def eyes(self) -> Eyes:
        """What the actor may see of changes: by this a stream goes on telling them."""
        return Eyes.of(self._actor)

    def backfill(self, backfill_id: int, since: str | None = None) -> BackfillChanges:
        """What has changed of a backfill.

        Args:
            since: the revision of the answer before; without it everything is missed, and the answer says since
                when to ask next.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        with self.view(unknown_backfill(backfill_id)) as view:
            view.access.get_backfill(backfill_id)
            changes = Feed(self._parts.store).since(view.reader, since)
            return self.eyes().backfill(changes, backfill_id)

    def backfills(self, since: str | None = None) -> ListChanges:
        """Which backfills have changed, have come or have gone.

        Args:
            since: the revision of the answer before, as above.
        """
        with self.view_if_deployed() as view:
            if view is None:
                return {"revision": "", "missed": True, "backfills": [], "schedule": True}
            changes = Feed(self._parts.store).since(view.reader, since)
            return self.eyes().backfills(changes)
