"""Backfills: finding them, what they are and were asked for, how far they have come (BF-1, BF-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.running.searches import BackfillSearch
from retrofill.services.operation_center.backfill_acts import BackfillActs
from retrofill.services.people.access import unknown_backfill
from retrofill.services.reading.backfills import Views
from retrofill.services.reading.redaction import shown_analysis, shown_row

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Analysis, BackfillRow, Page

_EVERYTHING = BackfillSearch()


class BackfillDesk(BackfillActs):
    # Questions

    def list(
        self, search: BackfillSearch = _EVERYTHING, limit: int = 50, before: int | None = None
    ) -> Page[BackfillRow]:
        """Backfills that fit, newest first; estimated ends are those that are stored.

        Args:
            before: only those that are older than this one.

        Raises:
            InvalidValueError, UnknownNameError: what is searched for cannot be.
        """
        from retrofill.services.reading.searching import search_backfills

        with self.view_if_deployed() as view:
            found = [] if view is None else search_backfills(view, search, limit + 1, before)
        return {"items": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}

    def show(self, backfill_id: int) -> BackfillRow:
        """One backfill; its estimated end is made anew where the stored one is out of date.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        with self.view(unknown_backfill(backfill_id)) as view:
            record = view.access.get_backfill(backfill_id)
            row = Views(view.reader, view.graphs, view.now_ms).backfill(record, is_alone=True)
            return shown_row(view.access, record, row)

    def analysis(self, backfill_id: int) -> Analysis:
        """What verification found and what extension checks answered, as it is stored (VER-1).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        with self.view(unknown_backfill(backfill_id)) as view:
            record = view.access.get_backfill(backfill_id)
            found = Views(view.reader, view.graphs, view.now_ms).analysis(record)
            return shown_analysis(view.access, record, found)
