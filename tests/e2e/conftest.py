"""Sandboxes that leave no process behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    home = tmp_path / "project"
    home.mkdir()
    one = Sandbox(home)
    yield one
    one.close()
