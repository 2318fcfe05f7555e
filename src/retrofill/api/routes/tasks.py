"""Tasks as they are deployed: what they are, who waits for whom, what they would run; freezing them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Commented, Limit, Word
from retrofill.api.results import page_of, task_items_of
from retrofill.services.reading.documents import (
    CurrentTask,
    Lineage,
    ListedTask,
    OperationRow,
    Page,
    RenderedRun,
    TaskInGraph,
    TaskItemRow,
    TaskNeighbour,
)

routes = Routes("tasks")

TaskName = Annotated[
    str, Path(max_length=1_000, description="Full name, id, or a short name that only one has.")
]


class TaskQuery(Asked):
    """Which tasks; of what is given, all must hold."""

    workspace: str | None = Field(None, description="Of this workspace.")
    type: str | None = Field(None, description="Of this type.")
    tag: str | None = Field(None, description="With this tag.")
    name: str | None = Field(None, description="Is in the full name, in whatever case.")
    limit: Limit = 100
    cursor: str | None = Field(None, description="`next` of the page after which to go on.")

    @property
    def filters(self) -> dict[str, str]:
        return self.model_dump(include={"workspace", "type", "tag"}, exclude_none=True)


class GraphQuery(Asked):
    """Which part of the graph."""

    task: str | None = Field(None, description="Only this task, what lies above and what lies below it.")


class Levels(Asked):
    """How far to look."""

    levels: int = Field(1, ge=1, le=1_000, description="How many levels.")


class RenderQuery(Asked):
    """Which instance to show."""

    bizdate: date = Field(description="The business date.")
    time: str | None = Field(
        None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="The slot, `HH:MM`; the first of the date without it.",
    )

    @property
    def minute(self) -> int | None:
        """After midnight."""
        return None if self.time is None else 60 * int(self.time[:2]) + int(self.time[3:])


class TasksBody(Commented):
    """Tasks that something is done to; each is judged by itself."""

    tasks: Annotated[list[Word], Field(min_length=1, max_length=10_000)] = Field(
        description="Full names, ids, or short names that only one has."
    )


# Questions


@routes.get("", "tasks.list", Page[ListedTask])
def list_tasks(visit: Asking, asked: Annotated[TaskQuery, Query()]) -> Page[ListedTask]:
    """Tasks by their full names."""
    return visit.center.tasks.list(asked.filters, asked.name, asked.limit, asked.cursor)


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
