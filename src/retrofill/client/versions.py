"""Deployed versions of a server, and deploying a folder to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrofill.client.desk import Desk
from retrofill.client.transport import Transport, part

if TYPE_CHECKING:
    from retrofill.services.reading.documents import (
        DeployedVersion,
        FileDocument,
        Page,
        Publication,
        RedeployedVersion,
        TaskDifference,
        TaskVersion,
        VersionPage,
        VersionRow,
        VersionTaskPage,
    )


class VersionDesk(Desk):
    """
    Args:
        folder: that of the project whose files are sent; asked for where something is deployed.
    """

    def __init__(self, transport: Transport, folder: Callable[[], Path]) -> None:
        super().__init__(transport)
        self._folder = folder

    # Questions

    def list(self, limit: int | None = None, before: int | None = None) -> Page[VersionRow]:
        """Deployed versions, newest first."""
        return self._page("versions", {"cursor": before}, limit)

    def show(self, version: int) -> VersionPage:
        """What a version holds: tasks, included files, and what it changed."""
        return self._server.get(f"versions/{version}")

    def task(self, version: int, name: str) -> VersionTaskPage:
        """A task as a version has it, with its code."""
        return self._server.get(f"versions/{version}/tasks/{part(name)}")

    def of_task(self, name: str, limit: int = 20, before: int | None = None) -> Page[TaskVersion]:
        """The versions that added, changed or removed a task, newest first."""
        return self._server.get(f"tasks/{part(name)}/versions", {"limit": limit, "cursor": before})

    def compare(self, name: str, older: int, newer: int) -> TaskDifference:
        """What differs of a task between two versions."""
        return self._server.get(f"tasks/{part(name)}/difference", {"older": older, "newer": newer})

    def file(self, version: int, path: str) -> FileDocument:
        """What an included file holds, in base64."""
        return self._server.get(f"versions/{version}/file", {"path": path})

    # Acts

    def about_to_publish(self) -> Publication:
        """What a deploy of the folder changes for the nightly schedule."""
        return self._server.ask("versions/plan", self._files())

    def deploy(
        self, expected: int | None = None, rename_project: bool = False, lose_everything: bool = False
    ) -> DeployedVersion:
        """Publish the folder as a new version; one that does not differ makes none.

        Args:
            expected: the version that was deployed when somebody looked at what this would change; 0: none.
            rename_project: whether a project of another name is meant.
            lose_everything: whether it is meant that no workspace is left.

        Raises:
            RetrofillError: `another_project` or `loses_everything`, where that was not said.
        """
        meant = {"rename_project": rename_project, "lose_everything": lose_everything}
        return self._server.act("POST", "versions", {**self._files(), "expected": expected, **meant})

    def deploy_again(self, version: int) -> RedeployedVersion:
        """Publish an older version anew, as a version of its own, and what that changes."""
        return self._server.act("POST", f"versions/{version}/deploy", {})

    def _files(self) -> dict[str, Any]:
        from retrofill.client.folders import sent_files

        return {"files": sent_files(self._folder())}
