"""What the operation center answers: the JSON of the command line, later of REST, and what pages are made of.

One `TypedDict` a document; what follows `#:` is its field's description in `docs/reference/json.md`, which is
made from this module. Names are promises: add to them freely, do not rename. Instants are UTC texts
(`...Z`), `scheduled_at` is a wall-clock slot, dates are ISO texts, lengths are seconds. Nothing imports this
module while the program runs: only type checkers and the page do.
"""

from __future__ import annotations

from typing import Any, Generic, TypedDict, TypeVar

from retrofill.domain.texts import Step, Text

_Item = TypeVar("_Item")


class Page(TypedDict, Generic[_Item]):
    """One page of a list."""

    items: list[_Item]
    next: int | str | None  #: the cursor that asks for the next page; null on the last one


# What became of what somebody did


class DeployedVersion(TypedDict):
    """What is deployed after a deploy."""

    version: int
    new: bool  #: false where nothing had changed
    notes: list[str]  #: instances that were made at once, and what changes in the first night


class ScheduleState(TypedDict):
    """The schedule after a pause or a resume."""

    held: bool  #: whether nothing of it is made or started
    unchanged: bool  #: whether that was so before


class ClockState(TypedDict):
    """The clock after somebody has said that it is right (TIME-8)."""

    now: str
    unchanged: bool  #: whether nobody had doubted it


class TestMessage(TypedDict):
    """A test message by one method (POL-9)."""

    method: str  #: `email` or `sms`
    address: str
    ok: bool
    error: Text | str | None


class AlertObstacle(TypedDict):
    """Why an alert could not be sent as things are."""

    method: str  #: `email` or `sms`
    reason: Text


class CheckRound(TypedDict):
    """What extension checks say to a plan (VER-3)."""

    passed: bool
    findings: list[Finding]


class RetentionReport(TypedDict):
    """What went by age and size, or would go (RET-1, RET-2)."""

    dry_run: bool
    backfills: int
    instances: int
    runs: int
    operations: int  #: lines of the record
    logs: int
    log_bytes: int
    unknown_files: int  #: of runs that nobody knows
    unknown_bytes: int
    journals: int
    code_folders: int  #: of files that versions include, which no run needs
    cut_logs: int
    cut_bytes: int  #: that were cut out of logs


class BackupDocument(TypedDict):
    """A backup that was taken."""

    file: str
    bytes: int
    made_at: str
    schema: str  #: revision of the store
    logs: int


MigratedDocument = TypedDict("MigratedDocument", {"from": str | None, "to": str})
MigratedDocument.__doc__ = "A store whose schema is that of the program; `from` is null where there was none."


class CopiedTableDocument(TypedDict):
    """A table of which both stores hold the same."""

    table: str
    rows: int
    checksum: str  #: of all rows in the order of their keys


class CopiedDocument(TypedDict):
    """A store that was copied into another database."""

    to: str
    rows: int
    tables: list[CopiedTableDocument]


class RestoredDocument(TypedDict):
    """A store that was made anew from a backup; nothing of it goes on by itself."""

    made_at: str  #: when the backup was taken
    project: str
    schedule_is_held: bool
    paused: list[int]  #: backfills
    lost: list[int]  #: instances that ran when the backup was made
    run_again: list[int]  #: of these, what runs anew once it is resumed (`rerun: {on_lost: true}`)
    logs: int
    replaced: str | None  #: where the store is now that was there


# Backfills


class Finding(TypedDict):
    """One result of verification or of a check (VER-1)."""

    level: str  #: `risk`, `warning` or `info`
    code: str
    message: str
    tasks: list[str]  #: full names
    hint: Text  #: a sentence that says what to do; empty where nothing is to be done
    steps: list[Step]  #: what the hint speaks of: name, arguments, and in the command line's JSON the command


class Estimate(TypedDict):
    """When a backfill would end, made before it began (BF-2)."""

    seconds: float | None  #: null where it is unknown, or nothing can run
    low_seconds: float | None  #: with fast runs
    high_seconds: float | None  #: with slow runs
    end_at: str | None
    at_least_seconds: float  #: what the tasks take that have run before
    unknown_tasks: list[str]  #: tasks without a successful run yet
    longest_task: str | None  #: the task with the most run time
    longest_share: float  #: its part of all run time, 0 to 1
    rivals: int  #: instances of others that hold or want its slots
    is_extrapolated: bool  #: whether only the first bizdates were played


class FirstEstimate(Estimate):
    """The estimate that a backfill was created with, and how far off it was."""

    off_percent: float | None  #: positive where it was too high; null until the backfill has succeeded


class Alert(TypedDict):
    """One message about a backfill (POL-9)."""

    event: str  #: `success` or `failure`
    method: str  #: `email` or `sms`
    state: str
    queued_at: str
    tries: int
    next_try_at: str | None
    sent_at: str | None
    reason: str | None  #: why it is not sent


