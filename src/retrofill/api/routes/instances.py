"""Instances: lists, why one is not running, its runs and its log, and what is done to many at once."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from retrofill.api import events, following
from retrofill.api.answers import encode
from retrofill.api.hub import Ticket, hub_of
from retrofill.api.operations import EVENTS, Routes
from retrofill.api.requests import (
    MOST_ID,
    Asked,
    AskedIds,
    Asking,
    Batch,
    Cursor,
    Digits,
    Id,
    Ids,
    Limit,
    Numbers,
    Word,
    visit_of,
)
from retrofill.api.results import items_of, page_of
from retrofill.domain.people.roles import Action
from retrofill.domain.people.scopes import Scope
from retrofill.domain.running.acts import Act
from retrofill.domain.running.searches import InstanceSearch
from retrofill.services.reading.documents import (
    DagDocument,
    Foresight,
    InstanceHistory,
    InstanceLineage,
    InstancePage,
    InstanceRow,
    InstanceState,
    ItemRow,
    LogEvent,
    LogFinds,
    LogPiece,
    LogWindow,
    OverDates,
    Page,
    RunCode,
    WhyChain,
    WhyDocument,
)

if TYPE_CHECKING:
    from retrofill.services.reading.logs import OpenLog

routes = Routes("instances")
_LINES = "application/jsonl"
_Piece = tuple[int, int, bytes]


class InstanceQuery(Asked):
    """Which instances: of each kind one of the values, where there are any."""

    backfill: Annotated[list[Annotated[int, Digits, Field(ge=1, le=MOST_ID)]], Field(max_length=1_000)] = (
        Field([], description="Of this backfill.")
    )
    task: Annotated[list[Word], Field(max_length=1_000)] = Field(
        [], description="Of this task, by name or id."
    )
    bizdate: Annotated[list[Word], Field(max_length=1_000)] = Field(
        [], description="Of this date, or this range `D..D`."
    )
    state: Annotated[list[str], Field(max_length=20)] = Field([], description="In this state.")
    auto: bool = Field(False, description="Only auto triggered ones.")
    task_part: Annotated[str | None, Field(max_length=200)] = Field(
        None, description="Is in the name of the task, in whatever case."
    )
    group: Annotated[list[int], Field(max_length=100)] = Field([], description="Of this group of bizdates.")
    held_up: bool = Field(
        False, description="Besides those states, what waits for something failed, frozen or isolated."
    )
    limit: Limit = 100
    cursor: Cursor = None

    @property
    def search(self) -> InstanceSearch:
        return InstanceSearch(
            self.backfill,
            self.task,
            self.bizdate,
            self.state,
            self.auto,
            self.cursor,
            self.task_part,
            self.group,
            self.held_up,
        )


class Around(Asked):
    """How far to look around an instance."""

    up: int = Field(1, ge=0, le=1_000, description="Levels of what it waits for.")
    down: int = Field(1, ge=0, le=1_000, description="Levels of what waits for it.")


Byte = Annotated[int | None, Field(ge=0, lt=2**63)]


class LogQuery(Asked):
    """Which log."""

    run: int | None = Field(None, ge=1, lt=2**31, description="The run's number; the last one without it.")


class LogPart(LogQuery):
    """Which part of a log."""

    offset: int | None = Field(
        None,
        ge=0,
        lt=2**63,
        description="The byte with which to begin. Who asks with it asks again: while the run goes on, what may "
        "be the beginning of a secret is held back.",
    )


class LinesQuery(LogQuery):
    """Which lines of a log; the last ones where nothing says which."""

    since: Byte = Field(None, description="From this byte on.")
    until: Byte = Field(None, description="Before this byte.")
    at: Byte = Field(None, description="Around the line that holds this byte.")
    line: int | None = Field(None, ge=1, lt=2**63, description="From the line with this number on.")
    count: int = Field(500, ge=0, le=2_000, description="How many lines.")


class FindsQuery(LogQuery):
    """What is looked for in a log."""

    text: str = Field("", max_length=1_000, description="In capital or small letters.")
    error: bool = Field(False, description="Lines that tell of an error, whatever the text.")
    since: int = Field(0, ge=0, lt=2**63, description="From this byte on.")
    limit: int = Field(100, ge=1, le=200, description="How many lines.")


class FollowQuery(LogQuery):
    """From where a log is followed."""

    offset: int = Field(
        0, ge=0, lt=2**63, description="The byte with which to begin; `Last-Event-ID` goes first."
    )


class Rerun(Batch):
    """Ended instances that run again, in order (OPS-2, OPS-3)."""

    ignore_dependencies: bool = Field(False, description="All at once, whatever waits and dates say.")
    latest: bool = Field(False, description="With the code of the deployed version, from now on.")


class Below(Asked):
    """Instances and what lies below them."""

    ids: Numbers
    with_self: bool = Field(False, description="They themselves, too.")
    tasks: Annotated[list[Word], Field(max_length=1_000)] = Field(
        [], description="Only descendants of these tasks, by name or id; none for all."
    )


class RerunBelow(Batch, Below):
    """Ended descendants that run again, in dependency order (OPS-4)."""

    latest: bool = Field(False, description="With the code of the deployed version, from now on.")


class RemoveWaits(Batch):
    """Waits that are removed (OPS-7)."""

    upstream: Ids | None = Field(
        None, description="Ids that every one of them waits for; null for all, and for its isolation."
    )


class SetPriority(Batch):
    """A place in the queue (OPS-7)."""

    priority: int = Field(description="1, 3, 5, 7 or 8.", ge=-(2**31), lt=2**31)


class SetGroup(Batch):
    """A slot of another group (OPS-7)."""

    group: str = Field(description="The name of a resource group.")


class Intended(Asked):
    """An act on instances that is asked about before it is done."""

    act: Act = Field(description="Which.")
    ids: Numbers
    latest: bool = Field(False, description="Reruns take the code of the deployed version.")
    with_self: bool = Field(False, description="Of a rerun of descendants: they themselves, too.")
    tasks: Annotated[list[Word], Field(max_length=1_000)] = Field(
        [], description="Of a rerun of descendants: only of these tasks; none for all."
    )
    upstream: Ids | None = Field(None, description="Waits to remove; null for all.")
    priority: int | None = Field(None, description="The new one.", ge=-(2**31), lt=2**31)
    group: Word | None = Field(None, description="The new resource group.")


class These(Asked):
    """Instances that something is asked about."""

    ids: AskedIds = Field(description="Ids of instances.")


class SomeOrAll(Asked):
    """Instances that something is asked about."""

    ids: AskedIds | None = Field(None, description="Of these; null: of all.")


# Questions


@routes.get("", "instances.list", Page[InstanceRow])
def list_instances(visit: Asking, asked: Annotated[InstanceQuery, Query()]) -> Page[InstanceRow]:
    """Instances that fit: backfills newest first, inside by bizdate in running order, time, task.

    Auto triggered ones come last, newest bizdate first.
    """
    return visit.center.instances.list(asked.search, asked.limit)


@routes.get("/{instance_id}", "instances.show", InstancePage)
def show(visit: Asking, instance_id: Id) -> InstancePage:
    """One instance: state, why, parameters, runs; secrets stay names."""
    return visit.center.instances.show(instance_id)


@routes.get("/{instance_id}/why", "instances.why", WhyDocument)
def why(visit: Asking, instance_id: Id) -> WhyDocument:
    """Why it is not running, in one sentence."""
    return visit.center.instances.why(instance_id)


@routes.get("/{instance_id}/chain", "instances.chain", WhyChain)
def chain(visit: Asking, instance_id: Id) -> WhyChain:
    """Why it is not running, link by link down to the cause."""
    return visit.center.instances.chain(instance_id)


@routes.get("/{instance_id}/code", "instances.code", RunCode)
def code(visit: Asking, instance_id: Id) -> RunCode:
    """The code that it runs, with the values of its parameters; secrets stay names."""
    return visit.center.instances.code(instance_id)


@routes.get("/{instance_id}/over-dates", "instances.over_dates", OverDates)
def over_dates(visit: Asking, instance_id: Id) -> OverDates:
    """Its task and time on other bizdates of its backfill, or of the schedule."""
    return visit.center.instances.over_dates(instance_id)


@routes.get("/{instance_id}/history", "instances.history", InstanceHistory)
def history(visit: Asking, instance_id: Id) -> InstanceHistory:
    """What people did to it, and its runs."""
    return visit.center.instances.history(instance_id)


@routes.get("/{instance_id}/lineage", "instances.lineage", InstanceLineage)
def lineage(visit: Asking, instance_id: Id) -> InstanceLineage:
    """The tables that it reads and writes, by the version whose code it runs."""
    return visit.center.instances.lineage(instance_id)


@routes.get("/{instance_id}/dag", "instances.dag", DagDocument)
def dag(visit: Asking, instance_id: Id, around: Annotated[Around, Query()]) -> DagDocument:
    """What it waits for and what waits for it, level by level."""
    return visit.center.instances.dag(instance_id, around.up, around.down)


@routes.get("/{instance_id}/log", "instances.log", LogPiece, media="text/plain")
def log(
    visit: Asking, request: Request, instance_id: Id, asked: Annotated[LogPart, Query()]
) -> StreamingResponse:
    """The log of a run as it is now, with secrets masked.

    Text, in which a line says where something was cut out; with `Accept: application/jsonl` its pieces with their
    bytes in base64, one object a line.
    """
    found = visit.center.instances.log(instance_id, asked.run, asked.offset or 0)
    if isinstance(found, str):
        pieces = iter([(0, 0, found.encode())])
    else:
        is_whole = asked.offset is None or found.has_ended()  # asked before the last piece is read
        pieces = _pieces(found, is_whole)
    if _LINES in request.headers.get("Accept", ""):
        return StreamingResponse(map(_line, pieces), media_type=_LINES)
    return StreamingResponse(map(_text, pieces), media_type="text/plain; charset=utf-8")


@routes.get("/{instance_id}/log/lines", "instances.log_lines", LogWindow)
def log_lines(visit: Asking, instance_id: Id, asked: Annotated[LinesQuery, Query()]) -> LogWindow:
    """Some lines of the log of a run as it is now, at most a megabyte; the last ones, where nothing says which."""
    where = (asked.since, asked.until, asked.at, asked.line)
    return visit.center.instances.log_lines(instance_id, asked.run, *where, asked.count)


@routes.get("/{instance_id}/log/finds", "instances.find_in_log", LogFinds)
def find_in_log(visit: Asking, instance_id: Id, asked: Annotated[FindsQuery, Query()]) -> LogFinds:
    """Lines of a run's log that hold a text, or tell of an error; `next` says where a long search goes on."""
    how = (asked.run, asked.since, asked.error, asked.limit)
    return visit.center.instances.find_in_log(instance_id, asked.text, *how)


