"""Servers whose pages tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from web import sites
from web.sites import Filled, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A new one, on which nothing has run."""
    with sites.site(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """For looking at, which changes nothing."""
    with sites.site(tmp_path_factory.mktemp("site")) as found:
        yield sites.fill(found)
