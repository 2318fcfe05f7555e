"""A project's files that somebody has sent to a server: checked by the same loader, as a folder of their own.

Nothing of them is trusted. A path that leads out of the folder, or anywhere but to the place that it spells, is refused
before anything is written; links cannot be sent. What lies in the server's own folder is neither read nor changed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from retrofill.bootstrap.folder import Folder
from retrofill.domain.errors import LimitError, UsageError, shown
from retrofill.domain.texts import Text
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.bootstrap.folder import Deployed

_MARK = "retrofill.yaml"
MOST_FILES = 20_000
MOST_BYTES = 50_000_000
_LONGEST_PATH = 1_000  # bytes


class SentFile(NamedTuple):
    """One file; its path is relative to the project's folder, with `/`."""

    path: str
    data: bytes
    is_executable: bool = False


class SentFilesError(UsageError):
    """Send the files of a project's folder, each by its path below it, as {project.deploy} does."""

    code = "sent_files"


def load_sent(files: Sequence[SentFile], deployed: Deployed | None) -> Deployed:
    """What the files say; the deployed version where they say nothing else.

    Raises:
        SentFilesError: a path leads elsewhere or is there twice, or there is no `retrofill.yaml`.
        LimitError: more than a project has.
        ProjectError: they have errors.
    """
    _check(files)
    with TemporaryDirectory(prefix="retrofill-sent-") as name:
        root = Path(name)
        for file in files:
            _write(root, file)
        loaded = Folder(root).load(deployed)
        _ = loaded.catalog  # read while the files are there
        return loaded


def _check(files: Sequence[SentFile]) -> None:
    if len(files) > MOST_FILES:
        raise LimitError(f"{many(len(files), 'file')} were sent; at most {MOST_FILES:,}", "Include less.")
    if sum(len(file.data) for file in files) > MOST_BYTES:
        raise LimitError(f"the files have more than {MOST_BYTES:,} bytes together", "Include less.")
    paths = [file.path for file in files]
    for path in paths:
        _check_path(path)
    if len(set(paths)) < len(paths):
        raise SentFilesError("a file was sent twice")
    if _MARK not in paths:
        raise SentFilesError(
            f"there is no {_MARK} among the files that were sent", Text("{project.create} makes one.")
        )
    folders = {parent for path in paths for parent in _parents(path)}
    if both := folders & set(paths):
        raise SentFilesError(f'"{shown(min(both))}" is a file and a folder')


def _check_path(path: str) -> None:
    """A path that the loader could read in a folder of the same files."""
    parts = path.split("/")
    is_plain = all(part not in ("", ".", "..") for part in parts) and "\0" not in path and "\\" not in path
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        is_plain, size = False, 0
    if not is_plain or size > _LONGEST_PATH or any(len(part.encode()) > 255 for part in parts if is_plain):
        raise SentFilesError(f'"{shown(path[:200])}" is no path of a file in the project\'s folder')


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _write(root: Path, file: SentFile) -> None:
    path = root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700 if file.is_executable else 0o600)
    with open(descriptor, "wb") as out:
        out.write(file.data)
