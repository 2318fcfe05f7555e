"""Names that can be written in a request."""

from __future__ import annotations

from typing import TypedDict


class NamedTask(TypedDict):
    """A task that can be named."""

    task: str  #: the full name
    short_name: str  #: inside its workspace; enough where no other task is called so
    description: str


class NamedBackfill(TypedDict):
    """A backfill that can be named by its id."""

    id: int
    name: str
