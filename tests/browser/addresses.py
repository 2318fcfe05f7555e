"""Where every page of the router is found, in a place that is filled."""

from __future__ import annotations

import re
from collections.abc import Mapping

from browser.filling import Filling
from retrofill.web import pages

PATHS = sorted({route.path for module in pages.ALL for route in module.ROUTES if "GET" in route.methods})
# Pages that are none without something that this place lacks, and what.
ELSEWHERE = {
    "/sign-in/oidc": "a provider of identities",
    "/sign-in/oidc/start": "a provider of identities",
}
# What stands behind a path, where it shows something else then.
VARIANTS: Mapping[str, tuple[str, ...]] = {}
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def addresses(path: str, filling: Filling) -> list[str]:
    """Of a page that shows something: one at least, and its variants."""
    values = filling.values()
    filled = _PARAMETER.sub(lambda found: str(values[found[1]]), path)
    if path.startswith("/instances/") and "{" not in path:
        filled = f"{filled}?id={filling.failed_instance}"
    return [filled, *(filled + variant.format(**values) for variant in VARIANTS.get(path, ()))]


def name_of(path: str, address: str) -> str:
    """`backfills-backfill_id-stop`, and what stands behind it."""
    words = _PARAMETER.sub(r"\1", path).strip("/") or "home"
    return re.sub(r"\W+", "-", f"{words}-{address.partition('?')[2]}").strip("-")