@routes.post("/states", "instances.states", Page[InstanceState], scope=Scope.READ)
def states(visit: Asking, body: These) -> Page[InstanceState]:
    """The states of those that you see."""
    found = visit.center.instances.states(body.ids)
    return page_of({"id": number, "state": state} for number, state in found.items())


@routes.post("/unattended", "instances.unattended", Page[int], scope=Scope.READ)
def unattended(visit: Asking, body: SomeOrAll) -> Page[int]:
    """Instances that count as running though nobody carries them out, while no scheduler is there to note it."""
    return page_of(visit.center.instances.unattended(body.ids))


@routes.post("/running-below", "instances.running_below", Page[int], scope=Scope.READ)
def running_below(visit: Asking, body: Below) -> Page[int]:
    """Of these instances and their descendants, those for which a rerun would be refused."""
    return page_of(visit.center.instances.running_below(body.ids, body.with_self, body.tasks))


@routes.post("/foresee", "instances.foresee", Foresight, scope=Scope.READ)
def foresee(visit: Asking, body: Intended) -> Foresight:
    """What an act on instances would do, counted before it is done."""
    how = (body.latest, body.with_self, body.tasks, body.upstream, body.priority, body.group)
    return visit.center.instances.foresee(body.act, body.ids, *how)


@routes.get("/{instance_id}/log/events", "instances.follow_log", LogEvent, media=EVENTS)
def follow_log(
    visit: Asking, request: Request, instance_id: Id, asked: Annotated[FollowQuery, Query()]
) -> Response:
    """The log of a run as events `output` while it grows; `end` when the run has ended.

    With another `Accept` than `text/event-stream` it ends with what there is by now.
    """
    hub = hub_of(request.app)
    hub.admit(visit.visitor.user)
    run_number, offset = following.heard(asked.run, request.headers.get("Last-Event-ID", ""), asked.offset)
    found = visit.center.instances.log(instance_id, run_number, offset)
    source = (
        following.once(found)
        if isinstance(found, str)
        else following.follow(found, goes_on=events.is_wanted(request))
    )
    ticket = Ticket(visit.visitor.user, partial(_see, request, instance_id), instance_id)
    return hub.stream(ticket, source)


