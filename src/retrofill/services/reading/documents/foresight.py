"""Acts on instances before they are done: consequences, counted."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Step, Text
from retrofill.services.reading.documents.instances import InstanceRow
from retrofill.services.reading.documents.schedule import GroupRow


class Refused(TypedDict):
    """Instances to which something cannot be done, for one reason."""

    count: int
    ids: list[int]  #: the first hundred
    error: Text  #: in which each of them is `it`
    code: str
    hint: Text
    steps: list[Step]  #: what the hint speaks of


class HeldBackfill(TypedDict):
    """A backfill in which nothing starts."""

    backfill: int
    state: str  #: `stopped` or `paused`
    goes_on: bool  #: whether the act takes that back


class TaskBelow(TypedDict):
    """A task of which instances lie below."""

    task: str
    ended: int
    running: int


class WaitRow(TypedDict):
    """An instance that is waited for."""

    id: int
    task: str
    bizdate: str
    scheduled_at: str
    state: str
    removed: bool  #: whether it is not waited for any more (OPS-7)


class Foresight(TypedDict):
    """What an act on instances would do, counted before it is done (OPS-1..7); what the asker may not see counts as nothing."""

    act: str
    asked: int  #: how many instances were named
    fits: list[int]  #: to which it would be done; of a rerun of descendants, those that would run again
    unchanged: list[int]  #: for which it holds already
    refused: list[Refused]  #: most first
    named: InstanceRow | None  #: the first that was named; null where none is to be seen
    examples: list[InstanceRow]  #: the first three of those that fit; where none fits, of those named
    tasks: int  #: of how many tasks those are
    bizdates: int  #: on how many bizdates
    waiting_below: int  #: instances that wait for these, directly or through others, and have not begun
    tasks_below: int  #: of how many tasks those are
    bizdates_below: int  #: on how many bizdates
    successful_below: int  #: that have succeeded and stay so
    siblings: int  #: that failed with one of these and come back with it (POL-7)
    is_all: bool  #: false where so many lie below that not all of them were counted
    below_tasks: list[TaskBelow]  #: of a rerun of descendants, by name
    held: list[HeldBackfill]  #: in which what is rerun would wait, or that go on
    version: int | None  #: that is deployed, where a rerun may take it
    differ: int  #: how many would run other code with it
    waits: list[WaitRow]  #: what all of them wait for, where waits are to be removed
    group: GroupRow | None  #: the resource group that was chosen
