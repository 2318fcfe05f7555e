"""What a deploy is about to publish, in words; and asking before it loses everything."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from retrofill.cli.session import Session, say
from retrofill.cli.tables import cell
from retrofill.domain.errors import UsageError
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Publication, VersionChanges

_NAMED = 10


def say_what_is_published(found: Publication) -> None:
    """Before it is; nothing where nothing differs."""
    if not found["differs"]:
        return
    if found["deployed"] is None:
        count = len(found["changes"]["added"]) + found["changes"]["hidden"]
        say(f"Nothing is deployed yet: this publishes {many(count, 'task')} to the nightly schedule.")
        return
    say(f"The folder differs from version {found['deployed']}; this publishes to the nightly schedule:")
    for line in lines(found["changes"]):
        say(f"  {line}")


def lines(found: VersionChanges) -> list[str]:
    """One line a kind of difference."""
    changed = [f"{name} ({', '.join(what)})" for name, what in found["changed"].items()]
    told = [
        f"{word}: {_listed(names)}"
        for word, names in (("new", found["added"]), ("changed", changed), ("gone", found["removed"]))
        if names
    ]
    if found["hidden"]:
        told.append(f"{many(found['hidden'], 'task')} of workspaces that you are not a member of")
    if found["besides"]:
        told.append(f"besides: {_listed(found['besides'])}")
    return told or ["nothing but the files themselves: comments, or the order of lines"]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return cell(list(names[:_NAMED])) + more


def confirm_losing_everything(session: Session, found: Publication, yes: bool) -> bool:
    """A folder without any workspace is rather one that is not mounted than one that is meant.

    Raises:
        UsageError: nobody can be asked.
    """
    if not found["loses_everything"] or yes:
        return True
    problem = f"{session.folder.directory} holds no workspace, and what is deployed has some: all tasks would be gone"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(problem, "Look whether the folder is whole; where it is meant, add --yes.")
    say(f"{problem[0].upper()}{problem[1:]}.")
    return click.confirm("Publish that?", err=True)
