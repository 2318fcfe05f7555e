"""Instances: rows, pages, why, the record, what lies around one."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Step, Text


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
    host: (
        str | None
    )  #: the name of the host where it ran; null where one machine has the store, and while it is offered
    host_label: str | None  #: what people call that
    offered: bool  #: whether it waits for a host that claims it


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


class RowReason(TypedDict):
    """Why an instance of a list stands where it does, in some words; its own page says more (OPS-9)."""

    id: int
    text: str  #: empty where there is nothing to say
    held_up: bool  #: whether it waits in the end for what failed, is frozen or isolated
    cause: int | None  #: the instance for which it waits in the end, of the first that the asker sees


class WhyDocument(TypedDict):
    """`instance why`: why it is not running (OPS-9)."""

    id: int
    state: str
    reason: str | None
    text: Text
    blockers: list[Blocker]
    steps: list[Step]  #: what can be done next


class LogPiece(TypedDict):
    """A piece of a log."""

    offset: int  #: in bytes
    missing: int  #: bytes before it that were cut out
    base64: str


class LogLine(TypedDict):
    """A line of a log, or as much of it as is shown."""

    number: (
        int | None
    )  #: from 1; a part that was cut out counts as the end of a line; null while lines are being counted
    offset: int  #: of the first byte that is shown
    text: str  #: without its end
    missing: int  #: bytes before it that were cut out of the log
    starts: bool  #: whether the line begins with what is shown
    ends: bool  #: whether it ends with it
    error: bool  #: whether it tells of an error


class LogWindow(TypedDict):
    """Some lines of a log, as it is now."""

    id: int
    run_number: int  #: 0 where no code ran
    ended: bool  #: whether nothing more comes
    size: int  #: bytes of the whole log, those that were cut out included
    lines: list[LogLine]
    total: int | None  #: lines of the whole log; null while they are being counted: ask again
    before: int | None  #: byte with which to ask `until` for what is before; null at the beginning
    after: int  #: byte with which to ask `since` for what comes next


class LogFinds(TypedDict):
    """Lines of a log in which something was found, from a byte on."""

    id: int
    run_number: int
    items: list[LogLine]
    next: int | None  #: byte at which the search goes on; null where it has come to the end


class InstanceState(TypedDict):
    """An instance and its state, as lists show it (OPS-0)."""

    id: int
    state: str


class OperationRow(TypedDict):
    """One line of the record of operations (OPS-8)."""

    id: int
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
