"""A browser and places to look at, shared by the tests of this folder that one process runs one after the other.

They live as long as the folder's tests and no longer: a browser that runs holds the event loop of its thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from browser import chromium
from browser.filling import Filling, fill
from browser.places import STORES, Place, opened
from browser.windows import Window, open_window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OpenWindow = Callable[..., Window]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium.need()
    with chromium.started() as started:
        yield started


@pytest.fixture(scope="package")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """On the embedded store."""
    with opened(tmp_path_factory.mktemp("place") / "flights") as found:
        yield found


@pytest.fixture(scope="package")
def filling(place: Place) -> Filling:
    """What `place` holds besides what tests make."""
    return fill(place)


@pytest.fixture(scope="package", params=STORES)
def any_place(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """On each store; what of the store cannot matter is looked at in `place`."""
    if request.param == "sqlite":
        yield request.getfixturevalue("place")
        return
    with opened(tmp_path_factory.mktemp("place") / "flights", request.param) as found:
        yield found


@pytest.fixture
def open_at(browser: Browser) -> Iterator[OpenWindow]:
    """Opens a window at a place, as `open_window` says; at its end the test has nothing to complain of."""
    with ExitStack() as closing:

        def opening(place: Place, *args: object, **options: object) -> Window:
            return closing.enter_context(partial(open_window, browser)(place, *args, **options))  # type: ignore[arg-type]

        yield opening


@pytest.fixture
def window(place: Place, open_at: OpenWindow) -> Window:
    """ada's, who administers `lab`."""
    return open_at(place, "ada")
