"""Backfills: lists, what they are, how far they have come, and what is done with them as wholes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Cursor, Id, Limit
from retrofill.domain.running.searches import BackfillSearch
from retrofill.services.reading.documents import BackfillPage, BackfillRow, Page

routes = Routes("backfills")


class BackfillQuery(Asked):
    """Which backfills; of what is given, all must hold (BF-1)."""

    name: str | None = Field(None, description="Is in the name, in whatever case.")
    creator: str | None = Field(None, description="Who created it.")
    status: str | None = Field(None, description="As rows show it.")
    check_status: str | None = Field(None, description="`checking`, `passed` or `failed`.")
    bizdate: str | None = Field(None, description="One of its bizdates: a date or a range `D..D`.")
    task: str | None = Field(None, description="A task that takes part, by name or id.")
    task_type: str | None = Field(None, description="The type of a task that takes part.")
    workspace: str | None = Field(None, description="The workspace of a task that takes part.")
    created: str | None = Field(None, description="When it was created: a date or a range `D..D`.")
    limit: Limit = 50
    cursor: Cursor = None

    @property
    def search(self) -> BackfillSearch:
        return BackfillSearch(**self.model_dump(include=set(BackfillSearch._fields)))


@routes.get("", "backfills.list", Page[BackfillRow])
def list_backfills(visit: Asking, asked: Annotated[BackfillQuery, Query()]) -> Page[BackfillRow]:
    """Backfills that fit, newest first."""
    return visit.center.backfills.list(asked.search, asked.limit, asked.cursor)


@routes.get("/{backfill_id}", "backfills.show", BackfillPage)
def show(visit: Asking, backfill_id: Id) -> BackfillPage:
    """One backfill with what it was asked for, its dates and its first failures."""
    return visit.center.backfills.show(backfill_id)
