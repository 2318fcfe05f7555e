"""The worlds that the center is asked in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.centers import FakeWatch, WorldParts
from services.operation_center.cases import Case, make_world


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """For questions, which change nothing."""
    yield from _case(tmp_path_factory.mktemp("asked"))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """For acts, one after the other."""
    yield from _case(tmp_path_factory.mktemp("done"))


def _case(home: Path) -> Iterator[Case]:
    world = make_world(home)
    parts = WorldParts(world)
    parts.watch = FakeWatch(is_running=False)
    yield Case(world, parts)
    world.close()
