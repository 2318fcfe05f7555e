"""From what somebody asks for to a backfill: the preview, what checks say of it, creating what was shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from retrofill.api.answers import answer_of, encode
from retrofill.api.bodies import CreateBody, PlanBody
from retrofill.api.links import PREFIX
from retrofill.api.operations import Routes
from retrofill.api.requests import MOST_ITEMS, Asked, Asking, RequestKey, Word
from retrofill.api.results import page_of
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import (
    AlertObstacle,
    BackfillRow,
    CheckRound,
    ChoosableTask,
    Page,
    PlannedInstance,
    PlanPreview,
    TaskWays,
)

routes = Routes("backfills")
_PIECE = 64 << 10


class BelowQuery(Asked):
    """Whose descendants."""

    task: list[Word] = Field(min_length=1, max_length=MOST_ITEMS, description="Full names.")


class BetweenQuery(Asked):
    """Between which tasks."""

    start: Word = Field(description="The task to begin with: its full name.")
    end: list[Word] = Field(min_length=1, max_length=MOST_ITEMS, description="The tasks to end with.")


@routes.get("/choice/below", "backfills.below", Page[ChoosableTask])
def below(visit: Asking, asked: Annotated[BelowQuery, Query()]) -> Page[ChoosableTask]:
    """Tasks, level 0, and all of their descendants that can be chosen, by level and name."""
    return page_of(visit.center.backfills.below(asked.task))


@routes.get("/choice/between", "backfills.between", TaskWays)
def between(visit: Asking, asked: Annotated[BetweenQuery, Query()]) -> TaskWays:
    """All that lies on the ways from a task to others, and who waits for whom of it."""
    return visit.center.backfills.between(asked.start, asked.end)


@routes.post("/plan", "backfills.plan", PlanPreview, scope=Scope.READ)
def plan(visit: Asking, body: PlanBody) -> PlanPreview:
    """What a backfill would do; creates nothing."""
    preview = visit.center.backfills.plan(body.given, body.moment)
    return {
        **preview.document,
        "digest": preview.digest,
        "refused": preview.is_refused,
        "notes": list(preview.notes),
    }


@routes.post(
    "/plan/instances", "backfills.planned", PlannedInstance, scope=Scope.READ, media="application/jsonl"
)
def planned(visit: Asking, body: PlanBody) -> StreamingResponse:
    """Every instance that a backfill would have, in an order in which they may run: one object a line."""
    preview = visit.center.backfills.plan(body.given, body.moment)
    return StreamingResponse(_lines(preview.instances()), media_type="application/jsonl")


@routes.post("/plan/checks", "backfills.ask_checks", CheckRound)
def ask_checks(visit: Asking, body: PlanBody) -> CheckRound:
    """What extension checks say to a plan that is not stored; waits for them."""
    backfills = visit.center.backfills
    return backfills.ask_checks(backfills.plan(body.given, body.moment))


@routes.post("/plan/alert-obstacles", "backfills.alert_obstacles", Page[AlertObstacle], scope=Scope.READ)
def alert_obstacles(visit: Asking, body: PlanBody) -> Page[AlertObstacle]:
    """Why alerts that are asked for could not be sent as things are."""
    backfills = visit.center.backfills
    return page_of(backfills.alert_obstacles(backfills.plan(body.given, body.moment)))


@routes.post("", "backfills.create", BackfillRow, status=201)
def create(visit: Asking, body: CreateBody, key: RequestKey = None) -> Any:
    """Create a backfill, all or nothing; one that is refused is stored without instances.

    Waits for extension checks, if there are any.
    """
    backfills = visit.center.backfills
    if key is None:
        backfill_id = backfills.create(backfills.plan(body.given), body.expected, body.comment)
    else:
        backfill_id = backfills.create_once(key, body.given, body.expected, body.comment)
    answer = answer_of(backfills.row(backfill_id), 201, visit.wants_parts)
    answer.headers["Location"] = f"{PREFIX}/backfills/{backfill_id}"
    return answer


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    """JSON Lines in pieces of some size: a piece costs the server a turn."""
    piece = bytearray()
    for row in rows:
        piece += encode(row)
        piece += b"\n"
        if len(piece) > _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)
