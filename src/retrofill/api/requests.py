"""One request: who asks, and the operation center that answers in their name."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, get_origin

from fastapi import Depends, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from retrofill.api.answers import PARTS_HEADER
from retrofill.api.intake import JsonRequest, is_writable, texts_of
from retrofill.api.operations import Operation, operation_of
from retrofill.api.origins import origin_of
from retrofill.api.sign_in import visitor_of
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import (
    Kind,
    NotPermittedError,
    NotSignedInError,
    RetrofillError,
    StoreUnavailableError,
)
from retrofill.domain.people.scopes import Scope
from retrofill.domain.people.visitors import Visitor

if TYPE_CHECKING:
    from fastapi._compat import ModelField

    from retrofill.services.operation_center import OperationCenter

_log = logging.getLogger(__name__)
MOST_ITEMS = 1_000  # of one page
MOST_ID = 2**53 - 1  # that every program reads out of JSON as it is
MOST_IDS = 10_000  # of one batch
_MOST_ASKED = 100_000  # ids of one question
MOST_WORDS = 100_000  # texts of one list
MOST_CHARACTERS = 10_000  # of a comment
_DATE_LENGTH = len("2026-01-05")
_MOST_WORD = 1_000  # characters of a text in a list
_MOST_UNKNOWN = 20  # names that an object holds beyond those that it may


class ScopeError(NotPermittedError):
    """Make a token of a larger scope, or sign in."""

    code = "scope_too_small"


class BusyServerError(RetrofillError):
    """Try again in a moment; nothing was done."""

    code = "server_busy"
    kind = Kind.UNAVAILABLE


class Asked(BaseModel):
    """What a query or a body may hold; anything else is refused, so that no filter is overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _hold_no_unwritable(cls, data: Any) -> Any:
        """No store takes every character that JSON can hold."""
        if not all(map(is_writable, texts_of(data))):
            raise ValueError("a text holds NUL or half of a surrogate pair")
        return data

    @model_validator(mode="before")
    @classmethod
    def _hold_little_unknown(cls, data: Any) -> Any:
        """Each unknown name is told; a request that consists of them is refused as one."""
        if isinstance(data, dict) and len(data) > len(cls.model_fields) + _MOST_UNKNOWN:
            raise ValueError(f"an object of {len(data):,} names; this takes {len(cls.model_fields)}")
        return data


class Commented(Asked):
    """Something that somebody does."""

    comment: str = Field("", max_length=MOST_CHARACTERS, description="Why; it is kept in the record.")


Number = Annotated[int, Field(strict=True, ge=0, le=MOST_ID)]
Word = Annotated[str, Field(max_length=_MOST_WORD)]
AskedIds = Annotated[list[Number], Field(fail_fast=True, max_length=_MOST_ASKED)]
Ids = Annotated[list[Number], Field(fail_fast=True, max_length=MOST_IDS)]
Numbers = Annotated[Ids, Field(min_length=1, description="Ids of instances.")]


class Batch(Commented):
    """Instances that something is done to; each is judged by itself."""

    ids: Numbers


