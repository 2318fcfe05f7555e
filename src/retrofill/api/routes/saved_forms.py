"""What people keep of the forms of pages: drafts, forms and views of lists with a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import MOST_ID, Asked, Asking, Id, Once
from retrofill.api.results import page_of
from retrofill.services.reading.documents import Page, SavedForm

routes = Routes("saved-forms")
_PageName = Annotated[
    str, Field(max_length=40, description="Whose form it is, in a word: `new`, `backfills`.")
]
_Value = Annotated[str, Field(max_length=400_000)]


class AskedPage(Asked):
    """Of which page."""

    page: _PageName


class Kept(Asked):
    """What was typed."""

    page: _PageName
    fields: dict[Annotated[str, Field(max_length=100)], list[_Value]] = Field(
        max_length=1_000, description="All values of each field, as a form sends them."
    )
    name: str | None = Field(
        None, max_length=1_000, description="Under which it is found again; null: a draft, which goes by age."
    )
    id: int | None = Field(None, strict=True, ge=1, le=MOST_ID, description="In place of this one of yours.")


@routes.get("", "saved.list", Page[SavedForm])
def list_saved(visit: Asking, asked: Annotated[AskedPage, Query()]) -> Page[SavedForm]:
    """What you keep of a page: what has a name by name, then drafts, the newest first."""
    return page_of(visit.center.saved.list(asked.page))


@routes.post("", "saved.save", SavedForm, status=201)
def save(visit: Asking, body: Kept, once: Once = None) -> SavedForm:
    """Keep what was typed: as a draft, or under a name, in place of what has it."""
    return visit.center.saved.save(body.page, body.fields, body.name, body.id)


@routes.get("/{form_id}", "saved.show", SavedForm)
def show(visit: Asking, form_id: Id) -> SavedForm:
    """One of those that you keep."""
    return visit.center.saved.show(form_id)


@routes.delete("/{form_id}", "saved.remove", SavedForm)
def remove(visit: Asking, form_id: Id) -> SavedForm:
    """Keep one no longer."""
    return visit.center.saved.remove(form_id)
