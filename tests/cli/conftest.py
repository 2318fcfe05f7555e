"""Projects for commands that run nothing; called inside the test's process.

Tests of `project` and `filled` run twice: beside the store, and asking a real server, with the same outputs. Those that
only make sense beside it are marked `beside_store`, with the reason.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.projects import write_project
from e2e.conftest import sandbox
from e2e.sandboxes import Sandbox
from e2e.served import Served
from retrofill.bootstrap.centers import open_call
from retrofill.store.sqlite.database import Database

__all__ = ["sandbox"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "way" in metafunc.fixturenames:
        only_beside = any(metafunc.definition.iter_markers("beside_store"))
        metafunc.parametrize("way", ["embedded"] if only_beside else ["embedded", "server"], indirect=True)


@pytest.fixture(scope="session")
def _one_server() -> Iterator[Served]:
    """For all tests of a worker."""
    served = Served()
    yield served
    served.close()


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Served | None:
    """The server that commands ask; None: they work beside the store."""
    return None if request.param == "embedded" else request.getfixturevalue("_one_server")


@pytest.fixture
def project(tmp_path: Path, way: Served | None) -> Sandbox:
    """Six tasks of `ops` and two of `bi`; nothing is deployed, but at a server."""
    home = write_project(tmp_path / "project").home
    if way is not None:
        with closing(open_call(str(home), {})) as call:
            call.center.versions.deploy()
    return Sandbox(home, way)


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
def filled(tmp_path: Path, way: Served | None, _template: Path) -> Sandbox:
    """The project with three backfills: 1 of 2026-01-05..07, 2 by alice, 3 refused by verification."""
    shutil.copytree(_template, tmp_path / "project")
    with closing(Database(tmp_path / "project" / ".retrofill")) as store:
        store.bind()  # else it would be held, as every copy is (RUN-8)
    return Sandbox(tmp_path / "project", way)
