"""The files of a project: which there are, reading them safely, and whether they changed.

Paths are relative to the project's folder, with `/`. Links are followed as long as they
stay inside it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from retrofill.domain.catalog.definitions import Workspace
from retrofill.settings.forms import DEPLOYMENT_FILE

WORKSPACES = "workspaces"
WORKSPACE_FILE = "workspace.yaml"
MAX_YAML_BYTES = 10_000_000
MAX_CODE_BYTES = 1_000_000
_NONE: Mapping[str, Workspace] = MappingProxyType({})


class SourceError(Exception):
    """A file that cannot be read as text: the sentence, what to do, and the offset where known."""

    def __init__(self, message: str, hint: str, place: tuple[int, int] = (1, 1)) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file's bytes, without a byte order mark, and the hash of the bytes as they are on disk."""

    path: str
    data: bytes
    sha256: str

    @property
    def text(self) -> str:
        return self.data.decode("utf-8")


@dataclass(frozen=True, slots=True)
class SourceBytes:
    """A file's bytes with their hash, text or not."""

    data: bytes
    sha256: str
    is_executable: bool


def yaml_files(root: Path) -> list[str]:
    """The YAML files that make a project, the deployment's first, workspaces in order of their names."""
    found = [DEPLOYMENT_FILE] if os.path.lexists(root / DEPLOYMENT_FILE) else []
    for folder in workspace_folders(root):
        path = f"{WORKSPACES}/{folder}/{WORKSPACE_FILE}"
        if os.path.lexists(root / path):
            found.append(path)
    return found


def workspace_folders(root: Path) -> list[str]:
    """Names of the folders in `workspaces/` that are not hidden, in order."""
    try:
        with os.scandir(root / WORKSPACES) as entries:
            return sorted(e.name for e in entries if not e.name.startswith(".") and e.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_source(root: Path, path: str, limit: int) -> SourceText:
    """Read a regular file inside the project as UTF-8 text.

    Args:
        root: the project's folder, resolved.
        path: relative to it.
        limit: most bytes that are read.

    Raises:
        SourceError: it is missing, outside the project, no regular file, too large, or not text.
    """
    _check_inside(root, path)
    data, _ = read_below(root, path, limit)
    digest = hashlib.sha256(data).hexdigest()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError("the file is UTF-16", "save it as UTF-8")
    text = data.removeprefix(b"\xef\xbb\xbf")
    _check_text(text)
    return SourceText(path, text, digest)


def read_bytes(root: Path, path: str, limit: int) -> SourceBytes:
    """Read a regular file inside the project, whatever it holds; arguments as those of `read_source`.

    Raises:
        SourceError: it is missing, outside the project, no regular file, too large, or its name is no UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        raise SourceError("its name is not valid UTF-8", "rename it") from None
    _check_inside(root, path)
    data, mode = read_below(root, path, limit)
    return SourceBytes(data, hashlib.sha256(data).hexdigest(), bool(mode & stat.S_IXUSR))


def _check_inside(root: Path, path: str) -> None:
    try:
        resolved = os.path.realpath(os.path.join(root, path))
    except (OSError, ValueError) as error:
        raise _unreadable(error) from None
    if not resolved.startswith(os.path.join(root, "")):
        raise SourceError("the file lies outside the project's folder", "move it into the project")


def read_below(root: Path, path: str, limit: int) -> tuple[bytes, int]:
    """What the file holds, and its mode."""
    try:
        # Not blocking: opening a FIFO must not wait for a writer.
        descriptor = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unreadable(error) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise SourceError("it is not a regular file", "a folder, pipe or device cannot be read")
    with open(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        size = max(status.st_size, len(data))
        raise SourceError(f"the file has {size:,} bytes; at most {limit:,} are read", "split it")
    return data, status.st_mode


def _unreadable(error: Exception) -> SourceError:
    if isinstance(error, FileNotFoundError):
        return SourceError("there is no such file", "create it or correct the name")
    reason = getattr(error, "strerror", None) or str(error)
    return SourceError(f"the file cannot be opened: {reason}", "check its path and permissions")


def _check_text(data: bytes) -> None:
    from retrofill.project.yaml_nodes import place_of

    zero = data.find(b"\0")
    if zero >= 0:
        raise SourceError("a NUL character", "the file must be UTF-8 text", place_of(data, zero))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte 0x{data[error.start]:02x} is not valid UTF-8",
            "save the file as UTF-8",
            place_of(data, error.start),
        ) from None
