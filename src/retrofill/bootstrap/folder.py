"""A project's folder: where it is, what lies where in it, and what its files say."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.domain.errors import Kind, UnknownNameError, shown

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog

_MARK = "retrofill.yaml"
_BROUGHT = "brought"  # in `.retrofill`
_GROUP = "up"


class NoProjectError(UnknownNameError):
    """Name a project's folder with {option.project}, or make one with {project.create}."""

    code = "no_project"
    kind = Kind.USAGE


class Deployed:
    """A catalog with the version that it was deployed as; None for a folder that was not.

    Args:
        catalog: or what loads it, when it is asked for: many commands do without.
        contents: of files that a folder includes.
    """

    def __init__(
        self,
        catalog: Catalog | Callable[[], Catalog],
        version_id: int | None,
        contents: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        self._catalog = catalog
        self.version_id = version_id
        self.contents = contents

    @cached_property
    def catalog(self) -> Catalog:
        return self._catalog() if callable(self._catalog) else self._catalog


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths within a project's folder; nothing of them need be there but `retrofill.yaml`.

    Raises:
        NoProjectError: that is not there.
    """

    directory: Path  # absolute

    def __post_init__(self) -> None:
        if not (self.directory / _MARK).exists():
            raise NoProjectError(f"{shown(str(self.directory))} is no Retrofill project: it has no {_MARK}")

    @property
    def home(self) -> Path:
        """Store, runs and logs."""
        return self.directory / ".retrofill"

    @property
    def runs(self) -> Path:
        """Logs, and what supervisors of runs leave."""
        return self.home / "runs"

    @property
    def code(self) -> Path:
        """What versions include, laid out for runs (CAT-9)."""
        return self.home / "code"

    @property
    def brought_version(self) -> int | None:
        """The version that was published last by who brought it from elsewhere to a server of this folder."""
        try:
            return int((self.home / _BROUGHT).read_text())
        except (FileNotFoundError, ValueError):
            return None

    def note_brought(self, version_id: int) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        (self.home / _BROUGHT).write_text(f"{version_id}\n")

    def note_group(self, pid: int, url: str) -> None:
        """That `up` runs as this process, whose server is at this address; its parts are children of it."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        (self.home / _GROUP).write_text(f"{pid} {url}\n")

    def group_of(self, pid: int) -> tuple[int, str] | None:
        """The process and the address of the `up` of which this process is a part; None where it is of none."""
        try:
            parent, url = (self.home / _GROUP).read_text().split()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            return None
        return (int(parent), url) if fields[1] == parent else None  # else it is what a dead one has left

    @property
    def is_writable(self) -> bool:
        """Whether who acts can write it, and so decides what is deployed from it (SEC-4)."""
        return os.access(self.directory, os.W_OK)

    def load(self, deployed: Deployed | None) -> Deployed:
        """What its files say; the deployed version where they say nothing else.

        Raises:
            ProjectError: the folder has errors.
        """
        from retrofill import project

        if deployed is not None and project.unchanged(
            self.directory, deployed.catalog.files, deployed.catalog.workspaces
        ):
            return deployed
        loaded = project.load_whole(self.directory)
        return Deployed(loaded.catalog, None, loaded.contents)


def find_folder(directory: str | None, environ: Mapping[str, str]) -> Folder:
    """The folder of that name, of RETROFILL_PROJECT, the current folder or the nearest one above it.

    Raises:
        NoProjectError: there is none.
    """
    named = directory or environ.get("RETROFILL_PROJECT")
    if named:
        return Folder(Path(named).absolute())
    here = Path.cwd()
    found = next((one for one in (here, *here.parents) if (one / _MARK).exists()), here)
    return Folder(found)
