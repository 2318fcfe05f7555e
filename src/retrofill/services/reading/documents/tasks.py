"""Tasks, workspaces and versions."""

from __future__ import annotations

from typing import TypedDict

from retrofill.services.reading.documents.instances import InstanceRow
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


class NextSlot(TypedDict):
    """A time at which a task really runs next."""

    scheduled_at: str
    due_at: str  #: the instant of it
    bizdate: str  #: whose data it produces


class ListedTask(TaskRow):
    """`task list`: a task in a list."""

    frozen: bool  #: whether instances made from now on are frozen
    mode: str  #: `normal`, `dry_run` or `paused`
    description: str | None
    schedule_in_words: str
    timezone: str
    next: NextSlot | None  #: null where its validity is over
    tags: list[str]
    upstream: int  #: tasks whose same cycle it waits for
    downstream: int  #: tasks that wait for its same cycle
    usual_seconds: float | None  #: mean of its latest successful runs


class TaskList(TypedDict):
    """One page of tasks."""

    items: list[ListedTask]
    next: str | None  #: the cursor that asks for the next page; null on the last one
    total: int  #: on all pages


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
    next: list[NextSlot]  #: the next five times
    run_seconds: list[float]  #: its latest successful runs, oldest first


class TaskCalendar(TypedDict):
    """What there is of a task, bizdate by bizdate.

    A cell is a letter: of states `n`, `t`, `w`, `r`, `s`, `f`, `z` as in pictures of a backfill, of the instance that
    ran last at each time, and of several times the one that tells most; `d` a dry run, `o` an off day; `.` where there
    is no instance, and `?` where there may have been one that is not kept any more.
    """

    task: str
    first: str  #: bizdate of the first cell
    last: str
    cells: str
    instances: list[int | None]  #: of each cell
    backfills: list[int | None]  #: that each cell's instance is of; null where it is auto triggered
    to_backfill: list[str]  #: bizdates that are due and failed, or were never made
    kept_days: int  #: how long instances are kept after their last change
    left_out: int  #: older backfills of the task that were not looked into
    latest: list[InstanceRow]  #: that ran last, newest first


class NightCells(TypedDict):
    """The auto triggered instances of a task."""

    task: str
    cells: str  #: a letter a bizdate, as in `TaskCalendar`


class TaskNights(TypedDict):
    """What has become of tasks on the latest nights."""

    bizdates: list[str]  #: oldest first
    tasks: list[NightCells]


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


class TaskVersion(VersionHead):
    """A version that changed a task."""

    change: str  #: `added`, `changed` or `removed`
    what: list[str]  #: has changed


class ChangedField(TypedDict):
    """What is declared of a task, in two versions."""

    field: str
    before: str | None
    after: str | None


class CodeLine(TypedDict):
    """A line of code in one of two versions, or in both."""

    kind: str  #: `same`, `removed`, `added`, or `gap` where equal lines are left out
    before: int | None  #: its number in the older version
    after: int | None
    text: str


class TaskDifference(TypedDict):
    """A task in two versions."""

    task: str
    older: int
    newer: int
    fields: list[ChangedField]
    code: list[CodeLine]  #: nothing where it is the same


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
