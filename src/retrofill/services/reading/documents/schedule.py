"""The schedule and resource groups."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Step, Text
from retrofill.services.reading.documents.backfills import Counts
from retrofill.services.reading.documents.instances import InstanceRow


class NightRow(TypedDict):
    """A bizdate with auto triggered instances."""

    bizdate: str
    instance_count: int
    counts: Counts
    ended_at: str | None  #: when the last of its instances ended so far; null where none has


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


class HostRow(TypedDict):
    """A machine or container with a folder of runs (RUN-3)."""

    name: str  #: which no other one has
    label: str  #: what people call it
    state: str  #: `there`, `draining` (takes no more), `left` (by itself), `unknown` (not heard of) or `lost`
    silent_seconds: float | None  #: since it was heard of; null where it never was
    executor: str  #: how it hears of work: `pull`, `celery`, ...; `local` where it schedules or stands by
    resource_groups: list[
        str
    ]  #: whose instances it takes; none where it schedules: it runs those of all local ones
    slots: int | None  #: how many it carries out at once; null: as many as its groups have
    running: int  #: runs that live there, also of instances that may not be shown
    version: str | None  #: of Retrofill there; null where it schedules
    since: str | None  #: when it first took part; null where it schedules


class GroupRow(TypedDict):
    """A resource group in a list."""

    resource_group: str
    type: str  #: `shared`, `exclusive` or `serverless`
    slots: int
    running: int
    waiting: int
    reserved_for_auto: int
    workspaces: list[str] | None  #: that it is bound to; null for all
    executor: str  #: `local`: on the machine that schedules; else what offers its instances to other hosts
    offered: int  #: of those that run, how many are offered and no host has claimed yet
    hosts: int | None  #: that are heard of and take its instances; null where the executor is `local`


class HeldSlot(InstanceRow):
    """An instance that holds a slot."""

    host: (
        str | None
    )  #: the name of the host where it runs; null where one machine has the store, or it is offered
    host_label: str | None  #: what people call that
    offered: bool  #: whether it waits for a host that claims it
    where: str  #: in a few words what is to be said of where it runs; empty: nothing
    usual_seconds: float | None  #: mean of its task's latest successful runs


class GroupUse(TypedDict):
    """How many slots of a resource group were in use, step by step up to now."""

    resource_group: str
    slots: int
    reserved_for_auto: int
    since: str
    step_seconds: float
    schedule: list[float]  #: mean in use by auto triggered instances, for each step
    backfills: list[float]  #: mean in use by instances of backfills, for each step
    complete: bool  #: whether all that ran is counted; of very many runs, only so many are


class Queue(TypedDict):
    """`resource-group show`: who holds its slots, and who waits for them (RUN-1)."""

    resource_group: str
    type: str  #: `shared`, `exclusive` or `serverless`
    slots: int
    reserved_for_auto: int
    workspaces: list[str] | None  #: that it is bound to; null for all
    held: int  #: slots that instances hold, also those that may not be shown
    waiting: int  #: instances that wait for one, also those that may not be shown
    running: list[HeldSlot]  #: the longest first
    queue: list[InstanceRow]  #: first to start first
    executor: str  #: `local`: on the machine that schedules; else what offers its instances to other hosts
    offered: int  #: of the slots that are held, by how many instances that no host has claimed yet
    hosts: list[HostRow]  #: that take its instances; none where the executor is `local`
    hidden: int  #: instances of both that the actor may not see
