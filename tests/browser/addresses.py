"""Where every page of the router is found, in a place that is filled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from browser.filling import Filling
from retrofill.web import pages
from retrofill.web.pages import several_backfills

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATHS = sorted({route.path for module in pages.ALL for route in module.ROUTES if "GET" in route.methods})
# Pages that are none without something that this place lacks, and what.
ELSEWHERE = {
    "/sign-in/oidc": "a provider of identities",
    "/sign-in/oidc/start": "a provider of identities",
}
OF_SEVERAL = {f"/backfills/{word}" for word in several_backfills.WORDS}
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def address_of(path: str, filling: Filling) -> str:
    """Of a page of this path that shows something."""
    values = filling.values()
    filled = _PARAMETER.sub(lambda found: str(values[found[1]]), path)
    if path.startswith("/instances/") and "{" not in path:
        filled = f"{filled}?id={filling.failed_instance}"
    if path in OF_SEVERAL:
        filled = f"{filled}?id={values['backfill_id']}"
    return filled


def tabs(page: Page) -> list[str]:
    """Addresses of the tabs of a page, without the one that is shown."""
    found: list[str] = page.eval_on_selector_all(
        "main .tabs a:not([aria-current])", "(links) => links.map((link) => link.pathname + link.search)"
    )
    return found


def name_of(path: str, address: str) -> str:
    """`backfills-backfill_id-stop`, and what stands behind it."""
    words = _PARAMETER.sub(r"\1", path).strip("/") or "home"
    return re.sub(r"\W+", "-", f"{words}-{address.partition('?')[2]}").strip("-")
