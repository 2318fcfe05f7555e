"""One instance looked at closely: the chain to what holds it up, its code, its other bizdates."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Step, Text
from retrofill.services.reading.documents.tasks import RerunRules


class ChainLink(TypedDict):
    """An instance on the way to what holds another one up."""

    id: int
    task: str
    bizdate: str
    scheduled_at: str
    state: str
    reason: str | None
    upstream: int  #: how many instances it waits for
    open: int  #: how many of these have not succeeded
    run_number: int
    started_at: str | None
    ended_at: str | None
    message: str | None  #: how its last run ended
    last_line: str | None  #: that a failed one has printed


class Condition(TypedDict):
    """One of the things that an instance needs before it runs, in the order in which they are asked."""

    name: str  #: `held`, `turn`, `upstream`, `time`, `window`, `scheduler` or `slot`
    holds: bool | None  #: null where it is asked only when those before it hold


class WhyChain(TypedDict):
    """Why an instance is not running, down to the cause (OPS-9)."""

    id: int
    state: str
    reason: str | None
    code: str  #: what holds it up, in a word
    text: Text
    steps: list[Step]  #: what can be done next
    links: list[ChainLink]  #: it itself first, the cause last; nothing is said of foreign ones between
    conditions: list[Condition]  #: of one that has not begun
    refusals: dict[str, Text]  #: acts that cannot be done to it as things are, by name, with why


class CodePart(TypedDict):
    """A piece of the code of a run."""

    text: str  #: as it is written
    parameter: str | None  #: whose value it stands for
    value: str | None  #: what stands there when it runs


class RunParameter(TypedDict):
    """A parameter of a run."""

    name: str
    written: str  #: as declared, or as its backfill says instead
    value: str | None  #: null where it has none
    overridden: bool  #: whether its backfill says it


class RunCode(TypedDict):
    """What an instance runs (CAT-9, PAR-4); secrets stay names."""

    id: int
    task: str
    type: str
    version: int  #: whose code it is
    file: str | None  #: that the code is from, relative to the project
    parts: list[CodePart]
    parameters: list[RunParameter]
    differs: bool  #: whether a rerun with the deployed version would run something else
    problem: str | None  #: why it could not be started as it is
    rerun: RerunRules
    timeout_seconds: int
    usual_seconds: float | None  #: that such a run takes; null where none has succeeded yet


class DateState(TypedDict):
    """The same task and time on one bizdate."""

    id: int
    bizdate: str
    state: str
    reason: str | None


class OverDates(TypedDict):
    """An instance's task and time over the bizdates of its backfill, or of the schedule, around its own."""

    id: int
    items: list[DateState]  #: by bizdate
