"""Workspaces: who is a member of what."""

from __future__ import annotations

from retrofill.api.operations import Routes
from retrofill.api.requests import Asking
from retrofill.api.results import page_of
from retrofill.services.reading.documents import Page, WorkspaceRow

routes = Routes("workspaces")


@routes.get("", "tasks.workspaces", Page[WorkspaceRow])
def list_workspaces(visit: Asking) -> Page[WorkspaceRow]:
    """Workspaces that you are a member of, with their members."""
    return page_of(visit.center.tasks.workspaces())
