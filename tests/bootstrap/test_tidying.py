"""Once a day a worker lets go of what the ledger says, beside its rounds."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from executors.rooms import wait_until
from retrofill.bootstrap.tidying import Tidying
from retrofill.bootstrap.working import make_working_folder
from retrofill.domain.errors import StoreUnavailableError
from retrofill.executors.code import CodeFolders
from retrofill.executors.local.folder import RunsFolder
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports.custody import AutoRun, MayGo, OldLog


class Everything:
    """A ledger that lets go of all that is older than a day."""

    def __init__(self) -> None:
        self.asked: list[OldLog] = []

    def youngest_ms(self) -> int:
        return 86_400_000

    def auto_log_cap(self) -> int:
        return 0

    def let_go(self, logs: Sequence[OldLog]) -> MayGo:
        self.asked += logs
        return MayGo([log.name for log in logs], [])

    def open_runs(self) -> set[tuple[int, int, str]]:
        return set()

    def open_versions(self) -> set[int]:
        return {2}

    def auto_dates(self, since_ms: int) -> list[str]:
        return []

    def auto_runs(self, bizdate: str) -> list[AutoRun]:
        return []


@pytest.fixture
def home(tmp_path: Path) -> Path:
    runs = RunPaths(str(tmp_path / "runs"))
    runs.make()
    for name, age in (("1.1.old", 2), ("2.1.young", 0)):
        Path(runs.log(name)).write_text("x")
        now = os.stat(tmp_path).st_mtime
        os.utime(runs.log(name), (now - age * 86_400, now - age * 86_400))
    for version in ("1", "2"):
        (tmp_path / "code" / version).mkdir(parents=True)
    return tmp_path


def tidying(home: Path, custody: object) -> Tidying:
    return Tidying(home, lambda: custody, RunsFolder(home / "runs"), CodeFolders(home / "code"))  # type: ignore[arg-type, return-value]


def left(home: Path) -> list[str]:
    return sorted(
        path.name
        for folder in ("runs/logs", "code")
        for path in (home / folder).iterdir()
        if path.name != "lock"
    )


def test_what_may_go_goes(home: Path) -> None:
    """RET-1, CAT-9: logs by age, and folders of versions that no run needs; then a day passes."""
    ledger = Everything()
    job = tidying(home, ledger)
    assert job.is_due()
    with job.going_on():
        wait_until((home / "tidied").exists, "the job")
    assert left(home) == ["2", "2.1.young.log"]
    assert [log.run for log in ledger.asked] == [(1, 1, "old")]
    assert not tidying(home, ledger).is_due()
    os.utime(home / "tidied", (0, 0))
    assert tidying(home, ledger).is_due()


def test_a_ledger_that_cannot_be_asked(home: Path) -> None:
    """RET-1: nothing goes, nothing is noted, and the worker goes on."""
    asked = threading.Event()

    def refuse() -> Everything:
        asked.set()
        raise StoreUnavailableError("the server does not answer")

    job = Tidying(home, refuse, RunsFolder(home / "runs"), CodeFolders(home / "code"))
    with job.going_on():
        assert asked.wait(30)
    assert left(home) == ["1", "1.1.old.log", "2", "2.1.young.log"]
    assert not (home / "tidied").exists()


def test_a_job_that_is_broken_off(home: Path) -> None:
    """RET-1: it counts as not done."""
    done = threading.Event()
    done.set()
    tidying(home, Everything()).tidy(done)
    assert not (home / "tidied").exists()


def test_a_working_folder_on_a_host_without_the_projects_files(tmp_path: Path) -> None:
    """CAT-9: it is made, below the home and nowhere else; where the files are, it is one of them or is missing."""
    make_working_folder(tmp_path, str(tmp_path / "workspaces/ops"))
    assert (tmp_path / "workspaces/ops").is_dir()
    make_working_folder(tmp_path / "home", str(tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "retrofill.yaml").write_text("project: x\n")
    make_working_folder(tmp_path, str(tmp_path / "workspaces/dwh"))
    assert not (tmp_path / "workspaces/dwh").exists()
