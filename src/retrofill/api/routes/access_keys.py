"""Access keys, with which programs sign."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asking, Once
from retrofill.api.results import page_of
from retrofill.api.routes.tokens import NewKey, Whose
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import AccessKeyRow, NewAccessKey, Page

routes = Routes("access-keys")


class WantedAccessKey(NewKey):
    """An access key (SEC-1)."""

    scope: Literal[Scope.READ, Scope.OPERATE, Scope.ADMIN] = Field(
        Scope.OPERATE, description="How far it reaches, within what its user may do."
    )


@routes.get("", "people.access_keys", Page[AccessKeyRow])
def list_access_keys(visit: Asking, asked: Annotated[Whose, Query()]) -> Page[AccessKeyRow]:
    """Your access keys, newest first; for a system administrator, everybody's."""
    return page_of(visit.center.people.access_keys(asked.user))


@routes.post("", "people.create_access_key", NewAccessKey, scope=Scope.ADMIN, status=201)
def create_access_key(visit: Asking, body: WantedAccessKey, once: Once = None) -> NewAccessKey:
    """Make an access key; its secret is answered this once."""
    center = visit.center
    return center.people.create_access_key(body.user or center.user, body.label, body.scope, body.days)


@routes.delete("/{key_id}", "people.revoke_access_key", AccessKeyRow, scope=Scope.ADMIN)
def revoke_access_key(visit: Asking, key_id: str) -> AccessKeyRow:
    """Let an access key sign nothing any more."""
    return visit.center.people.revoke_access_key(key_id)
