"""`include`: which files of a workspace a version holds (CAT-9)."""

from __future__ import annotations

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.folders import Folder
from retrofill import project
from retrofill.domain.catalog.definitions import IncludedFile
from retrofill.project import including
from retrofill.services.catalogs import document as catalog_document

LINE = 2


def include(folder: Folder, *patterns: str) -> None:
    """Workspace `ops`; each pattern stands in a line of its own, from the third on."""
    listed = "".join(f'  - "{pattern}"\n' for pattern in patterns)
    folder.write("workspaces/ops/workspace.yaml", f"workspace: ops\ninclude:\n{listed}")


def files(folder: Folder, *names: str) -> None:
    for name in names:
        folder.write(f"workspaces/ops/{name}", name)


def included(folder: Folder) -> list[str]:
    return [file.path for file in folder.load().workspaces["ops"].files]


class TestWhatIsIncluded:
    def test_files_by_patterns(self, folder: Folder) -> None:
        """CAT-9: each once, in order, whatever kinds of patterns lead to it."""
        files(folder, "lib.sh", "lib/a.py", "lib/deep/er/b.py", "lib/c.txt", "other.sh", "lib/deep/d.py")
        include(folder, "lib.sh", "lib/**/*.py", "lib/a.py")
        assert included(folder) == ["lib.sh", "lib/a.py", "lib/deep/d.py", "lib/deep/er/b.py"]

    @pytest.mark.parametrize(
        ("pattern", "wanted"),
        [
            ("lib/*", ["lib/a.py", "lib/b1.sql", "lib/b2.sql"]),
            ("lib/b?.sql", ["lib/b1.sql", "lib/b2.sql"]),
            ("lib/b[2-9].*", ["lib/b2.sql"]),
            ("**/c.py", ["c.py", "lib/deep/c.py"]),
            ("lib/**", ["lib/a.py", "lib/b1.sql", "lib/b2.sql", "lib/deep/c.py"]),
            ("*/deep/c.py", ["lib/deep/c.py"]),
            ("./c.py", ["c.py"]),
            (".hidden/*", [".hidden/x.py"]),
        ],
    )
    def test_patterns(self, folder: Folder, pattern: str, wanted: list[str]) -> None:
        """CAT-9: hidden files only where the pattern says so, compiled ones never."""
        files(folder, "c.py", "lib/a.py", "lib/b1.sql", "lib/b2.sql", "lib/deep/c.py", ".hidden/x.py")
        files(folder, "lib/.a.py.swp", "lib/__pycache__/a.pyc")
        include(folder, pattern)
        assert included(folder) == wanted

    def test_what_is_kept_of_a_file(self, folder: Folder) -> None:
        """CAT-9: bytes of any kind, and whether it may be executed."""
        folder.write("workspaces/ops/a.bin", b"\0\xff" * 5)
        path = folder.write("workspaces/ops/run.sh", "exit 0\n")
        path.chmod(0o755)
        include(folder, "a.bin", "run.sh")
        loaded = project.load_whole(folder.root)
        assert loaded.catalog.workspaces["ops"].files == (
            IncludedFile("a.bin", hashlib.sha256(b"\0\xff" * 5).hexdigest(), 10),
            IncludedFile("run.sh", hashlib.sha256(b"exit 0\n").hexdigest(), 7, is_executable=True),
        )
        assert sorted(loaded.contents.values()) == [b"\0\xff" * 5, b"exit 0\n"]
        assert catalog_document.load(catalog_document.dump(loaded.catalog)) == loaded.catalog

    def test_links(self, folder: Folder) -> None:
        """CAT-9: a file is followed within the project, a folder only by its name."""
        files(folder, "real/a.py")
        os.symlink("real/a.py", folder.root / "workspaces/ops/link.py")
        os.symlink("real", folder.root / "workspaces/ops/folder")
        os.symlink("..", folder.root / "workspaces/ops/real/round")
        include(folder, "link.py", "folder/*.py", "**/*.py")
        assert included(folder) == ["folder/a.py", "link.py", "real/a.py"]


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("pattern", "said"),
        [
            ("/etc/passwd", "leads out of the workspace's folder"),
            ("../other/x", "leads out of the workspace's folder"),
            ("lib//x", "has an empty part"),
            ("lib/./x", "has a part that is . or __pycache__"),
            ("lib/__pycache__/x.pyc", "has a part that is . or __pycache__"),
            ("lib/**.py", "has ** beside other characters"),
            ("nothing/*.py", "no file fits"),
            ("folder", "no file fits"),
        ],
    )
    def test_patterns(self, folder: Folder, pattern: str, said: str) -> None:
        """CAT-9: named with the line."""
        files(folder, "lib.sh", "folder/x")
        include(folder, "lib.sh", pattern)
        problem = folder.problem()
        assert problem.startswith("4:5: ")
        assert said in problem

    def test_a_file_that_is_too_large(self, folder: Folder) -> None:
        """CAT-9: 1 MB each."""
        folder.write("workspaces/ops/fits", b"x" * 1_000_000)
        folder.write("workspaces/ops/large", b"x" * 1_000_001)
        include(folder, "fits", "large")
        assert (
            folder.problem()
            == '4:5: "large": the file has 1,000,001 bytes; at most 1,000,000 are read; split it'
        )

    def test_too_much_together(self, folder: Folder) -> None:
        """CAT-9: 20 MB."""
        for number in range(20):
            folder.write(f"workspaces/ops/data/{number}", b"x" * 1_000_000)
        include(folder, "data/*")
        assert len(included(folder)) == 20
        folder.write("workspaces/ops/data/more", b"x")
        assert "have more than 20,000,000 bytes together" in folder.problem()

    def test_too_many(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """CAT-9: files, and files that are looked through."""
        monkeypatch.setattr(including, "MAX_FILES", 3)
        files(folder, "d/1", "d/2", "d/3")
        include(folder, "d/*")
        assert len(included(folder)) == 3
        files(folder, "d/4")
        assert "more than 3 files are included" in folder.problem()
        monkeypatch.setattr(including, "MAX_LOOKED_AT", 3)
        assert "leads through more than 3 files" in folder.problem()

    def test_what_is_no_file(self, folder: Folder) -> None:
        """CAT-9: nothing is waited for, nothing outside is read."""
        os.mkfifo(folder.write("workspaces/ops/x", "").with_name("pipe"))
        os.symlink("/etc/passwd", folder.root / "workspaces/ops/out")
        os.symlink("nowhere", folder.root / "workspaces/ops/dangling")
        include(folder, "pipe", "out", "dangling")
        assert [line.partition(": ")[2].partition(";")[0] for line in folder.problems()] == [
            '"pipe": it is not a regular file',
            '"out": the file lies outside the project\'s folder',
            '"dangling": there is no such file',
        ]

    def test_no_list(self, folder: Folder) -> None:
        """CAT-4."""
        folder.write("workspaces/ops/workspace.yaml", "workspace: ops\ninclude: lib.sh\n")
        assert folder.problem() == '2:10: "include" is "lib.sh"; write a list, for example [a, b]'


class TestUnchanged:
    """CAT-9: what is included makes a new version when it changes, and only then."""

    def is_unchanged(self, folder: Folder) -> bool:
        return project.unchanged(folder.root, self.catalog.files, self.catalog.workspaces)

    @pytest.fixture
    def loaded(self, folder: Folder) -> Folder:
        files(folder, "lib/a.py", "lib/b.py")
        include(folder, "lib/*.py")
        self.catalog = folder.load()
        assert self.is_unchanged(folder)
        return folder

    def test_nothing_that_matters(self, loaded: Folder) -> None:
        files(loaded, "lib/a.txt", "other.py", "lib/__pycache__/a.pyc")
        os.utime(loaded.root / "workspaces/ops/lib/a.py")
        assert self.is_unchanged(loaded)

    def test_other_bytes(self, loaded: Folder) -> None:
        loaded.write("workspaces/ops/lib/a.py", "other")
        assert not self.is_unchanged(loaded)

    def test_another_mode(self, loaded: Folder) -> None:
        (loaded.root / "workspaces/ops/lib/a.py").chmod(0o755)
        assert not self.is_unchanged(loaded)

    def test_one_more(self, loaded: Folder) -> None:
        files(loaded, "lib/c.py")
        assert not self.is_unchanged(loaded)

    def test_one_less(self, loaded: Folder) -> None:
        (loaded.root / "workspaces/ops/lib/a.py").unlink()
        assert not self.is_unchanged(loaded)


@given(st.text("ab*?[]./{}!-", min_size=1, max_size=12))
def test_no_pattern_is_a_bug(pattern: str) -> None:
    """CAT-9: it is refused, or it finds what it finds."""
    from pathlib import Path

    here = Path(__file__).parent
    if including.problem_of(pattern) is None:
        for name in including.find_files(here, pattern):
            assert (here / name).exists()
