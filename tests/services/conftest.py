"""Worlds that are closed when their test ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.worlds import MakeWorld, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[MakeWorld]:
    """Makes worlds."""
    made: list[World] = []

    def make(*tasks: Any, **more: Any) -> World:
        one = World(tmp_path / str(len(made)), *tasks, **more)
        made.append(one)
        return one

    yield make
    for one in made:
        assert one.drift() == [], "counters differ from states"
        one.close()
