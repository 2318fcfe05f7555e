"""Every page of the router, in both themes and on a phone: nothing to complain of, and nobody is kept out.

RETROFILL_TEST_PICTURES names a folder for a picture of each, as `make screenshots` makes them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.addresses import ELSEWHERE, PATHS, address_of, name_of, tabs
from browser.axe import findings
from browser.conftest import OpenWindow
from browser.filling import Filling
from browser.places import Place
from browser.windows import DESK, PHONE, Theme, Window

_LOOKS: tuple[tuple[int, Theme], ...] = ((DESK, "light"), (DESK, "dark"), (PHONE, "light"))
_PICTURES = "RETROFILL_TEST_PICTURES"


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ELSEWHERE])
def test_a_page_has_nothing_to_complain_of(
    place: Place, filling: Filling, open_at: OpenWindow, path: str
) -> None:
    window = open_at(place, "admin")
    address = address_of(path, filling)
    _look(window, path, address)
    for tab in tabs(window.page):
        _look(window, path, tab)


def _look(window: Window, path: str, address: str) -> None:
    answer = window.page.goto(window.place.url + address)
    assert answer is not None
    assert answer.status == 200, address
    assert "content-security-policy" in answer.headers
    expect(window.page.locator("h1")).to_have_count(1)
    for width, theme in _LOOKS:
        window.widen(width, is_whole=True)
        window.page.emulate_media(color_scheme=theme)
        window.settle()
        found = findings(window.page, only_colours=theme == "dark")
        assert not found, (address, width, theme, found)
        assert window.overflow() <= 0, f"{address} is wider than {width} px"
        _keep_picture(window, f"{name_of(path, address)}-{width}-{theme}")
    window.widen(320)
    assert window.overflow() <= 0, f"{address} is wider than 320 px"
    window.widen(DESK)


def _keep_picture(window: Window, name: str) -> None:
    if folder := os.environ.get(_PICTURES):
        window.page.screenshot(path=Path(folder) / f"{name}.png")
