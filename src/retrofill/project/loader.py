"""A project's folder -> a checked `domain.Catalog`, or all of its problems at once (CAT-1)."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from retrofill.domain.catalog.definitions import Catalog, SourceFile, Task
from retrofill.project.code import CodeFiles
from retrofill.project.dependencies import Declared, check_links
from retrofill.project.deployment import Deployment, read_deployment
from retrofill.project.models import check_name
from retrofill.project.problems import Doubtful, EnoughError, Problem, ProjectError, Report
from retrofill.project.sources import (
    MAX_YAML_BYTES,
    WORKSPACE_FILE,
    WORKSPACES,
    SourceError,
    SourceText,
    read_source,
    workspace_folders,
)
from retrofill.project.workspaces import ReadWorkspace, read_workspace
from retrofill.project.yaml_nodes import Node, compose
from retrofill.settings.forms import DEPLOYMENT_FILE, FormError


def load(directory: Path) -> Catalog:
    """Read and check a project.

    Raises:
        ProjectError: with every problem of every file, in order of files and lines.
    """
    return load_whole(directory).catalog


def load_whole(directory: Path) -> Loaded:
    """The same, with all that was read on the way."""
    with _no_garbage_collection():
        load = _Load(directory)
        return Loaded(load.catalog(), load.places, load.report.doubts, load.contents, load.group_places)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Loading makes many objects and no garbage; collecting in between takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """Where a task names what it depends on, or where it or a resource group begins: the file relative to the project."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A catalog, where its tasks stand, what is doubtful, and what the files hold that it includes, by SHA-256.

    `group_places` has the resource groups that are written.
    """

    catalog: Catalog
    places: dict[str, TaskPlace]
    doubts: tuple[Doubtful, ...]
    contents: dict[str, bytes]
    group_places: dict[str, TaskPlace]


class _Load:
    """One load: what was read so far, and the report."""

    def __init__(self, directory: Path) -> None:
        self.report = Report()
        self.places: dict[str, TaskPlace] = {}
        self.group_places: dict[str, TaskPlace] = {}
        self.root = _root(directory)
        self.sources: list[SourceText] = []
        self.code_files = CodeFiles(self.root)
        self.contents: dict[str, bytes] = {}

    def catalog(self) -> Catalog:
        folders = self._folders()
        deployment = self._deployment(folders)
        workspaces: dict[str, ReadWorkspace] = {}
        unread: list[str] = []
        for folder in folders:
            path = f"{WORKSPACES}/{folder}/{WORKSPACE_FILE}"
            node = self._compose(path)
            tasks = node.find("tasks") if node else None
            if node is None or (tasks is not None and tasks.entries is None):
                unread.append(folder)
            if node is not None:
                try:
                    read = read_workspace(folder, path, node, deployment, self.code_files, self.report)
                except EnoughError:
                    unread.append(folder)
                    continue
                workspaces[folder] = read
                self.contents |= read.contents
        declared = {
            name: Declared(f"{WORKSPACES}/{folder}/{WORKSPACE_FILE}", task.links)
            for folder, read in workspaces.items()
            for name, task in read.tasks.items()
        }
        self.report.stops = False  # what is wrong between files is told for each of them
        check_links(declared, declared.keys(), unread, self.report)
        self.report.raise_if_any()
        return self._made(deployment, workspaces)

    def _folders(self) -> list[str]:
        """Folders of workspaces; one that holds no YAML file is none."""
        folders = []
        seen: dict[str, str] = {}
        for folder in workspace_folders(self.root):
            names = [p.name for p in (self.root / WORKSPACES / folder).glob("*.y*ml")]
            if not names:
                continue
            path = f"{WORKSPACES}/{folder}/{WORKSPACE_FILE}"
            if WORKSPACE_FILE not in names:
                message = f"the folder has {min(names)} and no {WORKSPACE_FILE}"
                self.report.add(path, (1, 1), message, f"name the workspace's file {WORKSPACE_FILE}")
                continue
            try:
                check_name(folder)
            except FormError as error:
                self.report.add(
                    path, (1, 1), f"the name of the workspace's folder {error.message}", error.hint
                )
            first = seen.setdefault(folder.casefold(), folder)
            if first != folder:
                message = f'workspace "{folder}" differs from "{first}" only in case'
                self.report.add(path, (1, 1), message, "choose another name")
            folders.append(folder)
        return folders

    def _deployment(self, folders: list[str]) -> Deployment:
        node = self._compose(DEPLOYMENT_FILE)
        try:
            return Deployment() if node is None else read_deployment(node, folders, self.report)
        except EnoughError:
            return Deployment()

    def _compose(self, path: str) -> Node | None:
        try:
            source = read_source(self.root, path, MAX_YAML_BYTES)
            self.sources.append(source)
            return compose(path, source.data, self.report)
        except SourceError as error:
            self.report.add(path, error.place, error.message, error.hint)
        except EnoughError:
            pass
        return None

    def _made(self, deployment: Deployment, workspaces: dict[str, ReadWorkspace]) -> Catalog:
        tasks: dict[str, Task] = {}
        self.group_places |= {
            name: TaskPlace(DEPLOYMENT_FILE, *place) for name, place in deployment.group_places.items()
        }
        for folder, read in workspaces.items():
            for name, found in read.tasks.items():
                assert found.task is not None, name  # else there was a problem
                tasks[name] = found.task
                self.places[name] = TaskPlace(f"{WORKSPACES}/{folder}/{WORKSPACE_FILE}", *found.place)
        files = {s.path: s.sha256 for s in (*self.sources, *self.code_files.sources)}
        return Catalog(
            project=deployment.project,
            timezone=deployment.timezone,
            region=deployment.region,
            workspaces=MappingProxyType({name: read.workspace for name, read in workspaces.items()}),
            tasks=MappingProxyType(dict(sorted(tasks.items()))),
            resource_groups=MappingProxyType(dict(deployment.resource_groups)),
            baselines=MappingProxyType(dict(deployment.baselines)),
            connections=MappingProxyType(dict(deployment.connections)),
            settings=MappingProxyType(dict(deployment.settings)),
            files=tuple(SourceFile(path, sha256) for path, sha256 in sorted(files.items())),
            secrets=MappingProxyType(dict(deployment.secrets)),
        )


def _root(directory: Path) -> Path:
    """The project's folder, resolved; an error where it is none."""
    hint = "make a project there, or name the folder of another one"
    try:
        root = directory.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise ProjectError(
            [Problem(DEPLOYMENT_FILE, 1, 1, f"there is no folder {directory}", hint)]
        ) from None
    if not root.is_dir():
        raise ProjectError([Problem(DEPLOYMENT_FILE, 1, 1, f"{directory} is not a folder", hint)])
    if not os.path.lexists(root / DEPLOYMENT_FILE):
        other = (root / "retrofill.yml").exists()
        message = f"there is no {DEPLOYMENT_FILE} in {directory}"
        raise ProjectError(
            [
                Problem(
                    DEPLOYMENT_FILE,
                    1,
                    1,
                    message,
                    f"rename retrofill.yml to {DEPLOYMENT_FILE}" if other else hint,
                )
            ]
        )
    return root
