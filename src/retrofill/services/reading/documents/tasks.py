"""Tasks, workspaces and versions."""

from __future__ import annotations

from typing import TypedDict

from retrofill.services.reading.documents.lineage import Lineage


class TaskRow(TypedDict):
    """A task."""

    id: int | None  #: null before it is deployed
    task: str  #: its full name
    type: str
    cycle: str
    schedule: str
    owner: str | None
    priority: int
    resource_group: str


class ListedTask(TaskRow):
    """`task list`: a task in a list."""

    frozen: bool  #: whether instances made from now on are frozen


class RerunRules(TypedDict):
    """What happens after a failed run (RUN-3)."""

    mode: str  #: `always`, `on_failure` or `never`
    times: int
    interval_seconds: int
    on_lost: bool


class TaskPage(TaskRow):
    """Everything that is declared of a task."""

    description: str | None
    timezone: str
    schedule_in_words: str
    depends_on: list[str]
    downstream: list[str]
    parameters: dict[str, str]  #: as declared
    baseline: str | None
    mode: str  #: `normal`, `dry_run` or `paused`
    rerun: RerunRules
    timeout_seconds: int
    max_parallel_instances: int | None
    valid_from: str | None
    valid_until: str | None
    tags: list[str]
    reads: list[str]  #: as declared
    writes: list[str]  #: as declared
    connection: str | None
    code_file: str | None
    code: str
    included: list[str]  #: files that its workspace includes
    lineage: Lineage


class CurrentTask(TaskPage):
    """`task show`: a task as the project has it."""

    frozen: bool  #: whether instances made from now on are frozen


class VersionTaskPage(TaskPage):
    """`version show` of one task, as the version has it."""

    version: int


class TaskInGraph(TypedDict):
    """`task graph`: a task with its neighbours."""

    task: str
    upstream: list[str]
    downstream: list[str]
    earlier_cycles: list[str]  #: what it waits for besides, in words


class TaskNeighbour(TaskRow):
    """A task above or below another one."""

    level: int  #: 1 for those that it waits for itself, or that wait for it


class WorkspaceRow(TypedDict):
    """`workspace list`: a workspace."""

    id: int | None  #: null before it is deployed
    workspace: str
    timezone: str
    region: str
    tasks: int
    members: dict[str, str]  #: roles by name


class RenderedRun(TypedDict):
    """`task render`: what a task would run (PAR-4)."""

    task: str
    type: str
    version: int | None  #: null where it is not deployed as it stands
    bizdate: str
    scheduled_at: str
    due_at: str | None
    off_day: bool  #: then its instance succeeds without running this
    slots: list[str]  #: all times of the task on that date
    working_directory: str
    connection: str | None
    connection_url: str | None
    interpreter: str | None
    arguments: list[str]
    environment: dict[str, str]
    inherits: list[str]  #: names and beginnings of variables that it finds as the scheduler has them
    code: str


class VersionHead(TypedDict):
    """A deployed version (CAT-9)."""

    version: int
    current: bool
    deployed_at: str | None
    deployed_by: str | None  #: null where it may not be said to who asks


class VersionRow(VersionHead):
    """`version list`: a deployed version in a list."""

    tasks: int | None  #: how many it has
    published_from: int | None  #: the older version that it is anew


class VersionChanges(TypedDict):
    """What a version changed."""

    added: list[str]
    changed: dict[str, list[str]]  #: what has changed of each task
    removed: list[str]
    hidden: int  #: tasks that the actor may not see
    besides: list[str]


class Publication(TypedDict):
    """What a deploy of the folder would change for the nightly schedule."""

    deployed: int | None  #: the version that is deployed now
    differs: bool  #: whether it makes a new one
    changes: VersionChanges
    loses_everything: bool  #: there are workspaces, and the folder has none


class VersionTask(TypedDict):
    """A task of a version."""

    task: str
    type: str
    schedule: str
    code_file: str | None


class IncludedFile(TypedDict):
    """A file that a workspace includes."""

    path: str
    bytes: int
    sha256: str


class VersionPage(VersionHead):
    """`version show`: what a version holds."""

    published_from: int | None  #: the older version that it is anew
    changes: VersionChanges
    compared_with: int | None  #: the version before it
    tasks: list[VersionTask]
    included: dict[str, list[IncludedFile]]  #: by workspace


class FileDocument(TypedDict):
    """`version show` of one file: what an included file holds."""

    path: str
    sha256: str
    base64: str