class Counts(TypedDict):
    """Instances by state (OPS-0)."""

    not_run: int
    waiting_time: int
    waiting_resources: int
    running: int
    successful: int
    failed: int
    frozen: int


class BackfillRow(TypedDict):
    """A backfill, in a list and alone (BF-2)."""

    id: int
    name: str
    check_status: str  #: `checking`, `passed` or `failed`
    status: (
        str  #: `running`, `paused`, `stopped`, `succeeded`, `waiting_resources`, `pending` or `failed` (BF-5)
    )
    blocked_by: list[str]  #: what keeps a failed one from going on: `failed`, `frozen`, `isolated`, `loop`
    held: str | None  #: `stopped` or `paused` where nothing new of it starts
    paused_by: str | None  #: who paused it
    failures: int  #: instances that have failed since it last went on
    task_count: int
    instance_count: int
    run_count: int | None  #: instances that really run; null for old backfills
    counts: Counts
    bizdates: list[str]  #: in running order
    version: int  #: of the project that it was created from
    created_by: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    took_seconds: float | None  #: from start to end, without the time in which it was held
    estimated_end_at: str | None  #: null where it is unknown, held, or needs a person
    first_estimate: FirstEstimate | None
    alerts: list[Alert]


class DateRow(TypedDict):
    """One bizdate of a backfill."""

    bizdate: str
    group: int
    reached: bool  #: whether its group has come to it
    total: int  #: instances
    successful: int
    failed: int
    running: int
    frozen: int


class Failure(TypedDict):
    """An instance that failed by itself."""

    id: int
    task: str
    bizdate: str
    scheduled_at: str
    run_number: int
    message: str  #: how its run ended
    last_line: str | None  #: of its log


class BackfillPage(BackfillRow):
    """`backfill show`: a backfill with what it was asked for (BF-2)."""

    kinds: dict[str, int] | None  #: instances by what they do; null for old backfills
    runs_by_bizdate: dict[str, int] | None  #: instances that really run
    request: dict[str, Any]  #: choice and policy, as they stand now
    dates: list[DateRow]  #: in running order
    first_failures: list[Failure]  #: the first three in time


class RunningInstance(TypedDict):
    """An instance that runs."""

    id: int
    task: str
    scheduled_at: str


class Progress(TypedDict):
    """How far a backfill has come."""

    id: int
    name: str
    check_status: str
    held: str | None  #: `stopped` or `paused` where nothing new of it starts
    paused_by: str | None
    failures: int
    run_count: int | None
    ended_at: str | None
    dates: list[DateRow]
    running: list[RunningInstance]  #: the first four that the actor sees
    running_count: int  #: all


class TimeLeft(TypedDict):
    """How long a backfill will go on, as it looks now (BF-2)."""

    end_at: str | None
    seconds: float | None  #: null where it is unknown
    unknown_tasks: list[str]  #: tasks without a successful run yet


class PlannedTask(TypedDict, total=False):
    """What a plan has of one task; what its instances do is missing where an old version planned."""

    task: str
    instances: int
    dry_run: str | None  #: `intermediate`, `blacklisted`, `no_permission` or `mode`
    runs: int  #: instances that really run their code
    dry_runs: int
    off_days: int
    virtual: int
    frozen: int


class CheckAnswer(TypedDict):
    """What an extension check said (VER-3)."""

    check: str
    result: str
    message: str


class PlanSummary(TypedDict, total=False):
    """What a backfill would do (VER-1); counts include dry runs."""

    tasks: list[PlannedTask]
    task_count: int
    instance_count: int
    kinds: dict[str, int]  #: instances by what they do: `runs dry_runs off_days virtual frozen`
    by_bizdate: dict[str, int]  #: instances
    runs_by_bizdate: dict[str, int]  #: instances that really run
    first_run_date: str
    last_run_date: str
    groups: list[list[str]]  #: bizdates in running order
    dry_runs: dict[str, list[str]]  #: tasks by reason
    findings: list[Finding]
    estimate: Estimate | None
    checks_to_ask: list[str]  #: extension checks that `create` will ask; missing where there are none
    checks: list[CheckAnswer]  #: what they answered; missing where none were asked


class Analysis(PlanSummary, total=False):
    """A backfill's summary as it was when it was created, with what checks answered (VER-1)."""

    id: int
    check_status: str


# Instances


class InstanceRow(TypedDict):
    """An instance, in a list and alone (BF-2)."""

    id: int
    backfill: int | None  #: null where it is auto triggered
    task: str
    bizdate: str
    scheduled_at: str
    kind: str  #: `run`, `dry_run`, `off_day`, `virtual` or `frozen`
    state: str  #: `not_run`, `waiting_time`, `waiting_resources`, `running`, `successful`, `failed` or `frozen` (OPS-0)
    reason: str | None
    group: int | None  #: of bizdates; null where it is auto triggered
    priority: int | None  #: null where the task may not be seen
    resource_group: str | None  #: null where the task may not be seen
    version: int  #: whose code it runs
    run_number: int
    started_at: str | None
    ended_at: str | None
    run_seconds: float | None


