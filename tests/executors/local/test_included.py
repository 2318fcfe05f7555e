"""The folders in which runs find what their version includes (CAT-9)."""

from __future__ import annotations

import fcntl
import hashlib
import multiprocessing
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from executors.rooms import Room, collect
from retrofill.domain.catalog.definitions import IncludedFile
from retrofill.executors.code import CodeFolders
from retrofill.executors.local.executor import LocalExecutor
from retrofill.services.ports import IncludedCode

FILES = {"lib/a.py": b"A = 1\n", "lib/deep/b.bin": b"\0\xff", "run.sh": b"echo $1\n"}


def code_of(home: Path, files: Mapping[str, bytes], version: int = 1, workspace: str = "w") -> IncludedCode:
    listed = tuple(
        IncludedFile(path, hashlib.sha256(data).hexdigest(), len(data), path.endswith(".sh"))
        for path, data in files.items()
    )
    return IncludedCode(version, f"{home}/{version}/{workspace}", listed)


def content_of(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {hashlib.sha256(data).hexdigest(): data for data in files.values()}


def lay_out(home: Path, files: Mapping[str, bytes] = FILES, **more: int) -> Path:
    """In a process that has not looked yet."""
    code = code_of(home, files, **more)
    CodeFolders(home).lay_out(code, content_of(files).__getitem__)
    return Path(code.folder)


def found_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "code"


def test_what_is_laid_out(home: Path) -> None:
    """CAT-9: read-only, with what may be executed."""
    folder = lay_out(home)
    assert found_in(folder) == FILES
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.rglob("*"))}
    assert modes == {"w": 0o555, "lib": 0o555, "deep": 0o555, "a.py": 0o444, "b.bin": 0o444, "run.sh": 0o555}
    assert sorted(path.name for path in home.iterdir()) == ["1", "lock"]


def test_it_is_made_once(home: Path) -> None:
    """CAT-9: whoever finds it whole leaves it as it is, and does not look into the store."""
    folder = lay_out(home)
    before = (folder / "run.sh").stat().st_ino
    CodeFolders(home).lay_out(code_of(home, FILES), {}.__getitem__)
    assert (folder / "run.sh").stat().st_ino == before


@pytest.mark.parametrize(
    "damage",
    ["more", "less", "other", "shorter", "mode", "link", "folder", "half", "nothing", "linked folder"],
)
def test_what_a_crash_or_a_task_has_changed(home: Path, damage: str) -> None:
    """CAT-9: the next scheduler makes it anew."""
    folder = lay_out(home)
    for inner in (folder, *folder.rglob("*")):
        inner.chmod(0o700)
    target = folder / "lib/a.py"
    {
        "more": lambda: (folder / "json.py").write_text("x"),
        "less": target.unlink,
        "other": lambda: target.write_bytes(b"A = 2\n"),
        "shorter": lambda: os.truncate(target, 0),
        "mode": lambda: (folder / "run.sh").chmod(0o444),
        "link": lambda: (target.unlink(), target.symlink_to("/etc/passwd")),
        "folder": lambda: (target.unlink(), target.mkdir()),
        "half": lambda: shutil.rmtree(folder / "lib"),
        "nothing": lambda: (shutil.rmtree(folder), folder.mkdir()),
        "linked folder": lambda: (
            (folder / "lib").rename(home / "lib") and (folder / "lib").symlink_to(home / "lib")
        ),
    }[damage]()  # type: ignore[operator]
    assert lay_out(home) == folder
    assert found_in(folder) == FILES
    assert not (folder / "lib").is_symlink()
    assert stat.S_IMODE((folder / "run.sh").stat().st_mode) == 0o555


def test_other_bytes_than_the_versions(home: Path) -> None:
    """CAT-9: what came from elsewhere is compared; nothing is laid out, and it can be tried again."""
    code = code_of(home, FILES)
    with pytest.raises(OSError, match="is not what the version holds"):
        CodeFolders(home).lay_out(code, lambda _: b"something else")
    assert not Path(code.folder).exists()
    assert lay_out(home) == Path(code.folder)


