"""Tasks as they are declared, for programs: without what is worked out from their code."""

from __future__ import annotations

from typing import TypedDict

from retrofill.services.reading.documents.tasks import RerunRules, TaskRow


class TaskWait(TypedDict):
    """What a task waits for."""

    kind: str  #: `same_cycle`, `previous`, `self` or `children`
    task: str | None  #: its full name; null where the kind says it
    id: int | None


class DeclaredTask(TaskRow):
    """A task as it is declared."""

    workspace: str
    workspace_id: int
    description: str | None
    timezone: str
    connection: str | None
    baseline: str | None
    mode: str  #: `normal`, `dry_run` or `paused`; also `paused` where a command has frozen it
    generation: str  #: `next_day` or `immediate`
    rerun: RerunRules
    timeout_seconds: int
    parameters: dict[str, str]
    valid_from: str | None
    valid_until: str | None
    tags: list[str]
    writes: list[str]
    code: str
    waits_for: list[TaskWait]


class DeclaredNeighbour(TypedDict):
    """A task that waits for another one, or that is waited for."""

    dependency: str  #: `same_cycle` or `earlier_cycle`
    task: DeclaredTask
