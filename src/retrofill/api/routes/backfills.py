"""Backfills: lists, what they are, how far they have come, and what is done with them as wholes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from retrofill.api.answers import answer_of
from retrofill.api.bodies import ChangeBody
from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Commented, Cursor, Id, Limit, Tags
from retrofill.api.results import change_document, items_of, page_of, stop_report
from retrofill.domain.people.scopes import Scope
from retrofill.domain.planning.changes import read_changes
from retrofill.domain.running.searches import BackfillSearch
from retrofill.services.reading.documents import (
    ActEffects,
    Alert,
    Analysis,
    BackfillDag,
    BackfillPage,
    BackfillRow,
    ChangeDocument,
    ChangePreview,
    CriticalPath,
    Failure,
    Forecast,
    GridDocument,
    ItemRow,
    OperationRow,
    Page,
    Progress,
    RowReason,
    SteerReport,
    StopReport,
    TimeLeft,
    TimelineDocument,
    Trouble,
)

routes = Routes("backfills")


class BackfillQuery(Asked):
    """Which backfills; of what is given, all must hold (BF-1)."""

    name: str | None = Field(None, description="Is in the name, in whatever case.")
    creator: str | None = Field(None, description="Who created it.")
    status: str | None = Field(None, description="As rows show it.")
    check_status: str | None = Field(None, description="`checking`, `passed` or `failed`.")
    bizdate: str | None = Field(None, description="One of its bizdates: a date or a range `D..D`.")
    task: str | None = Field(None, description="A task that takes part, by name or id.")
    task_type: str | None = Field(None, description="The type of a task that takes part.")
    workspace: str | None = Field(None, description="The workspace of a task that takes part.")
    created: str | None = Field(None, description="When it was created: a date or a range `D..D`.")
    text: str | None = Field(
        None, description="Is in the name, is the id, or is in the name of a task that takes part."
    )
    is_open: bool | None = Field(None, description="Whether it has not ended.")
    needs: bool = Field(False, description="Only those that go on only once somebody has done something.")
    limit: Limit = 50
    cursor: Cursor = None

    @property
    def search(self) -> BackfillSearch:
        return BackfillSearch(**self.model_dump(include=set(BackfillSearch._fields)))


class GridQuery(Asked):
    """Of which bizdates."""

    position: list[Annotated[int, Field(ge=0)]] = Field(
        [],
        max_length=1_000,
        description="Only of this one, counted in running order from 0; may be repeated.",
    )


class RerunBody(Commented):
    """Which instances run again, and how (OPS-3)."""

    only_failed: bool = Field(False, description="Only those that failed.")
    ignore_dependencies: bool = Field(False, description="All at once, whatever waits and dates say.")
    latest: bool = Field(False, description="With the code of the deployed version, from now on.")


# Questions


@routes.get("", "backfills.list", Page[BackfillRow])
def list_backfills(visit: Asking, asked: Annotated[BackfillQuery, Query()]) -> Page[BackfillRow]:
    """Backfills that fit, newest first."""
    return visit.center.backfills.list(asked.search, asked.limit, asked.cursor)


@routes.get("/{backfill_id}", "backfills.show", BackfillPage)
def show(visit: Asking, backfill_id: Id) -> Response:
    """One backfill with what it was asked for, its dates and its first failures; its `ETag` is for `If-Match`."""
    backfills = visit.center.backfills
    tag = backfills.tag(backfill_id)  # asked first: of what changes in between, it is the older one
    answer = answer_of(backfills.show(backfill_id), in_parts=visit.wants_parts)
    answer.headers["ETag"] = f'"{tag}"'
    return answer


@routes.get("/{backfill_id}/row", "backfills.row", BackfillRow)
def row(visit: Asking, backfill_id: Id) -> BackfillRow:
    """One backfill as a list shows it, but with its estimated end made anew where the stored one is out of date."""
    return visit.center.backfills.row(backfill_id)


@routes.get("/{backfill_id}/progress", "backfills.progress", Progress)
def progress(visit: Asking, backfill_id: Id) -> Progress:
    """How far it has come: what changes while somebody waits for it."""
    return visit.center.backfills.progress(backfill_id)


@routes.get("/{backfill_id}/time-left", "backfills.time_left", TimeLeft | None)
def time_left(visit: Asking, backfill_id: Id) -> TimeLeft | None:
    """How long it will go on, simulated anew; null where it is held or has not begun."""
    return visit.center.backfills.time_left(backfill_id)


@routes.get("/{backfill_id}/trouble", "backfills.trouble", Trouble)
def trouble(visit: Asking, backfill_id: Id) -> Trouble:
    """What failed, is frozen or is isolated, and how much of it waits for that in the end."""
    return visit.center.backfills.trouble(backfill_id)


@routes.get("/{backfill_id}/analysis", "backfills.analysis", Analysis)
def analysis(visit: Asking, backfill_id: Id) -> Analysis:
    """What verification found and what extension checks answered."""
    return visit.center.backfills.analysis(backfill_id)


@routes.get("/{backfill_id}/operations", "backfills.history", Page[OperationRow])
def history(visit: Asking, backfill_id: Id) -> Page[OperationRow]:
    """What people did to it and to its instances."""
    return page_of(visit.center.backfills.history(backfill_id))


@routes.get("/{backfill_id}/alerts", "backfills.alerts", Page[Alert])
def alerts(visit: Asking, backfill_id: Id) -> Page[Alert]:
    """The messages about it, and what became of them."""
    return page_of(visit.center.backfills.alerts(backfill_id))


@routes.get("/{backfill_id}/failures", "backfills.first_failures", Page[Failure])
def first_failures(visit: Asking, backfill_id: Id) -> Page[Failure]:
    """The first three instances in time that failed by themselves, each with the end of its log."""
    return page_of(visit.center.backfills.first_failures(backfill_id))


@routes.get("/{backfill_id}/grid", "backfills.grid", GridDocument)
def grid(visit: Asking, backfill_id: Id, asked: Annotated[GridQuery, Query()]) -> GridDocument:
    """Task by bizdate: the state of every instance that you see, a letter each."""
    return visit.center.backfills.grid(backfill_id, asked.position)


@routes.get("/{backfill_id}/timeline", "backfills.timeline", TimelineDocument)
def timeline(visit: Asking, backfill_id: Id) -> TimelineDocument:
    """When what ran: every run that you see, as columns."""
    return visit.center.backfills.timeline(backfill_id)


@routes.get("/{backfill_id}/forecast", "backfills.forecast", Forecast | None)
def forecast(visit: Asking, backfill_id: Id) -> Forecast | None:
    """What will run when, simulated anew; null where it is held or has not begun."""
    return visit.center.backfills.forecast(backfill_id)


@routes.get("/{backfill_id}/critical-path", "backfills.critical_path", CriticalPath | None)
def critical_path(visit: Asking, backfill_id: Id) -> CriticalPath | None:
    """What its end hangs on, from the first run to the last; null where nothing has run and nothing can."""
    return visit.center.backfills.critical_path(backfill_id)


@routes.get("/{backfill_id}/dag", "backfills.dag", BackfillDag)
def dag(visit: Asking, backfill_id: Id) -> BackfillDag:
    """Its tasks with their instances by state, and which of them wait for which."""
    return visit.center.backfills.dag(backfill_id)


class ReasonsQuery(Asked):
    """Instances of a backfill."""

    id: Annotated[list[Id], Field(max_length=100)] = Field([], description="Of this one.")


@routes.get("/{backfill_id}/reasons", "backfills.reasons", Page[RowReason])
def reasons(visit: Asking, backfill_id: Id, asked: Annotated[ReasonsQuery, Query()]) -> Page[RowReason]:
    """Why instances of it stand where they do, in some words each."""
    return page_of(visit.center.backfills.reasons(backfill_id, asked.id))


class EffectsQuery(Asked):
    """What somebody means to do with all of a backfill."""

    act: Literal["pause", "resume", "stop", "rerun", "freeze", "unfreeze"] = Field(
        description="What is meant to be done."
    )
    only_failed: bool = Field(False, description="Of a rerun: only those that failed.")
    latest: bool = Field(False, description="Of a rerun: with the code of the deployed version.")


@routes.get("/{backfill_id}/effects", "backfills.effects", ActEffects)
def effects(visit: Asking, backfill_id: Id, asked: Annotated[EffectsQuery, Query()]) -> ActEffects:
    """What would come of an act on all of it, counted now; does nothing."""
    return visit.center.backfills.effects(backfill_id, asked.act, asked.only_failed, asked.latest)


# Acts


@routes.post("/{backfill_id}/pause", "backfills.pause", SteerReport)
def pause(visit: Asking, backfill_id: Id, body: Commented, tags: Tags) -> SteerReport:
    """Start nothing new; running instances end."""
    is_new = visit.center.backfills.as_of(tags).pause(backfill_id, body.comment)
    return {"id": backfill_id, "unchanged": not is_new}


@routes.post("/{backfill_id}/resume", "backfills.resume", SteerReport)
def resume(visit: Asking, backfill_id: Id, body: Commented, tags: Tags) -> SteerReport:
    """Take back a pause or a stop."""
    is_new = visit.center.backfills.as_of(tags).resume(backfill_id, body.comment)
    return {"id": backfill_id, "unchanged": not is_new}


@routes.post("/{backfill_id}/stop", "backfills.stop", StopReport)
def stop(visit: Asking, backfill_id: Id, body: Commented, tags: Tags) -> StopReport:
    """End what runs of it, and start nothing further; of one that is not yours to steer, what you may operate."""
    return stop_report(visit, visit.center.backfills.as_of(tags).stop(backfill_id, body.comment))


@routes.patch("/{backfill_id}", "backfills.change", ChangeDocument)
def change(visit: Asking, backfill_id: Id, body: ChangeBody, tags: Tags) -> ChangeDocument:
    """Change how it runs, also while it runs."""
    report = visit.center.backfills.as_of(tags).change(backfill_id, read_changes(body.given), body.comment)
    return change_document(backfill_id, report)


@routes.post("/{backfill_id}/change-preview", "backfills.preview_change", ChangePreview, scope=Scope.READ)
def preview_change(visit: Asking, backfill_id: Id, body: ChangeBody) -> ChangePreview:
    """What would come of a change, made now; changes nothing."""
    return visit.center.backfills.preview_change(backfill_id, read_changes(body.given))


@routes.post("/{backfill_id}/rerun", "backfills.rerun", Page[ItemRow])
def rerun(visit: Asking, backfill_id: Id, body: RerunBody) -> Page[ItemRow]:
    """Run all its ended instances again, or those that failed, in order."""
    results = visit.center.backfills.rerun(
        backfill_id, body.only_failed, body.comment, body.ignore_dependencies, body.latest
    )
    return items_of(visit, results)


@routes.post("/{backfill_id}/freeze", "backfills.freeze", Page[ItemRow])
def freeze(visit: Asking, backfill_id: Id, body: Commented) -> Page[ItemRow]:
    """Freeze what has not started and does not wait for time or resources."""
    return items_of(visit, visit.center.backfills.freeze(backfill_id, body.comment))


@routes.post("/{backfill_id}/unfreeze", "backfills.unfreeze", Page[ItemRow])
def unfreeze(visit: Asking, backfill_id: Id, body: Commented) -> Page[ItemRow]:
    """Let every frozen instance of it go on."""
    return items_of(visit, visit.center.backfills.unfreeze(backfill_id, body.comment))
