"""Names that can be written in a request: what a form or a shell offers while one types."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Limit
from retrofill.api.results import page_of
from retrofill.services.reading.documents import NamedBackfill, NamedTask, Page

routes = Routes("names")


class Newest(Asked):
    """How many."""

    limit: Limit = 50


@routes.get("/backfills", "names.backfills", Page[NamedBackfill])
def backfills(visit: Asking, asked: Annotated[Newest, Query()]) -> Page[NamedBackfill]:
    """The newest backfills."""
    return page_of(visit.center.names.backfills(asked.limit))


@routes.get("/tasks", "names.tasks", Page[NamedTask])
def tasks(visit: Asking) -> Page[NamedTask]:
    """Every task."""
    return page_of(visit.center.names.tasks())


@routes.get("/users", "names.users", Page[str])
def users(visit: Asking) -> Page[str]:
    """Yourself and the members of your workspaces; to some, everybody."""
    return page_of(visit.center.names.users())


@routes.get("/workspaces", "names.workspaces", Page[str])
def workspaces(visit: Asking) -> Page[str]:
    """Workspaces that you are a member of."""
    return page_of(visit.center.names.workspaces())


@routes.get("/resource-groups", "names.resource_groups", Page[str])
def resource_groups(visit: Asking) -> Page[str]:
    """All resource groups."""
    return page_of(visit.center.names.resource_groups())