# Acts


@routes.post("/stop", "instances.stop", Page[ItemRow], needs=Action.OPERATE)
def stop(visit: Asking, body: Batch) -> Page[ItemRow]:
    """Ask for the end of running instances; they are Failed once their processes have ended."""
    return items_of(visit, visit.center.instances.stop(body.ids, body.comment))


@routes.post("/rerun", "instances.rerun", Page[ItemRow], needs=Action.OPERATE)
def rerun(visit: Asking, body: Rerun) -> Page[ItemRow]:
    """Run ended instances again, in order."""
    instances = visit.center.instances
    return items_of(visit, instances.rerun(body.ids, body.comment, body.ignore_dependencies, body.latest))


@routes.post("/rerun-descendants", "instances.rerun_descendants", Page[ItemRow], needs=Action.OPERATE)
def rerun_descendants(visit: Asking, body: RerunBelow) -> Page[ItemRow]:
    """Run the ended descendants again, in dependency order."""
    results = visit.center.instances.rerun_descendants(
        body.ids, body.comment, body.with_self, body.tasks, body.latest
    )
    return items_of(visit, results)


@routes.post("/set-successful", "instances.set_successful", Page[ItemRow], needs=Action.OPERATE)
def set_successful(visit: Asking, body: Batch) -> Page[ItemRow]:
    """Take failed instances as successful."""
    return items_of(visit, visit.center.instances.set_successful(body.ids, body.comment))


