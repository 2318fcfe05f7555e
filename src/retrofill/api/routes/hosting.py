"""What workers ask that reach this server and nothing else of a deployment, with tokens of their own.

Whoever changes what is sent or answered raises the number in the paths: a worker of another version is then told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Path, Query, Request, Response
from pydantic import Base64Bytes, Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Number
from retrofill.api.workers import Awaited, workers_of
from retrofill.domain.people.scopes import Scope
from retrofill.domain.running.outcomes import Outcome
from retrofill.services.reading.documents.hosting import (
    Called,
    CustodyAnswer,
    ExchangeAnswer,
    HostRules,
    KeptLog,
    OwnRuns,
)

if TYPE_CHECKING:
    from retrofill.api.requests import Visit
    from retrofill.domain.people.visitors import WorkerRight
    from retrofill.services.running.remote_hosts import RemoteHosts

routes = Routes("hosting/1")
_MOST_RUNS = 20_000  # of one host
_MOST_FILES = 1_000  # asked about at once
_MOST_PIECE = 700_000  # of a log, in base64
LARGER = {"/hosting/1/exchange": 16_000_000}

_Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
_Path = Annotated[str, Field(min_length=1, max_length=4_096, pattern="^/")]
_Seconds = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e11)]  # since 1970
_Sign = Annotated[int, Field(ge=-1_000, le=1_000)]


class RunAsked(Asked):
    """Names one start of one run."""

    instance_id: Number
    run_number: Number
    token: _Word
    boot_id: str = Field("", max_length=200, description="Of the machine where it was started.")


class OfferAsked(Asked):
    """A run that lives nowhere yet."""

    instance_id: Number
    run_number: Number
    token: _Word


class EndAsked(Asked):
    """How a run has ended."""

    run: RunAsked
    outcome: Outcome
    exit_code: _Sign | None = None
    signal: _Sign | None = None
    started_at: _Seconds | None = Field(
        None, description="By the clock of the worker, in seconds since 1970."
    )
    ended_at: _Seconds
    message: str = Field("", max_length=10_000)


class HostAsked(Asked):
    """What a host says of itself."""

    name: _Word = Field(description="The word of its folder of runs.")
    boot_id: str = Field(max_length=200)
    label: str = Field(max_length=200)
    executor: _Word = Field(description="How it hears of offers.")
    groups: list[_Word] = Field(min_length=1, max_length=1_000, description="Whose runs it takes.")
    slots: int = Field(ge=1, le=10_000, description="Of runs that it carries out at once.")
    version: str = Field(max_length=100)
    folder: _Path = Field(description="The project's folder, as it is called there.")
    interpreter: str = Field(max_length=4_096, description="What runs python tasks there.")
    logs_at: Literal[""] = ""


_Host = Annotated[HostAsked, Field(description="What the host says of itself.")]
_HostName = Annotated[_Word, Field(description="The name of the host.")]


class StatusAsked(Asked):
    """Who asks."""

    status: _Host


class ExchangeAsked(Asked):
    """One round of a host: what it reports and takes."""

    status: _Host
    now_ms: int = Field(description="By its clock.", ge=0, le=10**14)
    ends: list[EndAsked] = Field([], max_length=_MOST_RUNS, description="Of its runs, since it was answered.")
    free: int = Field(0, ge=0, le=10_000, description="How many more runs it takes.")
    named: list[OfferAsked] = Field([], max_length=_MOST_RUNS, description="Offers that it was told of.")
    min_age_ms: int | None = Field(
        0,
        ge=0,
        le=86_400_000,
        description="How old others must be, for it to take them; null: it takes none.",
    )
    holds: list[RunAsked] | None = Field(
        None,
        max_length=_MOST_RUNS,
        description="Every run that it holds, where it does not know what was done.",
    )


class LogPieceAsked(Asked):
    """A piece of a log."""

    host: _HostName
    run: RunAsked = Field(description="Whose log it is.")
    offset: Number = Field(description="Where in the log it begins.")
    missing: Number = Field(0, description="How many bytes before it were cut out.")
    base64: Base64Bytes = Field(max_length=_MOST_PIECE, description="What it holds.")


class RunNamed(Asked):
    """Names one start of one run."""

    instance_id: Number
    run_number: Number
    token: _Word


class OldLogAsked(Asked):
    """A file among the logs of a host."""

    name: str = Field(min_length=1, max_length=300, description="Of the file.")
    run: RunNamed | None = Field(None, description="Whose log it is; null: no run has made it.")
    age_ms: Number = Field(description="Since it was written to last.")


class CustodyAsked(Asked):
    """What a host has, and would let go of."""

    host: _HostName
    logs: list[OldLogAsked] = Field([], max_length=_MOST_FILES, description="Which of them may go.")
    since_ms: Number | None = Field(
        None,
        description="Dates of which auto triggered instances have ended in the last so many milliseconds.",
    )
    bizdate: str | None = Field(
        None, pattern=r"^\d{4}-\d{2}-\d{2}$", description="The date whose runs are told that may be cut."
    )


class CallAsked(Asked):
    """Who waits, for what, and for how long."""

    host: _HostName
    group: list[_Word] = Field(min_length=1, max_length=1_000, description="Whose runs it takes.")
    mark: list[_Word] = Field([], max_length=16, description="Of the last answers of each server.")
    seconds: float = Field(25.0, ge=0, le=60, description="How long it waits.")


@routes.get("/rules", "hosting.rules", HostRules, scope=Scope.WORKER)
def rules(visit: Asking) -> HostRules:
    """What a worker with this token goes by."""
    return _hosts(visit).rules(_right(visit))


@routes.post("/exchange", "hosting.exchange", ExchangeAnswer, scope=Scope.WORKER)
def exchange(visit: Asking, body: ExchangeAsked) -> ExchangeAnswer:
    """Report how runs have ended, take offers, and hear what is to be stopped."""
    given = body.model_dump(mode="json")
    return _hosts(visit).exchange(_right(visit), given.pop("status"), given)


@routes.post("/own", "hosting.own", OwnRuns, scope=Scope.WORKER)
def own(visit: Asking, body: StatusAsked) -> OwnRuns:
    """Every open run that lives at a host, for a worker that has just begun."""
    return _hosts(visit).own(_right(visit), body.status.model_dump())


@routes.post("/leave", "hosting.leave", None, scope=Scope.WORKER, status=204)
def leave(visit: Asking, body: StatusAsked) -> None:
    """Leave for good: nothing runs there."""
    _hosts(visit).leave(_right(visit), body.status.model_dump())


@routes.get("/call", "hosting.call", Called, scope=Scope.WORKER, is_long=True)
def call(visit: Asking, request: Request, asked: Annotated[CallAsked, Query()]) -> Response:
    """Wait until there may be something to do for a host."""
    _hosts(visit).check(_right(visit), asked.host)
    workers = workers_of(request.app)
    return Awaited(lambda: workers.wait(asked.host, asked.group, asked.mark, asked.seconds))


@routes.get("/content/{sha256}", "hosting.content", str, scope=Scope.WORKER, media="application/octet-stream")
def content(
    visit: Asking, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="Of what it holds.")]
) -> Response:
    """A file that a version includes."""
    return Response(_hosts(visit).content(sha256), media_type="application/octet-stream")


@routes.post("/log", "hosting.keep_log", KeptLog, scope=Scope.WORKER)
def keep_log(visit: Asking, body: LogPieceAsked) -> KeptLog:
    """Push a piece of a run's log to the server, which keeps it; how long it is there now."""
    run = body.run.model_dump()
    size = _hosts(visit).keep_log(
        _right(visit), body.host, run, body.offset, body.missing, bytes(body.base64)
    )
    return {"size": size}


@routes.post("/custody", "hosting.custody", CustodyAnswer, scope=Scope.WORKER)
def custody(visit: Asking, body: CustodyAsked) -> CustodyAnswer:
    """Which files of its own a host may let go of; of logs that go it is noted."""
    given = body.model_dump()
    return _hosts(visit).custody(_right(visit), given.pop("host"), given)


def _hosts(visit: Visit) -> RemoteHosts:
    return workers_of(visit.request.app).hosts


def _right(visit: Visit) -> WorkerRight:
    assert visit.visitor.worker is not None  # as the scope says
    return visit.visitor.worker
