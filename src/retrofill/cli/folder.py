"""The folder that commands look at, and what stands for it where it has errors. With a server, no folder is looked at."""

from __future__ import annotations

from retrofill.cli.session import Session, say
from retrofill.domain.errors import RetrofillError
from retrofill.domain.words import many


def look_at_folder(session: Session) -> None:
    """Let what is deployed stand for the folder where that has errors, and say so.

    One team's mistake shall not keep others from looking.
    """
    from retrofill.project.problems import ProjectError

    if session.server is not None:
        return
    call = session.call
    try:
        _ = call.folder
    except ProjectError as error:
        if call.deployed is None:
            raise
        call.work_on_deployed()
        say(
            f"The folder has {many(len(error.problems), 'error')} (`retrofill check` lists them), so this is "
            f"version {call.deployed.version_id}, which is deployed."
        )


def folder_differs(session: Session) -> bool:
    """Whether the folder holds something else than what is deployed from it."""
    if session.server is not None:
        return False
    try:
        return session.call.folder.version_id is None
    except RetrofillError:
        return True  # it has errors
