"""What axe-core finds on a page that people with disabilities could not use.

axe.min.js is axe-core 4.14.1 as it is published on npm, unchanged, under the Mozilla Public License 2.0 (LICENSE beside
it). Tests use it; it is part of no package.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SCRIPT = Path(__file__).with_name("axe.min.js")
_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
_SERIOUS = {"serious", "critical"}
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# Rows of a table are alike: what is wrong with one is found in the first ones.
_RUN = """(runOnly) => axe.run(
    {include: [["html"]], exclude: [["tbody > tr:nth-of-type(n + 9)"]]},
    {resultTypes: ["violations"], runOnly, iframes: false},
)"""
_COLOURS = ("color-contrast", "link-in-text-block")


def findings(page: Page, only_colours: bool = False) -> list[str]:
    """Serious findings, each with its rule and where it is on the page.

    Args:
        only_colours: of what depends on the theme, for the second one.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_script())  # as a debugger does, which no policy of the page forbids
    only = {"type": "rule", "values": _COLOURS} if only_colours else {"type": "tag", "values": _TAGS}
    found: dict[str, Any] = page.evaluate(_RUN, only)
    return [
        f"{violation['id']}: {node['target'][0]}: {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in _SERIOUS
        for node in violation["nodes"]
    ]


@cache
def _script() -> str:
    content = _SCRIPT.read_bytes()
    assert hashlib.sha256(content).hexdigest() == _SHA256, "axe.min.js is not what was published"
    return content.decode()
