"""Browsers in which people have signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from retrofill.api.operations import Routes
from retrofill.api.requests import Asking, Id
from retrofill.api.results import page_of
from retrofill.api.routes.tokens import Whose
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import Page, SessionRow

routes = Routes("sessions")


@routes.get("", "people.sessions", Page[SessionRow])
def list_sessions(visit: Asking, asked: Annotated[Whose, Query()]) -> Page[SessionRow]:
    """Browsers in which you have signed in, newest first; for a system administrator, everybody's."""
    return page_of(visit.center.people.sessions(asked.user))


@routes.delete("/{session_id}", "people.end_session", SessionRow, scope=Scope.ADMIN)
def end_session(visit: Asking, session_id: Id) -> SessionRow:
    """Sign a browser out."""
    return visit.center.people.end_session(session_id)
