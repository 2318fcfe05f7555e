"""Backfills: rows, pages, plans, progress."""

from __future__ import annotations

from typing import Any, TypedDict

from retrofill.domain.texts import Step, Text


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
    at_least_seconds: float | None  #: what the tasks take that have run before
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

    event: str  #: `success`, `failure` or `paused`
    method: str  #: `email`, `sms`, `webhook` (of its own address) or `webhook:NAME` (of the settings)
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


class Cause(TypedDict):
    """An instance that a person has to look after before what waits for it can go on."""

    id: int
    task: str
    bizdate: str
    scheduled_at: str
    group: int  #: of bizdates
    state: str  #: `failed`, `frozen`, or `not_run` where it is isolated
    reason: str | None
    run_number: int
    message: str | None  #: how its last run ended; null where it did not run
    held_up: int  #: instances that wait for it in the end
    held_up_tasks: int  #: of how many tasks these are
    held_up_groups: list[int]  #: of bizdates, in which they lie


class Trouble(TypedDict):
    """What cannot go on before a person mends something, and what else there is to come (OPS-9)."""

    id: int
    causes: list[Cause]  #: some of those that the asker sees, what holds up most first
    failed: int  #: instances, those that failed with a sibling too
    frozen: int
    isolated: int
    held_up: int  #: instances that wait for any of these in the end
    held_up_tasks: int  #: of how many tasks these are
    going_on: int  #: instances that run or can still start


class BackfillPage(BackfillRow):
    """`backfill show`: a backfill with what it was asked for (BF-2)."""

    kinds: dict[str, int] | None  #: instances by what they do; null for old backfills
    runs_by_bizdate: dict[str, int] | None  #: instances that really run
    request: dict[str, Any]  #: choice and policy, as they stand now
    dates: list[DateRow]  #: in running order
    first_failures: list[Failure]  #: the first three in time
    refusals: dict[
        str, Text
    ]  #: of `pause`, `resume`, `stop`, `change` and `rerun` those that are refused now, and why
    tag: str  #: how somebody has set it up, for `If-Match`


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


class Load(TypedDict):
    """How many slots of a resource group a plan holds over its expected time."""

    resource_group: str  #: the one that it holds longest
    slots: int  #: that it may use
    peak: int  #: the most that it holds at a time
    from_at: str
    step_seconds: float  #: the length of a stretch of time
    used: list[float]  #: slots, the mean of each stretch


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
    load: Load | None  #: of a preview: as far as it was played; null where it is unknown
    checks_to_ask: list[str]  #: extension checks that `create` will ask; missing where there are none
    checks: list[CheckAnswer]  #: what they answered; missing where none were asked


class PlannedInstance(TypedDict):
    """One instance that a backfill would have."""

    task: str
    bizdate: str
    scheduled_at: str
    kind: str  #: `run`, `dry_run`, `off_day`, `virtual` or `frozen`
    reason: str | None  #: of a dry run
    group: int  #: of bizdates
    priority: int | None  #: null where the task may not be seen
    resource_group: str | None  #: null where the task may not be seen
    parameters: dict[str, str]
    waits_for: list[list[str]]  #: task and scheduled time of each, inside the backfill
    isolated_from: list[str]  #: upstream tasks that are not there (DEP-11)


class PlanPreview(PlanSummary, total=False):
    """A plan as it is shown before it is created (VER-4)."""

    digest: str  #: tells this plan from another; sent back with `create`, only this plan is created
    refused: bool  #: whether it may be stored, but would not run (VER-2)
    notes: list[str]  #: how the request was understood


class Analysis(PlanSummary, total=False):
    """A backfill's summary as it was when it was created, with what checks answered (VER-1)."""

    id: int
    check_status: str
