"""What a machine is called among those that share a store (RUN-8)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from retrofill.executors.local.hosts import host_of


def test_a_host_keeps_its_name(tmp_path: Path) -> None:
    name = host_of(tmp_path / "runs")
    assert name.startswith(f"{os.uname().nodename}-")
    assert host_of(tmp_path / "runs") == name
    (tmp_path / "runs").rename(tmp_path / "moved")
    assert host_of(tmp_path / "moved") == name


def test_a_copy_is_another_host(tmp_path: Path) -> None:
    """It never takes the other one's runs for its own."""
    name = host_of(tmp_path / "runs")
    shutil.copytree(tmp_path / "runs", tmp_path / "copy")
    copied = host_of(tmp_path / "copy")
    assert copied != name
    assert host_of(tmp_path / "copy") == copied
    assert host_of(tmp_path / "runs") == name


def test_a_name_that_was_half_written_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "host").write_text("box")
    name = host_of(tmp_path)
    assert host_of(tmp_path) == name
