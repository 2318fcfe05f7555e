"""One backfill: `/backfills/{id}` with its tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrofill.api.links import PREFIX
from retrofill.domain.errors import UnknownNameError, shown
from retrofill.web.pages import backfill_pictures, backfill_records, backfill_tabs
from retrofill.web.pages.backfill_frame import BackfillTab, Head, Tab, TabLink, head_of
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.web.visits import PageVisit

_ORDER = ("grid", "instances", "timeline", "dag", "analysis", "operations", "settings")
TABS = {
    tab.key: tab
    for tab in sorted(
        (*backfill_pictures.TABS, *backfill_tabs.TABS, *backfill_records.TABS),
        key=lambda tab: _ORDER.index(tab.key),
    )
}
_HEAD = "head"  # the part above the tabs


def backfill(visit: PageVisit, backfill_id: int) -> Response:
    """One tab of it, the first where none is named."""
    tab = _tab(visit.query.get("tab"))
    head = head_of(visit, backfill_id)
    around = _around(head, tab)
    if visit.part == _HEAD:
        return visit.show(BackfillTab(**around))
    return visit.show(tab.show(visit, head, around))


def _tab(key: str | None) -> Tab:
    if key is None:
        return next(iter(TABS.values()))
    if key not in TABS:
        raise UnknownNameError(
            f'a backfill has no tab "{shown(key)}"', f"These there are: {', '.join(TABS)}."
        )
    return TABS[key]


def _around(head: Head, tab: Tab) -> dict[str, Any]:
    return {
        "title": f"{head.shown['name']} · {tab.label}",
        "events": f"{PREFIX}/backfills/{head.id}/events",
        "head": head,
        "tabs": [TabLink(one.key, one.label, one.number(head)) for one in TABS.values()],
        "tab": tab.key,
    }


ROUTES = [page("/backfills/{backfill_id:int}", backfill), *backfill_records.ROUTES]
