"""The record of what people did."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Cursor, Limit
from retrofill.domain.running.searches import OperationSearch
from retrofill.services.reading.documents import OperationRow, Page

routes = Routes("operations")


class OperationQuery(Asked):
    """Which lines; of what is given, all must hold."""

    user: str | None = Field(None, description="What this user did.")
    action: str | None = Field(None, description="This action, as lines name it.")
    backfill: int | None = Field(None, ge=1, lt=2**63, description="What was done to it and its instances.")
    instance: int | None = Field(None, ge=1, lt=2**63, description="What was done to it.")
    task: str | None = Field(None, description="Who froze and unfroze it.")
    limit: Limit = 50
    cursor: Cursor = None

    @property
    def search(self) -> OperationSearch:
        return OperationSearch(self.user, self.action, self.backfill, self.instance, self.task)


@routes.get("", "operations.list", Page[OperationRow])
def list_operations(visit: Asking, asked: Annotated[OperationQuery, Query()]) -> Page[OperationRow]:
    """What people did that you may see, newest first."""
    return visit.center.operations.list(asked.search, asked.limit, asked.cursor)