def _digits(value: object) -> object:
    """A whole number of an address as it is written: other spellings of one are read as none."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("write a whole number in digits")
    return value


def _iso_date(value: object) -> object:
    """A date as `2026-01-05`: what else is a date to a validator, as seconds since 1970, is none here."""
    if isinstance(value, str) and not (len(value) == _DATE_LENGTH and value[4] == value[7] == "-"):
        raise ValueError("write a date as 2026-01-05")
    return value


Digits = BeforeValidator(_digits)
Bizdate = Annotated[date, BeforeValidator(_iso_date)]
Limit = Annotated[int, Digits, Field(ge=1, le=MOST_ITEMS, description="How many items at most.")]
Cursor = Annotated[
    int | None, Digits, Field(ge=1, le=MOST_ID, description="`next` of the page after which to go on.")
]


RequestKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Chosen by who asks, for one request, which is done once: sent again with it, the request gets what the "
        "first one made, or, where that is told only once, the refusal `already_made`.",
    ),
]


async def _tags(
    given: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=1_000,
            description="The `ETag` that it had when you looked: if somebody has changed it since, nothing is done.",
        ),
    ] = None,
) -> Collection[str] | None:
    """What an `If-Match` names; None where anything matches."""
    if given is None or given.strip() == "*":
        return None
    return [tag.strip().removeprefix("W/").strip('"') for tag in given.split(",")]


Tags = Annotated[Collection[str] | None, Depends(_tags)]
Id = Annotated[int, Digits, Path(ge=0, lt=2**63)]  # whatever can be written is unknown, and no mistake


def call_of(request: Request, deployment: Deployment, visitor: Visitor) -> Call:
    """What a request asks and does, in the name of who sent it; links that it makes lead where the server was reached."""
    origin = origin_of(request, deployment)
    return Call(deployment, visitor.user, is_remote=True, origin=origin)


class Visit:
    """One request of somebody who has signed in; of one thread at a time.

    Attributes:
        deployment: that all requests share.
    """

    def __init__(self, request: Request, deployment: Deployment, visitor: Visitor) -> None:
        self.request = request
        self.deployment = deployment
        self.visitor = visitor

    @cached_property
    def call(self) -> Call:
        """As of the version that is deployed when it is first asked."""
        return call_of(self.request, self.deployment, self.visitor)

    @property
    def center(self) -> OperationCenter:
        """Everything that who asks may ask and do."""
        return self.call.center

    @property
    def wants_parts(self) -> bool:
        """Whether sentences are answered in parts."""
        return self.request.headers.get(PARTS_HEADER) == "parts"


def visit_of(request: Request) -> Visit:
    """The visit that a request is.

    Raises:
        NotSignedInError: it is not known who asks.
        ScopeError: their token was made for less.
        NotPermittedError: nowhere may they do anything of the kind.
    """
    deployment: Deployment = request.app.state.deployment
    operation = operation_of(request.scope["endpoint"])
    needed = operation.scope or Scope.READ
    try:
        visit = Visit(request, deployment, visitor_of(request, deployment, needed is Scope.WORKER))
    except StoreUnavailableError as error:  # who asks is not known: where the store is, is not told
        _log.warning("nobody can sign in: %s", error.message)
        raise StoreUnavailableError(
            "the store cannot be used now", "The server's log has the details; try again in a moment."
        ) from None
    if not visit.visitor.scope.covers(needed):
        raise ScopeError(f"this token is of scope {visit.visitor.scope}, and this needs {needed}")
    try:
        actor = visit.call.actor
    except NotPermittedError:  # whose token it is, is nobody any more
        raise NotSignedInError("the token's user is not known any more") from None
    if operation.needs is not None and not actor.may_somewhere(operation.needs):
        raise NotPermittedError(f"{actor.name} may not do this in any workspace")
    return visit


@contextmanager
def _turn(operation: Operation) -> Iterator[None]:
    """From before the body is read until the answer is there; nobody waits for it with a body in memory."""
    if operation.turns is None:
        yield
        return
    if not operation.turns.acquire(blocking=False):
        raise BusyServerError("the server does this for as many others as it can at a time")
    try:
        yield
    finally:
        operation.turns.release()


def _hold_once(request: Request, several: Collection[str]) -> None:
    """A parameter that takes one value is given once: of two, one would be overlooked.

    Args:
        several: names of parameters that are lists.

    Raises:
        RequestValidationError: one is given more often.
    """
    given = Counter(name for name, _ in request.query_params.multi_items())
    wrong = [name for name, count in given.items() if count > 1 and name not in several]
    if wrong:
        raise RequestValidationError(
            [
                {"loc": ("query", name), "msg": f"given {given[name]:,} times, and takes one value"}
                for name in wrong
            ]
        )


def _lists_of(fields: Iterable[ModelField]) -> frozenset[str]:
    """Names of parameters of the query that take several values."""
    models = [field.field_info.annotation for field in fields]
    return frozenset(
        name
        for model in models
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, found in model.model_fields.items()
        if get_origin(found.annotation) is list
    )


class AdmittedRoute(APIRoute):
    """Knows who asks before it reads anything of a body, or looks at a parameter."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        field = self.body_field
        operation = operation_of(self.endpoint)
        several = _lists_of(self.dependant.query_params)

        def judge(data: Any) -> tuple[Any, list[Any]]:
            return (data, []) if field is None else field.validate(data, {}, loc=("body",))

        async def admit(request: Request) -> Response:
            request.state.visit = await run_in_threadpool(visit_of, request)
            _hold_once(request, several)
            with _turn(operation):
                return await handle(JsonRequest(request, judge))

        return admit


async def _once(request: Request, key: RequestKey = None) -> None:
    """Let a request with a key be done once."""
    if key is None:
        return
    parts = b"\0".join((request.method.encode(), request.url.path.encode(), await request.body()))
    visit: Visit = request.state.visit
    visit.call.once(key, await run_in_threadpool(lambda: sha256(parts).hexdigest()))


# Of what makes something that is no backfill: sent again with its key, a request is refused, and says so.
Once = Annotated[None, Depends(_once)]


async def _admitted(request: Request) -> Visit:
    found: Visit = request.state.visit
    return found


Asking = Annotated[Visit, Depends(_admitted)]
