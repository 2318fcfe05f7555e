"""The files of a project's folder as they are sent to a server: what a version is made from, and nothing besides."""

from __future__ import annotations

import posixpath
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from retrofill.project.loader import Loaded


class SentFile(TypedDict):
    """One file; its path is relative to the folder, with `/`."""

    path: str
    base64: str
    executable: bool


def files_of(directory: Path) -> list[SentFile]:
    """What is read of it to check it.

    Raises:
        ProjectError: the folder has errors; they are told here as the server would.
    """
    from retrofill import project

    loaded = project.load_whole(directory)
    read = (_sent(file.path, (directory / file.path).read_bytes(), False) for file in loaded.catalog.files)
    sent = {file["path"]: file for file in (*read, *_included(loaded))}  # what is both may be executable
    return [*sent.values()]


def _included(loaded: Loaded) -> Iterator[SentFile]:
    for workspace in loaded.catalog.workspaces.values():
        for file in workspace.files:
            path = f"workspaces/{workspace.name}/{file.path}"
            yield _sent(path, loaded.contents[file.sha256], file.is_executable)


def _sent(path: str, data: bytes, is_executable: bool) -> SentFile:
    """`path` may lead through another workspace's folder and back."""
    return {"path": posixpath.normpath(path), "base64": b64encode(data).decode(), "executable": is_executable}
