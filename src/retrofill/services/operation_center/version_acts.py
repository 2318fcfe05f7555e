"""Publishing the folder, or an older version anew (CAT-1, CAT-9, SEC-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.catalogs.deploy import unknown_version
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.domain.catalog.publishing import Differences
    from retrofill.services.reading.documents import (
        DeployedVersion,
        Publication,
        RedeployedVersion,
        VersionChanges,
    )


class VersionActs(Desk):
    def about_to_publish(self) -> Publication:
        """What a deploy of the folder changes for the nightly schedule, as far as the actor may know.

        Raises:
            ProjectError: the folder has errors.
        """
        from retrofill.domain.catalog.publishing import Differences, differences

        folder, deployed = self._parts.folder, self._parts.deployed
        differs, found = folder.version_id is None, Differences()
        if differs:
            found = differences(None if deployed is None else deployed.catalog, folder.catalog)
        return {
            "deployed": None if deployed is None else deployed.version_id,
            "differs": differs,
            "changes": changes_of(found.seen_by(self._actor.sees)),
            "loses_everything": found.loses_everything,
        }

    def deploy(
        self, expected: int | None = None, rename_project: bool = False, lose_everything: bool = False
    ) -> DeployedVersion:
        """Publish the folder as a new version; one that does not differ makes none.

        Who can write the folder may, and an administrator of every workspace that changes.

        Args:
            expected: the version that was deployed when somebody looked at what this would change; 0: none.
            rename_project: whether a project of another name is meant.
            lose_everything: whether it is meant that no workspace is left.

        Raises:
            AnotherProjectError: the deployed project is called otherwise.
            LosesEverythingError: what is deployed has workspaces, and the folder has none.
            DeployedMeanwhileError: it is another one by now.
            ProjectError: the folder has errors.
            NotPermittedError: a workspace changes of which the actor is no administrator.
        """
        from retrofill.services.catalogs.deploy import check_meant, deploy

        parts, folder = self._parts, self._parts.folder
        if folder.version_id is not None and self._is_deployed(folder.version_id):
            # What a deploy that was killed owes is made all the same.
            return self._follow(folder.version_id, is_new=False)
        if parts.deployed is not None:
            check_meant(
                parts.deployed.catalog,
                folder.catalog,
                rename_project=rename_project,
                lose_everything=lose_everything,
            )
        version_id, is_new = deploy(
            parts.store,
            folder.catalog,
            self._actor,
            parts.clock.now_ms(),
            folder.contents,
            owns_folder=parts.owns_folder,
            expected=expected,
        )
        parts.note_deployed(folder.catalog, version_id, is_folder=True)
        return self._follow(version_id, is_new)

    def deploy_again(self, version: int) -> RedeployedVersion:
        """Publish an older version anew, as a version of its own, and what that changes; the folder stays as it is.

        Raises:
            UnknownNameError: there is no such version.
            NotPermittedError: a workspace changes of which the actor is no administrator.
        """
        from retrofill.domain.catalog.publishing import differences
        from retrofill.services.catalogs.deploy import deploy_again

        parts = self._parts
        if parts.deployed is None:
            raise unknown_version(version)
        before = parts.deployed.catalog
        version_id, is_new = deploy_again(
            parts.store, version, self._actor, parts.clock.now_ms(), owns_folder=parts.owns_folder
        )
        with parts.store.read() as reader:
            catalog = parts.graphs.catalog(reader, version_id)
        parts.note_deployed(catalog, version_id, is_folder=False)
        changes = changes_of(differences(before, catalog).seen_by(self._actor.sees))
        return {**self._follow(version_id, is_new), "changes": changes}

    def _is_deployed(self, version_id: int) -> bool:
        """Whether it is deployed now, whatever was when the actor began to ask."""
        with self._parts.store.read() as reader:
            return reader.current_version_id() == version_id

    def _follow(self, version_id: int, is_new: bool) -> DeployedVersion:
        """Make the instances that a deploy owes, and say what it means for the schedule (AUTO-1, AUTO-2)."""
        from retrofill.domain.planning.moves import made_sentences

        schedule = self._parts.schedule()
        notes = schedule.notes_of_deploy(self._actor.sees) if is_new else []
        return {
            "version": version_id,
            "new": is_new,
            "notes": [*made_sentences(schedule.make_owed()), *notes],
        }


def changes_of(found: Differences) -> VersionChanges:
    """Differences as they are shown."""
    return {
        "added": list(found.added),
        "changed": {name: list(what) for name, what in found.changed.items()},
        "removed": list(found.removed),
        "hidden": found.hidden,
        "besides": list(found.besides),
    }
