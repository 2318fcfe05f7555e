"""Workspaces: who is a member of which, and what that lets them do (SEC-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from retrofill.domain.errors import UnknownNameError, did_you_mean, shown
from retrofill.domain.people.roles import Role
from retrofill.domain.texts import Text
from retrofill.web.rendering import Page
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import GroupRow, WorkspaceRow
    from retrofill.web.visits import PageVisit

# What each may, in a sentence; each also what those below it may (SEC-4).
MAY: Mapping[str, str] = MappingProxyType(
    {
        Role.ADMINISTRATOR: "freezes tasks, overrides parameters of all tasks, removes waits, deploys the workspace",
        Role.OPERATOR: "backfills and operates all tasks",
        Role.DEVELOPER: "backfills and operates the tasks that they own, overrides parameters of those",
        Role.VISITOR: "sees tasks, instances, plans and logs",
    }
)


@dataclass(frozen=True, kw_only=True)
class WorkspacesPage(Page):
    """Those that somebody is a member of."""

    template: ClassVar[str] = "workspaces.html"
    nav: ClassVar[str] = "workspaces"
    title: str = "Workspaces"
    workspaces: Sequence[WorkspaceRow]
    roles: Mapping[str, str]
    may: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class WorkspacePage(Page):
    """One of them.

    Attributes:
        members: names by role, those who may most first.
        groups: resource groups that its tasks may run in.
    """

    template: ClassVar[str] = "workspace.html"
    nav: ClassVar[str] = "workspaces"
    row: WorkspaceRow
    members: Sequence[tuple[str, Sequence[str]]]
    groups: Sequence[GroupRow]
    frozen: int
    own_role: str
    may: Mapping[str, str]


def workspaces(visit: PageVisit) -> Response:
    """All that one sees."""
    return visit.show(
        WorkspacesPage(workspaces=visit.center.tasks.workspaces(), roles=visit.me["roles"], may=MAY)
    )


def workspace(visit: PageVisit, workspace: str) -> Response:
    """One of them; a foreign one is answered like one that there is not."""
    rows = {row["workspace"]: row for row in visit.center.tasks.workspaces()}
    if workspace not in rows:
        raise UnknownNameError(
            f'there is no workspace "{shown(workspace)}"{did_you_mean(workspace, rows)}',
            Text("{workspace.list} shows all of them."),
        )
    row = rows[workspace]
    members = [
        (role.value, sorted(name for name, one in row["members"].items() if one == role)) for role in Role
    ]
    return visit.show(
        WorkspacePage(
            title=workspace,
            row=row,
            members=[one for one in members if one[1]],
            groups=[
                one
                for one in visit.center.groups.list()
                if one["workspaces"] is None or workspace in one["workspaces"]
            ],
            frozen=visit.center.tasks.list({"workspace": workspace}, limit=1, frozen=True)["total"],
            own_role=visit.me["roles"].get(workspace, ""),
            may=MAY,
        )
    )


ROUTES = [page("/workspaces", workspaces), page("/workspaces/{workspace}", workspace)]
