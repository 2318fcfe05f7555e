"""Deployed versions: which came when, what they hold and what they changed (CAT-9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, shown
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.catalogs.deploy import unknown_version
from retrofill.services.operation_center.version_acts import VersionActs, changes_of

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.ports.records import VersionRecord
    from retrofill.services.reading.documents import (
        FileDocument,
        Page,
        TaskDifference,
        TaskVersion,
        VersionHead,
        VersionPage,
        VersionRow,
        VersionTaskPage,
    )
    from retrofill.services.reading.view import View


class VersionDesk(VersionActs):
    # Questions

    def list(self, limit: int | None = None, before: int | None = None) -> Page[VersionRow]:
        """Deployed versions, newest first.

        Args:
            limit: None for all.
            before: only those that are older than this one.
        """
        with self.view_if_deployed() as view:
            if view is None:
                return {"items": [], "next": None}
            found = view.reader.versions.latest(-1 if limit is None else limit + 1, before)
            rows: Sequence[VersionRow] = [
                {**self._head(view, one), "tasks": one.task_count, "published_from": one.published_from}
                for one in found[:limit]
            ]
        return {"items": [*rows], "next": rows[-1]["version"] if len(found) > len(rows) else None}

    def show(self, version: int) -> VersionPage:
        """What a version holds: tasks, included files, and what it changed.

        Raises:
            UnknownNameError: there is no such version.
        """
        from retrofill.domain.catalog.publishing import differences

        sees = self._actor.sees
        with self.view(unknown_version(version)) as view:
            record, catalog = self._record(view, version), view.graphs.catalog(view.reader, version)
            before = view.reader.versions.before(version)
            earlier = None if before is None else view.graphs.catalog(view.reader, before)
            head = self._head(view, record)
        return {
            **head,
            "published_from": record.published_from,
            "changes": changes_of(differences(earlier, catalog).seen_by(sees)),
            "compared_with": before,
            "tasks": [
                {
                    "task": task.name,
                    "type": task.type.value,
                    "schedule": task.schedule.text,
                    "code_file": task.code_file or None,
                }
                for task in catalog.tasks.values()
                if sees(task.name)
            ],
            "included": {
                workspace.name: [
                    {"path": file.path, "bytes": file.size, "sha256": file.sha256} for file in workspace.files
                ]
                for workspace in catalog.workspaces.values()
                if sees(workspace.name)
            },
        }

    def task(self, version: int, name: str) -> VersionTaskPage:
        """A task as a version has it, with its code.

        Raises:
            UnknownNameError: there is no such version, or no such task in it, as far as the actor knows.
        """
        from retrofill.services.catalogs.deploy import find_past_task
        from retrofill.services.reading.lineage import lineage_of
        from retrofill.services.reading.tasks import task_page

        with self.view(unknown_version(version)) as view:
            catalog, ids = self._catalog(view, version), view.task_ids
        full = find_past_task(catalog, ids, name, self._actor.sees)
        if full not in catalog.tasks:
            raise UnknownNameError(
                f"version {version} has no task {full}",
                Text("{show} lists its tasks.", show=Step("version.show", id=version)),
            )
        lineage = lineage_of(self._parts.lineages(catalog), full)
        page = task_page(catalog, catalog.tasks[full], ids, lineage, self._actor.sees)
        return {"version": version, **page}

    def of_task(self, name: str, limit: int = 20, before: int | None = None) -> Page[TaskVersion]:
        """The versions that added, changed or removed a task, newest first.

        A page may hold fewer than asked for and yet have a next one: of many versions, only so many are looked into
        at once.

        Args:
            before: only those that are older than this one.

        Raises:
            UnknownNameError: there is and was no such task, as far as the actor knows.
        """
        from retrofill.services.reading.task_versions import versions_of

        with self.view(_no_task(name)) as view:
            found = versions_of(view.reader, self._past_task(view, name), limit, before)
            rows: Sequence[TaskVersion] = [
                {**self._head(view, one.record), "change": one.change, "what": [*one.what]}
                for one in found.found
            ]
        return {"items": [*rows], "next": found.following}

    def compare(self, name: str, older: int, newer: int) -> TaskDifference:
        """What differs of a task between two versions: what is declared, and lines of its code.

        Raises:
            UnknownNameError: there is no such version, or neither has such a task, as far as the actor knows.
        """
        from retrofill.services.reading.task_versions import changed_of, code_lines, find_task_in

        with self.view(_no_task(name)) as view:
            full = self._past_task(view, name)
            for version in (older, newer):
                self._record(view, version)
            before, after = (find_task_in(view.reader, version, full) for version in (older, newer))
        if before is None and after is None:
            raise UnknownNameError(
                f"neither version {older} nor version {newer} has a task {full}",
                Text("{show} lists its tasks.", show=Step("version.show", id=newer)),
            )
        return {
            "task": full,
            "older": older,
            "newer": newer,
            "fields": [*changed_of(before, after, self._actor.sees)],
            "code": code_lines(before.code if before else "", after.code if after else ""),
        }

    def file(self, version: int, path: str) -> FileDocument:
        """What an included file holds, in base64.

        Args:
            path: `WORKSPACE/PATH`.

        Raises:
            UnknownNameError: there is no such version, or no such file in it, as far as the actor knows.
        """
        import base64

        name, _, inner = path.partition("/")
        with self.view(unknown_version(version)) as view:
            known = self._catalog(view, version).workspaces.get(name) if self._actor.sees(name) else None
            files = {file.path: file for file in known.files} if known is not None else {}
            if inner not in files:
                raise UnknownNameError(
                    f"version {version} includes no file {shown(path)}",
                    Text("{show} lists them.", show=Step("version.show", id=version)),
                )
            sha256 = files[inner].sha256
            data = view.reader.versions.content(sha256)
        return {"path": path, "sha256": sha256, "base64": base64.b64encode(data).decode()}

    # Inside

    def _record(self, view: View, version: int) -> VersionRecord:
        found = view.reader.versions.find(version)
        if found is None:
            raise unknown_version(version)
        return found

    def _past_task(self, view: View, name: str) -> str:
        """The full name of a task that there is or was."""
        from retrofill.services.catalogs.deploy import find_past_task

        return find_past_task(self._parts.in_force, view.task_ids, name, self._actor.sees)

    def _catalog(self, view: View, version: int) -> Catalog:
        return view.graphs.catalog(view.reader, self._record(view, version).id)

    def _head(self, view: View, record: VersionRecord) -> VersionHead:
        deployed, known = self._parts.deployed, {SYSTEM_ADMINISTRATOR, *view.access.known_users()}
        return {
            "version": record.id,
            "current": deployed is not None and record.id == deployed.version_id,
            "deployed_at": shown_instant(record.created_ms),
            "deployed_by": record.created_by if record.created_by in known else None,
        }


def _no_task(name: str) -> UnknownNameError:
    """Nothing is deployed, and so no version has it."""
    return UnknownNameError(f'there is no task "{shown(name)}"', Text("{task.list} shows all tasks."))
