"""The files of a project's folder as they are sent to a server: what a version is made from, and nothing besides."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TypedDict


class SentFile(TypedDict):
    """One file; its path is relative to the folder, with `/`."""

    path: str
    base64: str
    executable: bool


def sent_files(directory: Path) -> list[SentFile]:
    """What is read of a folder to check it.

    Raises:
        ProjectError: it has errors; they are told here as the server would.
    """
    from retrofill.bootstrap.bringing import files_of

    return [
        {"path": file.path, "base64": b64encode(file.data).decode(), "executable": file.is_executable}
        for file in files_of(directory)
    ]
