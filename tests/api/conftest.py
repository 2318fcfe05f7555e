"""Servers that tests ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.servers import Server, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For questions, which change nothing."""
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served
