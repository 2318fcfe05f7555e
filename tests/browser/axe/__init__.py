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
_RUN = """async () => {
    const ending = document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity);
    await Promise.allSettled(ending.map((one) => one.finished));
    return axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values: [
    "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}});
}"""


def findings(page: Page) -> list[str]:
    """Serious findings, each with its rule and where it is on the page; of a page that has come to rest."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_script())  # as a debugger does, which no policy of the page forbids
    found: dict[str, Any] = page.evaluate(_RUN)
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
