"""Project files -> `domain.Catalog`, with every problem named by file and line.

Importing this package is cheap; what needs YAML or pydantic is imported when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from retrofill.domain.catalog.definitions import Catalog, SourceFile, Workspace
from retrofill.project.problems import Problem, ProjectError

if TYPE_CHECKING:
    from retrofill.project.loader import Loaded

__all__ = ["Problem", "ProjectError", "load", "load_whole", "schema", "unchanged"]

_NONE: Mapping[str, Workspace] = MappingProxyType({})


def load(directory: Path) -> Catalog:
    """Read and check a project's folder (CAT-1).

    Raises:
        ProjectError: holds all problems of all files, in order of files and lines.
    """
    from retrofill.project import loader

    return loader.load(directory)


def load_whole(directory: Path) -> Loaded:
    """The catalog with all that was read on the way: where things are written, and what is doubtful.

    Raises:
        ProjectError: like `load`.
    """
    from retrofill.project import loader

    return loader.load_whole(directory)


def unchanged(
    directory: Path, files: Sequence[SourceFile], workspaces: Mapping[str, Workspace] = _NONE
) -> bool:
    """Whether a folder still holds what a catalog with these was made from; nothing is parsed."""
    from retrofill.project import comparing

    return comparing.unchanged(directory, files, workspaces)


def schema() -> dict[str, dict[str, Any]]:
    """A JSON Schema for `retrofill.yaml` and one for `workspace.yaml`, by file name."""
    from retrofill.project import schema_reference as reference

    return reference.schema()
