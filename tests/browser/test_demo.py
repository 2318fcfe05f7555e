"""What `make demo` ends with: a server that goes on, a link that signs in once, and pages with something on them."""

from __future__ import annotations

import importlib.util
import json
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser, expect

from browser import flights
from browser.places import Place
from browser.windows import open_window
from retrofill.bootstrap.deployment import open_deployment

_DEMO = Path(__file__).parents[2] / "examples" / "flights" / "demo.py"
_DAYS = 13  # of January; on the second Saturday few flights leave


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", _DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_demo_ends_with_pages_that_show_what_it_did(
    browser: Browser, demo: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "flights"
    flights.write(home, _DAYS)
    deployment = open_deployment(str(home), {})
    place = Place(home, deployment)
    try:
        assert demo.fill(home, date(2013, 1, 1)) == 0
        assert demo.serve(home) == 0
        told = capfd.readouterr().out
        link = next(word for word in told.split() if "/sign-in?link=" in word)
        place.url = link.partition("/sign-in")[0]
        with open_window(browser, place) as window:
            window.page.goto(link)
            window.page.get_by_role("button", name="Sign in as admin").click()
            expect(window.page.get_by_role("button", name="Sign out")).to_be_visible()
        served = json.loads((home / demo.SERVED).read_text())
        assert served["url"] == place.url
        assert told.strip().endswith(f"kill {served['pid']}")
        demo.leave(home)
        assert not demo.is_there(served["pid"])
    finally:
        place.close()
        deployment.close()
