"""What somebody sees first, from one view of the ledger: as many questions for fifty backfills as for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.running.filters import BackfillFilter
from retrofill.services.reading.backfills import BackfillReader
from retrofill.services.reading.coming import coming
from retrofill.services.reading.describing import Describing
from retrofill.services.reading.needs import DAY_MS, find, last_nights

if TYPE_CHECKING:
    from datetime import datetime

    from retrofill.services.ports.records import BackfillRecord
    from retrofill.services.reading.documents import Home, HomeCounts, Need
    from retrofill.services.reading.failures import FailureReader
    from retrofill.services.reading.view import View

_DESCRIBED = 10  # needs
_SHOWN = 20  # backfills under way
_ENDED = 10
_MOST = 500


def home(
    view: View, general: list[Need], failures: FailureReader, night: tuple[str, datetime] | None
) -> Home:
    """The document.

    Args:
        general: what hinders everything.
        night: the bizdate of which instances are made next, and when.
    """
    nights = last_nights(view)
    found = find(view, nights)
    under_way, ended = _open(view), _ended(view)
    shown = under_way[:_SHOWN]
    rows = BackfillReader(view).rows([*shown, *ended])
    return {
        "counts": {"needs": len(general) + found.count, "under_way": len(under_way)},
        "needs": [*general, *Describing(view, found, failures).needs(_DESCRIBED)],
        "under_way": rows[: len(shown)],
        "ended": rows[len(shown) :],
        "coming": coming(view, [*zip(shown, rows, strict=False)], night),
        "nights": nights,
        "schedule_held": view.schedule_is_held,
    }


def home_counts(view: View, general: int) -> HomeCounts:
    """How much of it there is.

    Args:
        general: how many things hinder everything.
    """
    return {"needs": general + find(view, last_nights(view)).count, "under_way": len(_open(view))}


def _open(view: View) -> list[BackfillRecord]:
    found = view.reader.backfills(BackfillFilter(is_open=True), limit=_MOST)
    return [*filter(view.access.sees_backfill, found)]


def _ended(view: View) -> list[BackfillRecord]:
    """Those of the last day, the latest first."""
    found = view.reader.backfills(BackfillFilter(ended_from_ms=view.now_ms - DAY_MS), limit=_MOST)
    seen = filter(view.access.sees_backfill, found)
    return sorted(seen, key=lambda record: -(record.ended_ms or 0))[:_ENDED]
