"""What somebody sees first: what needs a person, what is under way, what comes."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Step, Text
from retrofill.services.reading.documents.backfills import BackfillRow
from retrofill.services.reading.documents.schedule import NightRow


class Blockage(TypedDict):
    """An instance that others wait for in the end."""

    id: int
    task: str
    bizdate: str
    scheduled_at: str
    state: str  #: `failed`, `frozen`, or `not_run` where it is isolated
    reason: str | None
    run_number: int
    at: str | None  #: since when it is so, as far as that is known
    message: str | None  #: how its last run ended; null where it did not run
    last_line: str | None  #: of its log
    by: str | None  #: who froze or stopped it
    comment: str | None  #: of that one


class Need(TypedDict):
    """Something that goes on only once a person has done something."""

    kind: str  #: what is in the way: `failed`, `frozen`, `isolated`, `loop`, or what `text` tells: `refused`, `no_worker`, ...
    backfill: int | None  #: null where it is of the schedule, or of none
    name: str | None  #: of the backfill; else of the resource group or the host that it is about
    created_by: str | None
    status: str | None  #: of the backfill, as rows show it
    bizdates: list[str]  #: nights that it is about, newest first
    since: str | None
    cause: Blockage | None  #: what most waits for; null where there is none that the asker may know
    failed: int  #: instances that failed for a reason of their own
    held_up: int  #: instances that wait in the end for what failed, is frozen or is isolated
    held_up_tasks: int | None  #: of how many tasks these are; null where that is not counted
    paused: bool  #: whether the backfill has paused by itself
    text: Text | None  #: a sentence, where it is not about instances
    steps: list[Step]  #: what can be done


class Coming(TypedDict):
    """Something that happens by itself."""

    at: str
    until: str | None  #: null where it is a moment
    kind: (
        str  #: `end` of a backfill as it is expected, `window` that opens, `start` of a backfill, or `night`
    )
    backfill: int | None
    name: str | None  #: of the backfill
    bizdate: str | None  #: of the night
    left: int | None  #: instances of the backfill that have not ended
    held_up: bool  #: whether some of these wait for a person


class HomeCounts(TypedDict):
    """How much there is of what needs a person, and of what is under way."""

    needs: int
    under_way: int  #: backfills that have not ended


class Home(TypedDict):
    """What needs a person, what is under way, what has ended lately, what comes, and how the last nights went."""

    counts: HomeCounts
    needs: list[Need]  #: the first ones: what hinders everything, then what holds up most
    under_way: list[BackfillRow]  #: the newest ones
    ended: list[BackfillRow]  #: during the last day, the latest first
    coming: list[Coming]  #: during the next day, the earliest first
    nights: list[NightRow]  #: the last ones, newest first
    schedule_held: bool  #: whether the schedule is paused
