"""A project's files that come from elsewhere and stand for the folder: read as a folder is, in a place of their own."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from retrofill.bootstrap.folder import Deployed, Folder
from retrofill.domain.errors import LimitError, UsageError, shown
from retrofill.domain.words import many
from retrofill.settings.forms import DEPLOYMENT_FILE

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog

MOST_BYTES = 32_000_000  # of all files together: they are held in memory while they are read
MOST_YAML_BYTES = 10_000_000  # of the files that are read as YAML, together: a byte of it costs most
_MOST_PARTS = 30  # of a path
_MOST_CHARACTERS = 1_000  # of a path
_MOST_FOLDERS = 10_000
_BELOW = "workspaces"
_YAML = (".yaml", ".yml")


class BroughtFile(NamedTuple):
    """One file of a project; its path is relative to the project's folder, with slashes."""

    path: str
    data: bytes
    is_executable: bool = False


def read_files(files: Iterable[BroughtFile], deployed: Deployed | None) -> Deployed:
    """What they say; the deployed version where they say nothing else.

    Raises:
        ProjectError: there are errors in them.
        UsageError: a path leads elsewhere, or two are the same.
        LimitError: they are too large.
    """
    with tempfile.TemporaryDirectory(prefix="retrofill-") as place:
        _write(Path(place), list(files))
        return Folder(Path(place)).load(deployed)


def files_of(directory: Path) -> list[BroughtFile]:
    """The files of a folder that a version is made from, as they can be brought elsewhere.

    Raises:
        ProjectError: the folder has errors.
    """
    from retrofill import project

    loaded = project.load_whole(directory)
    read = [BroughtFile(file.path, (directory / file.path).read_bytes()) for file in loaded.catalog.files]
    included = [
        BroughtFile(
            f"{_BELOW}/{workspace.name}/{file.path}", loaded.contents[file.sha256], file.is_executable
        )
        for workspace in loaded.catalog.workspaces.values()
        for file in workspace.files
    ]
    # A path may lead through another folder and back; what is code and included as well may be executable.
    found = {posixpath.normpath(file.path): file for file in (*read, *included)}
    return [file._replace(path=path) for path, file in found.items()]


def make_folders(directory: Path, catalog: Catalog) -> None:
    """A folder for each workspace, in which its tasks run: what was brought from elsewhere has made none."""
    for name in catalog.workspaces:
        (directory / _BELOW / name).mkdir(parents=True, exist_ok=True)


def _write(place: Path, files: list[BroughtFile]) -> None:
    size = sum(len(file.data) for file in files)
    if size > MOST_BYTES:
        raise LimitError(f"the files hold {many(size, 'byte')}; at most {MOST_BYTES:,}")
    yaml_size = sum(len(file.data) for file in files if file.path.endswith(_YAML))
    if yaml_size > MOST_YAML_BYTES:
        raise LimitError(f"the YAML files hold {many(yaml_size, 'byte')}; at most {MOST_YAML_BYTES:,}")
    if not any(file.path == DEPLOYMENT_FILE for file in files):
        raise UsageError(f"there is no {DEPLOYMENT_FILE} among the files", "Send all files of the project.")
    written: dict[str, BroughtFile] = {}
    for file in files:
        _check(file.path)
        if written.setdefault(file.path, file) != file:
            raise UsageError(f"{shown(file.path)} is sent twice, and differs", "Send each file once.")
    folders = {above for path in written for above in PurePosixPath(path).parents}
    if len(folders) > _MOST_FOLDERS:
        raise LimitError(f"the files lie in {many(len(folders), 'folder')}; at most {_MOST_FOLDERS:,}")
    for path, file in written.items():
        target = place / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise UsageError(f"{shown(path)} is a file and a folder", "Send each file once.") from None
        except OSError as error:
            raise UsageError(f"{shown(path)} cannot be a file: {error.strerror}", "Rename it.") from None
        target.chmod(0o755 if file.is_executable else 0o644)


def _check(path: str) -> None:
    parts = path.split("/")
    if len(parts) > _MOST_PARTS or len(path) > _MOST_CHARACTERS:
        raise LimitError(
            f"{shown(path[:80])}... has {len(parts)} parts and {len(path):,} characters; "
            f"at most {_MOST_PARTS} and {_MOST_CHARACTERS:,}"
        )
    is_below = len(parts) > 2 and parts[0] == _BELOW
    if not (path == DEPLOYMENT_FILE or is_below) or {"", ".", ".."} & {*parts} or "\0" in path:
        raise UsageError(
            f"{shown(path)} is no file of a project",
            f"Send {DEPLOYMENT_FILE} and what lies in folders of {_BELOW}, by paths relative to the project.",
        )