class RunRow(TypedDict):
    """One run of an instance."""

    run_number: int
    version: int  #: whose code it ran
    started_at: str | None
    ended_at: str | None
    outcome: str | None
    exit_code: int | None
    message: str | None


class InstancePage(InstanceRow):
    """`instance show`: an instance with its runs."""

    why: Text  #: why it is not running, or how it ended
    parameters: dict[str, str]  #: with their values; secrets stay names (SEC-3)
    runs: list[RunRow]


class Blocker(TypedDict, total=False):
    """An instance that another one waits for; of one that holds a slot only `id` and `state` are told."""

    id: int
    task: str
    bizdate: str
    scheduled_at: str
    state: str
    reason: str | None


class WhyDocument(TypedDict):
    """`instance why`: why it is not running (OPS-9)."""

    id: int
    state: str
    reason: str | None
    text: Text
    blockers: list[Blocker]
    steps: list[Step]  #: what can be done next


class OperationRow(TypedDict):
    """One line of the record of operations (OPS-8)."""

    at: str
    user: str
    action: str
    backfill: int | None
    instance: int | None
    task: str | None
    from_state: str | None
    to_state: str | None
    comment: str


class InstanceHistory(TypedDict):
    """`instance history`: what people did to it, and its runs."""

    id: int
    operations: list[OperationRow]
    runs: list[RunRow]


class DagNode(InstanceRow):
    """An instance near another one."""

    level: int  #: 0 the one asked about, -1 what it waits for, 1 what waits for it


class DagEdge(TypedDict):
    """Ids of an instance and one that waits for it."""

    upstream: int
    downstream: int
    removed: bool  #: whether it is not waited for any more (OPS-7)


class DagDocument(TypedDict):
    """`instance dag`: what lies around an instance (OPS-10)."""

    id: int
    nodes: list[DagNode]  #: by level, then id
    edges: list[DagEdge]


# Lineage


class TableRead(TypedDict):
    """A table that a task reads."""

    table: str
    connection: str | None
    written_by: list[str]  #: tasks


class TableWritten(TypedDict):
    """A table that a task writes."""

    table: str
    connection: str | None
    read_by: list[str]  #: tasks


class Column(TypedDict):
    """A column of a table."""

    table: str
    column: str


# `from` is a word of the language, and so no name in a class.
ColumnLineage = TypedDict("ColumnLineage", {"table": str, "column": str, "from": list[Column]})


class Lineage(TypedDict):
    """What a task reads and writes (OPS-10)."""

    reads: list[TableRead]
    writes: list[TableWritten]
    columns: list[ColumnLineage]  #: where written columns come from
    problem: str | None  #: why tables may be lacking


class InstanceLineage(Lineage):
    """`instance lineage`: by the version whose code it runs."""

    id: int
    task: str
    bizdate: str


# The schedule and resource groups


class NightRow(TypedDict):
    """A bizdate with auto triggered instances."""

    bizdate: str
    instance_count: int
    counts: Counts


class MissedNights(TypedDict):
    """Nights that no scheduler made, and that none will make (AUTO-3)."""

    bizdates: list[str]  #: oldest first
    tasks: list[str]  #: that have not run on all of these
    makes_up: Step  #: what runs them
    over_them: list[str]  #: tasks that wait for a previous cycle and went on over these bizdates
    afterwards: Step | None  #: what mends those once the first one has ended
    sentences: list[Text]


class ScheduleDocument(TypedDict):
    """`schedule show`: whether the regular schedule goes on (AUTO-1)."""

    held: bool  #: whether it is paused
    last_bizdate: str | None  #: that a night has made instances of
    next_at: str | None  #: null while it is paused, and before the first deploy
    scheduler: bool  #: whether one runs that makes and starts them
    clock: Text | None  #: why the clock is doubted (TIME-8)
    missed: MissedNights | None


class GroupRow(TypedDict):
    """A resource group in a list."""

    resource_group: str
    type: str  #: `shared`, `exclusive` or `serverless`
    slots: int
    running: int
    waiting: int
    reserved_for_auto: int
    workspaces: list[str] | None  #: that it is bound to; null for all


class Queue(TypedDict):
    """`resource-group show`: who holds its slots, and who waits for them (RUN-1)."""

    resource_group: str
    slots: int
    reserved_for_auto: int
    running: list[InstanceRow]
    queue: list[InstanceRow]  #: first to start first
    hidden: int  #: instances of both that the actor may not see


# Tasks, workspaces and versions


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
    deployed_by: str


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
