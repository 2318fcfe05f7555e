"""Every page of the router, in both themes and on a phone: nothing to complain of, and nobody is kept out."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.filling import Filling
from browser.places import Place
from browser.windows import PHONE, Window
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


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ELSEWHERE])
def test_a_page_has_nothing_to_complain_of(
    place: Place, filling: Filling, open_at: OpenWindow, path: str
) -> None:
    window = open_at(place, "admin")
    for address in addresses(path, filling):
        answer = window.page.goto(place.url + address)
        assert answer is not None
        assert answer.status == 200, address
        assert "content-security-policy" in answer.headers
        expect(window.page.locator("h1")).to_have_count(1)
        _can_be_used(window, address)


def _can_be_used(window: Window, address: str) -> None:
    for theme in ("light", "dark"):
        window.page.emulate_media(color_scheme=theme)
        assert not (found := findings(window.page)), (address, theme, found)
    for width in (PHONE, 320):
        window.page.set_viewport_size({"width": width, "height": 800})
        wider = window.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{address}: {wider} px wider than {width}"
    assert not (found := findings(window.page)), (address, "narrow", found)
