"""The folder that commands look at, and what stands for it where it has errors."""

from __future__ import annotations

from retrofill.cli.session import Session, say
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.words import many


def folder_catalog(session: Session) -> tuple[Catalog, dict[str, int]]:
    """The folder as it is, with the ids of the tasks that were deployed.

    Where the folder has errors, what is deployed stands for it, and that is said: one team's mistake
    shall not keep others from looking.
    """
    from retrofill.project.problems import ProjectError

    project = session.project
    try:
        _ = project.folder
    except ProjectError as error:
        if project.deployed is None:
            raise
        project.work_on_deployed()
        say(
            f"The folder has {many(len(error.problems), 'error')} (`retrofill check` lists them), so this is "
            f"version {project.deployed.version_id}, which is deployed."
        )
    ids: dict[str, int] = {}
    if project.deployed is not None:
        with project.store.read() as reader:
            ids = reader.task_ids()
    return project.folder.catalog, ids
