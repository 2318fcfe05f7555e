"""Resource groups: slots, who holds them, and who waits for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Limit
from retrofill.api.results import page_of
from retrofill.services.reading.documents import GroupRow, GroupUse, Page, Queue

routes = Routes("resource-groups")

GroupName = Annotated[str, Path(max_length=1_000)]


class QueueQuery(Asked):
    """How much of the queue."""

    limit: Limit = 20


class UseQuery(Asked):
    """Of how long."""

    hours: int = Field(24, ge=1, le=168, description="Up to now.")


@routes.get("", "groups.list", Page[GroupRow])
def list_groups(visit: Asking) -> Page[GroupRow]:
    """All resource groups with slots in use and the length of their queues."""
    return page_of(visit.center.groups.list())


@routes.get("/{name}", "groups.show", Queue)
def show(
    visit: Asking, name: Annotated[str, Path(max_length=1_000)], asked: Annotated[QueueQuery, Query()]
) -> Queue:
    """What holds a group's slots, and what waits for them in the order in which it will start."""
    return visit.center.groups.show(name, asked.limit)


@routes.get("/{name}/use", "groups.use", GroupUse)
def use(visit: Asking, name: GroupName, asked: Annotated[UseQuery, Query()]) -> GroupUse:
    """How many of a group's slots were in use over the last hours, by the schedule and by backfills."""
    return visit.center.groups.use(name, asked.hours)