@routes.post("/freeze", "instances.freeze", Page[ItemRow], needs=Action.OPERATE)
def freeze(visit: Asking, body: Batch) -> Page[ItemRow]:
    """They and what waits for them stand still."""
    return items_of(visit, visit.center.instances.freeze(body.ids, body.comment))


@routes.post("/unfreeze", "instances.unfreeze", Page[ItemRow], needs=Action.OPERATE)
def unfreeze(visit: Asking, body: Batch) -> Page[ItemRow]:
    """Back to the state that they were frozen from."""
    return items_of(visit, visit.center.instances.unfreeze(body.ids, body.comment))


@routes.post("/remove-waits", "instances.remove_waits", Page[ItemRow], needs=Action.OPERATE)
def remove_waits(visit: Asking, body: RemoveWaits) -> Page[ItemRow]:
    """Let instances wait no longer for upstream ones."""
    return items_of(visit, visit.center.instances.remove_waits(body.ids, body.upstream, body.comment))


@routes.post("/priority", "instances.set_priority", Page[ItemRow], needs=Action.OPERATE)
def set_priority(visit: Asking, body: SetPriority) -> Page[ItemRow]:
    """Set the priority with which instances queue."""
    return items_of(visit, visit.center.instances.set_priority(body.ids, body.priority, body.comment))


@routes.post("/resource-group", "instances.set_resource_group", Page[ItemRow], needs=Action.OPERATE)
def set_resource_group(visit: Asking, body: SetGroup) -> Page[ItemRow]:
    """Let instances take a slot of another resource group."""
    return items_of(visit, visit.center.instances.set_resource_group(body.ids, body.group, body.comment))


# Inside


def _see(request: Request, instance_id: int) -> int:
    """Whether the request would be answered by now."""
    visit_of(request).center.instances.history(instance_id)
    return instance_id


def _pieces(opened: OpenLog, is_whole: bool) -> Iterator[_Piece]:
    """All of a log; what is not there is refused here, before an answer has begun."""
    pieces = opened.pieces()
    first = next(pieces, None)
    return itertools.chain([] if first is None else [first], pieces, _rest(opened) if is_whole else ())


def _rest(opened: OpenLog) -> Iterator[_Piece]:
    yield from opened.rest()


def _text(piece: _Piece) -> bytes:
    _, missing, data = piece
    return f"\n[{missing} bytes of the log were cut out here]\n".encode() + data if missing else data


def _line(piece: _Piece) -> bytes:
    offset, missing, data = piece
    found: LogPiece = {"offset": offset, "missing": missing, "base64": base64.b64encode(data).decode()}
    return encode(found) + b"\n"
