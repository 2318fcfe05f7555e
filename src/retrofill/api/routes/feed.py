"""What has changed of backfills: asked again and again, or with `Accept: text/event-stream` as it happens."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request
from pydantic import Field

from retrofill.api.events import event, is_wanted
from retrofill.api.hub import Audience, Ticket, hub_of
from retrofill.api.operations import EVENTS, Routes
from retrofill.api.requests import Asked, Asking, Id, visit_of
from retrofill.services.reading.documents import BackfillChanges, ListChanges

if TYPE_CHECKING:
    from fastapi import Response

    from retrofill.api.requests import Visit
    from retrofill.services.reading.feed import Changes, Eyes

routes = Routes("backfills")


class Since(Asked):
    """Since when."""

    since: str | None = Field(
        None,
        max_length=100,
        description="`revision` of the answer before, or of the last event; without it, everything was missed. "
        "The header `Last-Event-ID` says the same.",
    )


@routes.get("/events", "feed.backfills", ListChanges, also=EVENTS)
def backfills(visit: Asking, request: Request, asked: Annotated[Since, Query()]) -> ListChanges | Response:
    """Which backfills have changed, have come or have gone since a revision.

    With `Accept: text/event-stream` a stream of events `change`, each with the same document.
    """
    found = visit.center.feed.backfills(_since(request, asked))
    if not is_wanted(request):
        return found
    eyes = visit.center.feed.eyes()
    audience = Audience(("backfills", eyes), partial(_of_list, eyes))
    return _stream(visit, audience, found, partial(_see_list, request), eyes)


@routes.get("/{backfill_id}/events", "feed.backfill", BackfillChanges, also=EVENTS)
def backfill(
    visit: Asking, request: Request, backfill_id: Id, asked: Annotated[Since, Query()]
) -> BackfillChanges | Response:
    """What has changed of a backfill since a revision: ids of instances, and whether anything has.

    With `Accept: text/event-stream` a stream of events `change`, each with the same document.
    """
    found = visit.center.feed.backfill(backfill_id, _since(request, asked))
    if not is_wanted(request):
        return found
    eyes = visit.center.feed.eyes()
    audience = Audience((backfill_id, eyes.workspaces), partial(_of_backfill, eyes, backfill_id))
    return _stream(visit, audience, found, partial(_see_backfill, request, backfill_id), eyes)


def _since(request: Request, asked: Since) -> str | None:
    return request.headers.get("Last-Event-ID") or asked.since


def _stream(visit: Visit, audience: Audience, found: Any, judge: Any, seen: Hashable) -> Response:
    hub, user = hub_of(visit.request.app), visit.visitor.user
    hub.admit(user)
    revision = found["revision"]
    number = int(revision.rpartition(".")[2] or 0)
    return hub.listen(Ticket(user, judge, seen), audience, number, event("change", found, revision))


def _of_list(eyes: Eyes, changes: Changes) -> ListChanges | None:
    told = eyes.backfills(changes)
    return told if told["missed"] or told["backfills"] or told["schedule"] else None


def _of_backfill(eyes: Eyes, backfill_id: int, changes: Changes) -> BackfillChanges | None:
    told = eyes.backfill(changes, backfill_id)
    return told if told["changed"] else None


def _see_list(request: Request) -> Eyes:
    """With which eyes the request would be answered by now."""
    return visit_of(request).center.feed.eyes()


def _see_backfill(request: Request, backfill_id: int) -> Eyes:
    feed = visit_of(request).center.feed
    feed.backfill(backfill_id)
    return feed.eyes()
