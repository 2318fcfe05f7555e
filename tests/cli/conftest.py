"""Projects for commands that run nothing; called inside the test's process."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from cli.projects import write_project
from e2e.conftest import sandbox
from e2e.sandboxes import Sandbox
from retrofill.store.sqlite.database import Database

__all__ = ["sandbox"]


@pytest.fixture
def project(tmp_path: Path) -> Sandbox:
    """Six tasks of `ops` and two of `bi`; nothing is deployed."""
    return write_project(tmp_path / "project")


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sandbox = write_project(tmp_path_factory.mktemp("template") / "project")
    sandbox.create(
        "--task", "ops.raw", "--descendants", "all", "--bizdate", "2026-01-05..2026-01-07", "--name", "first"
    )
    sandbox.create("--task", "load", "--bizdate", "2026-02-01", "--name", "second", RETROFILL_USER="alice")
    sandbox.create(
        "--task", "mid", "--task", "load", "--bizdate", "2026-01-05", "--time-range", "03:00-04:00", status=3
    )
    return sandbox.home


@pytest.fixture
def filled(tmp_path: Path, _template: Path) -> Sandbox:
    """The project with three backfills: 1 of 2026-01-05..07, 2 by alice, 3 refused by verification."""
    shutil.copytree(_template, tmp_path / "project")
    with closing(Database(tmp_path / "project" / ".retrofill")) as store:
        store.bind()  # else it would be held, as every copy is (RUN-8)
    return Sandbox(tmp_path / "project")
