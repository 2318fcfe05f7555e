"""Tables that tasks read and write."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Limit
from retrofill.services.reading.documents import Page, TablePicture, TableRow

routes = Routes("tables")


class TablesQuery(Asked):
    """Which tables."""

    name: str | None = Field(None, max_length=1_000, description="Is in the name, in whatever case.")
    limit: Limit = 100
    cursor: str | None = Field(None, description="`next` of the page after which to go on.")


class PictureQuery(Asked):
    """Around which table, and how far; a table's name may hold any character, so it stands in no path."""

    table: str = Field(max_length=1_000, description="Its name, in whatever case.")
    connection: str | None = Field(None, max_length=1_000, description="Which one of this name.")
    up: int = Field(1, ge=0, le=100, description="How many levels of what it is made from.")
    down: int = Field(1, ge=0, le=100, description="How many levels of what is made of it.")


@routes.get("", "tables.list", Page[TableRow], is_long=True)
def list_tables(visit: Asking, asked: Annotated[TablesQuery, Query()]) -> Page[TableRow]:
    """Tables that tasks read or write, by name."""
    return visit.center.tables.list(asked.name, asked.limit, asked.cursor)


@routes.get("/picture", "tables.show", TablePicture, is_long=True)
def show(visit: Asking, asked: Annotated[PictureQuery, Query()]) -> TablePicture:
    """The tables around one, level by level, with the tasks that join them, and its columns."""
    return visit.center.tables.show(asked.table, asked.connection, asked.up, asked.down)
