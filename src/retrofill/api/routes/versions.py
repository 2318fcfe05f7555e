"""Deployed versions: which came when, what they hold; publishing a project's files, or an older version anew."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Annotated

from fastapi import Query
from pydantic import Base64Bytes, Field

from retrofill.api.operations import Routes
from retrofill.api.requests import MOST_ID, Asked, Asking, Cursor, Id, Limit, Once
from retrofill.api.routes.tasks import TaskName
from retrofill.bootstrap.bringing import MOST_BYTES, BroughtFile
from retrofill.domain.people.roles import Action
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import (
    DeployedVersion,
    FileDocument,
    Page,
    Publication,
    RedeployedVersion,
    VersionPage,
    VersionRow,
    VersionTaskPage,
)

routes = Routes("versions")
_MOST_FILES = 100_000
TURNS = BoundedSemaphore(2)  # of who brings files: each is some 100 MB, and seconds of work
_BODY_BYTES = MOST_BYTES * 3 // 2  # base64 takes four thirds
LARGER = {"/versions": _BODY_BYTES, "/versions/plan": _BODY_BYTES}


class VersionQuery(Asked):
    """Which versions."""

    limit: Limit = 50
    cursor: Cursor = None


class FileQuery(Asked):
    """Which file."""

    path: str = Field(description="`WORKSPACE/PATH` of a file that the version includes.")


class ProjectFile(Asked):
    """One file of a project."""

    path: str = Field(max_length=4_096, description="Relative to the project's folder, with slashes.")
    base64: Base64Bytes = Field(description="What it holds.")
    executable: bool = Field(False, description="Whether it can be run as a program.")


class ProjectFiles(Asked):
    """All files of a project that a version is made from: `retrofill.yaml`, `workspaces/...`."""

    files: Annotated[list[ProjectFile], Field(fail_fast=True, min_length=1, max_length=_MOST_FILES)] = Field(
        description="Each file once."
    )

    @property
    def brought(self) -> list[BroughtFile]:
        return [BroughtFile(one.path, one.base64, one.executable) for one in self.files]


class Deploy(ProjectFiles):
    """Files that are published."""

    expected: int | None = Field(
        None,
        ge=0,
        le=MOST_ID,
        description="The version that was deployed when you looked at what this would change; 0: none.",
    )
    rename_project: bool = Field(
        False, description="Whether a project of another name than the deployed one is meant."
    )
    lose_everything: bool = Field(
        False, description="Whether it is meant that no workspace is left of those that are deployed."
    )


# Questions


@routes.get("", "versions.list", Page[VersionRow])
def list_versions(visit: Asking, asked: Annotated[VersionQuery, Query()]) -> Page[VersionRow]:
    """Deployed versions, newest first."""
    return visit.center.versions.list(asked.limit, asked.cursor)


@routes.post("/plan", "versions.about_to_publish", Publication, needs=Action.DEPLOY, turns=TURNS)
def about_to_publish(visit: Asking, body: ProjectFiles) -> Publication:
    """What a deploy of these files would change for the nightly schedule; publishes nothing."""
    visit.call.bring(body.brought)
    return visit.center.versions.about_to_publish()


@routes.get("/{version}", "versions.show", VersionPage)
def show(visit: Asking, version: Id) -> VersionPage:
    """What a version holds: tasks, included files, and what it changed."""
    return visit.center.versions.show(version)


@routes.get("/{version}/tasks/{task}", "versions.task", VersionTaskPage)
def task_of(visit: Asking, version: Id, task: TaskName) -> VersionTaskPage:
    """A task as a version has it, with its code."""
    return visit.center.versions.task(version, task)


@routes.get("/{version}/file", "versions.file", FileDocument)
def file_of(visit: Asking, version: Id, asked: Annotated[FileQuery, Query()]) -> FileDocument:
    """What an included file holds."""
    return visit.center.versions.file(version, asked.path)


# Acts


@routes.post("", "versions.deploy", DeployedVersion, scope=Scope.ADMIN, needs=Action.DEPLOY, turns=TURNS)
def deploy(visit: Asking, body: Deploy, once: Once = None) -> DeployedVersion:
    """Publish these files as a new version; files that say what is deployed already make none."""
    visit.call.bring(body.brought)
    return visit.center.versions.deploy(body.expected, body.rename_project, body.lose_everything)


@routes.post("/{version}/deploy", "versions.deploy_again", RedeployedVersion, scope=Scope.ADMIN)
def deploy_again(visit: Asking, version: Id, once: Once = None) -> RedeployedVersion:
    """Publish an older version anew, as a version of its own."""
    return visit.center.versions.deploy_again(version)
