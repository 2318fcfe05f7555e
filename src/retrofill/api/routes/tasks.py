"""Tasks as they are deployed: what they are, who waits for whom, what they would run; freezing them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import MOST_ID, Asked, Asking, Bizdate, Commented, Cursor, Limit, Word
from retrofill.api.results import page_of, task_items_of
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import (
    CurrentTask,
    Lineage,
    OperationRow,
    Page,
    RenderedRun,
    TaskCalendar,
    TaskDifference,
    TaskInGraph,
    TaskItemRow,
    TaskList,
    TaskNeighbour,
    TaskNights,
    TaskVersion,
)

routes = Routes("tasks")

TaskName = Annotated[
    str, Path(max_length=1_000, description="Full name, id, or a short name that only one has.")
]


_CONDITIONS = {"workspace", "type", "tag", "cycle", "owner", "resource_group", "baseline"}


class TaskQuery(Asked):
    """Which tasks; of what is given, all must hold."""

    workspace: str | None = Field(None, description="Of this workspace.")
    type: str | None = Field(None, description="Of this type.")
    tag: str | None = Field(None, description="With this tag.")
    cycle: str | None = Field(
        None, description="Of this cycle: `minute`, `hour`, `day`, `week`, `month`, `year`."
    )
    owner: str | None = Field(None, description="Owned by this user.")
    resource_group: str | None = Field(None, description="Which run in this resource group.")
    baseline: str | None = Field(None, description="Of this baseline.")
    name: str | None = Field(None, description="Is in the full name, in whatever case.")
    search: str | None = Field(
        None,
        max_length=1_000,
        description="Is in the full name, in a tag or in the name of a table; or is the id.",
    )
    frozen: bool | None = Field(
        None, description="Whether instances made from now on are frozen; without it, whether or not."
    )
    limit: Limit = 100
    cursor: str | None = Field(None, description="`next` of the page after which to go on.")

    @property
    def filters(self) -> dict[str, str]:
        return self.model_dump(include=_CONDITIONS, exclude_none=True)


class GraphQuery(Asked):
    """Which part of the graph."""

    task: str | None = Field(None, description="Only this task, what lies above and what lies below it.")


class Levels(Asked):
    """How far to look."""

    levels: int = Field(1, ge=1, le=1_000, description="How many levels.")


class RenderQuery(Asked):
    """Which instance to show."""

    bizdate: Bizdate = Field(description="The business date.")
    time: str | None = Field(
        None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="The slot, `HH:MM`; the first of the date without it.",
    )

    @property
    def minute(self) -> int | None:
        """After midnight."""
        return None if self.time is None else 60 * int(self.time[:2]) + int(self.time[3:])


class CalendarQuery(Asked):
    """Which bizdates."""

    until: Bizdate | None = Field(
        None,
        description="The last one; without it, that of today in the task's time zone, or of its last day.",
    )
    days: int = Field(366, ge=1, le=3_660, description="How many.")


class VersionsQuery(Asked):
    """Which versions."""

    limit: Limit = 20
    cursor: Cursor = None


class DifferenceQuery(Asked):
    """Which two versions."""

    older: int = Field(ge=1, le=MOST_ID, description="The version to begin with.")
    newer: int = Field(ge=1, le=MOST_ID, description="The version that is held against it.")


class NightsBody(Asked):
    """Tasks that are looked at."""

    tasks: Annotated[list[Word], Field(max_length=1_000)] = Field(description="Full names.")
    limit: int = Field(30, ge=1, le=366, description="How many nights.")


class TasksBody(Commented):
    """Tasks that something is done to; each is judged by itself."""

    tasks: Annotated[list[Word], Field(min_length=1, max_length=10_000)] = Field(
        description="Full names, ids, or short names that only one has."
    )


# Questions


@routes.get("", "tasks.list", TaskList)
def list_tasks(visit: Asking, asked: Annotated[TaskQuery, Query()]) -> TaskList:
    """Tasks by their full names."""
    return visit.center.tasks.list(
        asked.filters, asked.name, asked.limit, asked.cursor, asked.search, asked.frozen
    )


@routes.post("/nights", "tasks.nights", TaskNights, scope=Scope.READ)
def nights(visit: Asking, body: NightsBody) -> TaskNights:
    """What has become of tasks on the latest nights that were made."""
    return visit.center.tasks.nights(body.tasks, body.limit)


@routes.get("/graph", "tasks.graph", Page[TaskInGraph])
def graph(visit: Asking, asked: Annotated[GraphQuery, Query()]) -> Page[TaskInGraph]:
    """Who waits for whom, each after those that it waits for."""
    return page_of(visit.center.tasks.graph(asked.task))


@routes.get("/{task}", "tasks.show", CurrentTask)
def show(visit: Asking, task: TaskName) -> CurrentTask:
    """One task: schedule, dependencies, parameters, settings, code, lineage."""
    return visit.center.tasks.show(task)


@routes.get("/{task}/upstream", "tasks.upstream", Page[TaskNeighbour])
def upstream(visit: Asking, task: TaskName, asked: Annotated[Levels, Query()]) -> Page[TaskNeighbour]:
    """Tasks whose same cycle it waits for, level by level."""
    return page_of(visit.center.tasks.upstream(task, asked.levels))


@routes.get("/{task}/downstream", "tasks.downstream", Page[TaskNeighbour])
def downstream(visit: Asking, task: TaskName, asked: Annotated[Levels, Query()]) -> Page[TaskNeighbour]:
    """Tasks that wait for its same cycle, level by level."""
    return page_of(visit.center.tasks.downstream(task, asked.levels))


@routes.get("/{task}/lineage", "tasks.lineage", Lineage)
def lineage(visit: Asking, task: TaskName) -> Lineage:
    """The tables that it reads and writes, and where their columns come from."""
    return visit.center.tasks.lineage(task)


@routes.get("/{task}/render", "tasks.render", RenderedRun)
def render(visit: Asking, task: TaskName, asked: Annotated[RenderQuery, Query()]) -> RenderedRun:
    """What it would run at a bizdate, with its values and its environment; secrets stay names."""
    return visit.center.tasks.render(task, asked.bizdate, asked.minute)


@routes.get("/{task}/calendar", "tasks.calendar", TaskCalendar)
def calendar(visit: Asking, task: TaskName, asked: Annotated[CalendarQuery, Query()]) -> TaskCalendar:
    """What there is of it, bizdate by bizdate, whoever made it."""
    return visit.center.tasks.calendar(task, asked.until, asked.days)


@routes.get("/{task}/versions", "versions.of_task", Page[TaskVersion])
def versions(visit: Asking, task: TaskName, asked: Annotated[VersionsQuery, Query()]) -> Page[TaskVersion]:
    """The versions that added, changed or removed it, newest first."""
    return visit.center.versions.of_task(task, asked.limit, asked.cursor)


@routes.get("/{task}/difference", "versions.compare", TaskDifference)
def difference(visit: Asking, task: TaskName, asked: Annotated[DifferenceQuery, Query()]) -> TaskDifference:
    """What differs of it between two versions: what is declared, and lines of its code."""
    return visit.center.versions.compare(task, asked.older, asked.newer)


@routes.get("/{task}/operations", "operations.of_task", Page[OperationRow])
def operations(visit: Asking, task: TaskName) -> Page[OperationRow]:
    """Who froze and unfroze it, newest first."""
    return page_of(visit.center.operations.of_task(task))


# Acts


@routes.post("/freeze", "tasks.freeze", Page[TaskItemRow])
def freeze(visit: Asking, body: TasksBody) -> Page[TaskItemRow]:
    """Freeze tasks: what is made of them from now on stands still."""
    return task_items_of(visit.center.tasks.freeze(body.tasks, body.comment))


@routes.post("/unfreeze", "tasks.unfreeze", Page[TaskItemRow])
def unfreeze(visit: Asking, body: TasksBody) -> Page[TaskItemRow]:
    """Take back a freeze; instances that are frozen stay so."""
    return task_items_of(visit.center.tasks.unfreeze(body.tasks, body.comment))
