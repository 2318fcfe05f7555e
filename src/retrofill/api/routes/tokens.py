"""Tokens, which programs show."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Id, Once
from retrofill.api.results import page_of
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import NewToken, Page, TokenRow

routes = Routes("tokens")
_Short = Annotated[str, Field(max_length=1_000)]


class NewKey(Asked):
    """A token or an access key (SEC-1)."""

    user: _Short | None = Field(None, description="For whom; without it, for you.")
    label: _Short = Field("", description="What it is for.")
    days: int | None = Field(None, ge=1, le=3_650, description="When it ends by itself; null: never.")


class WantedToken(NewKey):
    """A token (SEC-1)."""

    scope: Scope = Field(
        Scope.ADMIN, description="How far it reaches, within what its user may do; `worker`: for a worker."
    )
    resource_groups: list[_Short] = Field(
        [], max_length=1_000, description="Of scope `worker`: whose runs it may carry out."
    )


class Whose(Asked):
    """Whose they are."""

    user: _Short | None = Field(None, description="Only this user's.")


@routes.get("", "people.tokens", Page[TokenRow])
def list_tokens(visit: Asking, asked: Annotated[Whose, Query()]) -> Page[TokenRow]:
    """Your tokens, newest first; for a system administrator, everybody's."""
    return page_of(visit.center.people.tokens(asked.user))


@routes.post("", "people.create_token", NewToken, scope=Scope.ADMIN, status=201)
def create_token(visit: Asking, body: WantedToken, once: Once = None) -> NewToken:
    """Make a token; its secret is answered this once."""
    center = visit.center
    user = body.user or center.user
    return center.people.create_token(user, body.label, body.scope, body.days, body.resource_groups)


@routes.delete("/{token_id}", "people.revoke_token", TokenRow, scope=Scope.ADMIN)
def revoke_token(visit: Asking, token_id: Id) -> TokenRow:
    """Let a token open nothing any more."""
    return visit.center.people.revoke_token(token_id)
