"""Pictures of a backfill: grid, timeline, graph of its tasks; compact, because there may be a million cells.

A state is a letter: `n` not run, `t` waiting for its time, `w` waiting for resources, `r` running, `s` successful,
`f` failed, `z` frozen; `.` where there is no instance. A mark tells more of it: `d` dry run, `o` off day, `v` virtual,
`h` not run because of something that failed, is frozen or isolated, `m` set successful by a person; `-` nothing.
"""

from __future__ import annotations

from typing import TypedDict

from retrofill.services.reading.documents.backfills import Counts


class GridRow(TypedDict):
    """A task at one time of the day, over all bizdates."""

    task: str
    slot: str  #: time of day, `HH:MM`
    place: int  #: of its instances among those of a date
    cells: str  #: a letter a bizdate, in the order of `bizdates`
    marks: str  #: a mark a bizdate; empty where nothing is to be told


class GridDocument(TypedDict):
    """Task by bizdate: the state of every instance that the asker sees.

    The instance of the row with place P on the bizdate at position C has the id `first_instance + C * stride + P`.
    """

    id: int
    bizdates: list[str]  #: in running order
    groups: list[int]  #: of each bizdate
    positions: list[int]  #: of each bizdate, from 0, among all of them in running order
    first_instance: int
    stride: int
    rows: list[GridRow]  #: nothing until its instances are made


class TimelineDocument(TypedDict):
    """When what ran: the runs of a backfill that the asker sees, as columns of equal length, by instance and number."""

    id: int
    began_at: str | None  #: of the first run; null where nothing ran
    tasks: list[str]
    instances: list[int]
    run_numbers: list[int]
    task_of: list[int]  #: index into `tasks`
    started: list[int]  #: milliseconds since `began_at`
    ended: list[int | None]  #: milliseconds since `began_at`; null while it runs
    states: str  #: a letter a run: `r`, `s` or `f`


class Forecast(TypedDict):
    """What will run when, as it looks now: the plan played through with earlier run times, if nothing fails (BF-2).

    What cannot go on before a person mends something takes no part. Columns of equal length, by start.
    """

    id: int
    at: str  #: the moment from which it was played
    end_at: str | None  #: null where it is unknown, or nothing can run
    low_end_at: str | None  #: with fast runs
    high_end_at: str | None  #: with slow runs
    unknown_tasks: list[str]  #: tasks without a successful run yet; they are played as taking no time
    is_partial: bool  #: whether only the next bizdates of each group were played
    instances: list[int]  #: of tasks that the asker sees
    started: list[int]  #: milliseconds since `at`; 0 for what runs already
    ended: list[int]  #: milliseconds since `at`


class PathLink(TypedDict):
    """An instance on which the end of its backfill hangs."""

    id: int
    task: str
    bizdate: str
    scheduled_at: str
    state: str
    started_at: str
    ended_at: str  #: of what runs and of what is to come, as it is expected
    is_expected: bool  #: whether it is still to end
    waited_seconds: (
        float  #: since the one before it ended, or the backfill began: for a slot, its time or its window
    )
    run_seconds: float


class CriticalPath(TypedDict):
    """What the end of a backfill hangs on: the run that ends last, what it waited for, and so on, the first one first.

    At most 500 links; those that the asker may not see are left out, their time is counted.
    """

    id: int
    end_at: str
    is_expected: bool  #: whether some of it is still to come, as the forecast plays it
    run_seconds: float  #: of its links together
    wait_seconds: float  #: before and between them
    links: list[PathLink]


class TaskNode(TypedDict):
    """A task of a backfill."""

    task: str
    dry_run: str | None  #: `intermediate`, `blacklisted`, `no_permission` or `mode`
    counts: Counts  #: its instances by state


class TaskEdge(TypedDict):
    """One task waits for another one in a backfill."""

    upstream: str
    downstream: str
    previous: bool  #: for the instance of the date before, instead of the same date's


class BackfillDag(TypedDict):
    """The tasks of a backfill that the asker sees, and which of them wait for which."""

    id: int
    nodes: list[TaskNode]  #: nothing until its instances are made
    edges: list[TaskEdge]