def test_what_python_leaves_there(home: Path) -> None:
    """CAT-9: compiled modules are no change."""
    folder = lay_out(home)
    cache = folder / "lib" / "__pycache__"
    folder.joinpath("lib").chmod(0o700)
    cache.mkdir()
    (cache / "a.pyc").write_bytes(b"x")
    CodeFolders(home).lay_out(code_of(home, FILES), {}.__getitem__)
    assert cache.exists()


def test_a_content_that_the_store_has_lost(home: Path) -> None:
    """CAT-9: nothing is left half made."""
    with pytest.raises(KeyError):
        CodeFolders(home).lay_out(code_of(home, FILES), {}.__getitem__)
    assert [p for p in home.rglob("*") if p.is_file()] == [home / "lock"]


def test_many_at_once(home: Path) -> None:
    """CAT-9: processes that need the same folder all find it whole."""
    with multiprocessing.get_context("fork").Pool(4) as pool:
        folders = pool.map(lay_out, [home] * 16)
    assert len(set(folders)) == 1
    assert found_in(folders[0]) == FILES
    assert sorted(path.name for path in home.iterdir()) == ["1", "lock"]


def test_what_no_run_needs(home: Path) -> None:
    """CAT-9, RET-1: goes, with what a crash has left; who needs it again makes it again."""
    one, other = CodeFolders(home), code_of(home, FILES)
    one.lay_out(other, content_of(FILES).__getitem__)
    second = lay_out(home, version=2)
    (home / ".making.dead" / "lib").mkdir(parents=True)
    assert one.remove_unneeded(lambda: {2}, is_dry=True) == 1
    assert Path(other.folder).exists()
    assert one.remove_unneeded(lambda: {2}) == 1
    assert sorted(path.name for path in home.iterdir()) == ["2", "lock"]
    assert found_in(second) == FILES
    one.lay_out(other, content_of(FILES).__getitem__)  # the process that has compared it before
    assert found_in(Path(other.folder)) == FILES


def test_nobody_lays_out_while_others_ask_what_is_needed(home: Path) -> None:
    """CAT-9, RET-1: a run whose folder is not there yet is open by then, and is seen."""
    lay_out(home)
    seen = []

    def needed() -> set[int]:
        with open(home / "lock") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(True)
        return {1}

    assert CodeFolders(home).remove_unneeded(needed) == 0
    assert seen == [True]


def test_nothing_was_ever_laid_out(home: Path) -> None:
    """RET-1: looking makes no folder."""
    assert CodeFolders(home).remove_unneeded(set) == 0
    assert not home.exists()


# Runs


def test_what_a_run_finds(room: Room) -> None:
    """CAT-9: python imports from there first, shell is told where it is."""
    folder = lay_out(
        room.path("code"), {"mine.py": b"A = 'of the version'\n", "lib.sh": b"A='of the version'\n"}
    )
    room.path("mine.py").write_text("A = 'of today'\n")
    room.path("other.py").write_text("B = 'of today'\n")
    around = {"RETROFILL_CODE": str(folder)}
    end, log = room.run("import mine, other\nprint(mine.A, other.B)", type="python", environment=around)
    assert (end.exit_code, log) == (0, "of the version of today\n")
    end, log = room.run('. "$RETROFILL_CODE/lib.sh"; echo $A', environment=around)
    assert (end.exit_code, log) == (0, "of the version\n")


def test_a_disk_without_room(room: Room) -> None:
    """CAT-9, RUN-3: what cannot be laid out is not started, and is no failure of the task."""

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    executor = LocalExecutor(room.runs, prepare=fail)
    executor.start([room.spec("true")])
    (end,) = collect(executor, 1)
    assert (end.outcome, end.message) == (
        "not_started",
        "the files that it includes cannot be laid out: No space left on device",
    )
    executor.close()
