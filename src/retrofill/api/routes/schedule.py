"""The regular schedule: whether it goes on, and its nights."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Bizdate, Commented, Limit
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import (
    ClockState,
    NightRow,
    Page,
    ScheduleDocument,
    ScheduleState,
)

routes = Routes("schedule")


class NightQuery(Asked):
    """Which nights."""

    limit: Limit = 30
    cursor: Bizdate | None = Field(None, description="`next` of the page after which to go on.")


@routes.get("", "schedule.show", ScheduleDocument)
def show(visit: Asking) -> ScheduleDocument:
    """When the next night is, whether the schedule goes on, and which nights were missed."""
    return visit.center.schedule.show()


@routes.get("/nights", "schedule.nights", Page[NightRow])
def nights(visit: Asking, asked: Annotated[NightQuery, Query()]) -> Page[NightRow]:
    """Bizdates with auto triggered instances, newest first."""
    before = None if asked.cursor is None else asked.cursor.isoformat()
    return visit.center.schedule.nights(asked.limit, before)


@routes.post("/pause", "schedule.pause", ScheduleState, scope=Scope.ADMIN)
def pause(visit: Asking, body: Commented) -> ScheduleState:
    """Make nothing and start nothing of the schedule; what runs, ends."""
    return visit.center.schedule.pause(body.comment)


@routes.post("/resume", "schedule.resume", ScheduleState, scope=Scope.ADMIN)
def resume(visit: Asking, body: Commented) -> ScheduleState:
    """Let the schedule go on; a scheduler makes the nights that were missed."""
    return visit.center.schedule.resume(body.comment)


@routes.post("/accept-clock", "schedule.accept_clock", ClockState, scope=Scope.ADMIN)
def accept_clock(visit: Asking, body: Commented) -> ClockState:
    """Say that the clock of the server's machine is right, after it has jumped."""
    return visit.center.schedule.accept_clock(body.comment)
