"""Whether a folder still holds exactly what a version was made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from retrofill.domain.catalog.definitions import SourceFile, Workspace
from retrofill.project.sources import (
    MAX_YAML_BYTES,
    WORKSPACE_FILE,
    WORKSPACES,
    SourceError,
    read_below,
    yaml_files,
)
from retrofill.settings.forms import DEPLOYMENT_FILE

_NONE: Mapping[str, Workspace] = MappingProxyType({})


def unchanged(
    directory: Path, files: Sequence[SourceFile], workspaces: Mapping[str, Workspace] = _NONE
) -> bool:
    """Whether a project's folder still holds exactly what a version was made from.

    True means that loading it again would give the same catalog: the same YAML files are
    there, and every file of the version has the same bytes. Cheap: nothing is parsed.

    Args:
        workspaces: of the version; what they include is compared too.
    """
    from retrofill.project.including import are_unchanged

    known = {file.path: file.sha256 for file in files}
    root = Path(os.path.realpath(directory))
    there = yaml_files(root)
    parsed = [path for path in known if _is_yaml_of_project(path)]
    if sorted(there) != sorted(parsed):
        return False
    return all(_digest(root, path) == sha256 for path, sha256 in known.items()) and all(
        are_unchanged(root, one.name, one.include, one.files) for one in workspaces.values() if one.include
    )


def _is_yaml_of_project(path: str) -> bool:
    parts = path.split("/")
    return path == DEPLOYMENT_FILE or (
        len(parts) == 3 and parts[0] == WORKSPACES and parts[2] == WORKSPACE_FILE
    )


def _digest(root: Path, path: str) -> str | None:
    try:
        return hashlib.sha256(read_below(root, path, MAX_YAML_BYTES)[0]).hexdigest()
    except SourceError:
        return None
