"""What people keep of the forms of pages."""

from __future__ import annotations

from typing import TypedDict


class SavedForm(TypedDict):
    """What somebody has typed into a form and keeps."""

    id: int
    page: str  #: whose form it is
    name: str | None  #: null: a draft, which goes by age
    fields: dict[str, list[str]]  #: all values of each field
    saved_at: str
